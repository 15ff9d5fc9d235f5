"""What needs a person today."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import joinedload

from regsys.applications.queries import Desk, list_desks
from regsys.content.queries import count_inquiries, find_oldest_open
from regsys.events.models import Event
from regsys.jobs.queries import count_dead
from regsys.kernel.db import db
from regsys.outbox import queries as outbox
from regsys.outbox.models import Message
from regsys.payments import queries as payments
from regsys.payments.models import PaymentAttempt
from regsys.payments.queries import AttemptRow, OwedRow, ProblemRow, RefundRow
from regsys.payments.states import HOLDING
from regsys.registration.chosen import list_unseen_proofs
from regsys.registration.handed import list_asked_hand_overs
from regsys.registration.models import HandOver, Registration
from regsys.registration.queries import list_ends
from regsys.registration.states import RegistrationState
from regsys.reports.queries.overview import EventRow
from regsys.reports.rules import is_promised
from regsys.waitlist import queries as waitlist
from regsys.waitlist.states import EntryState

MOST = 5
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Promise:
    """A place that is held without a payment under way; `until` None: without end."""

    registration: Registration
    until: datetime | None


@dataclass(frozen=True)
class Money:
    """Money that needs a person, and whether Stripe's messages arrive.

    `failed` are refunds that did not arrive, `owed` is what is too much and not on its way back.
    """

    problems: Sequence[ProblemRow] = ()
    failed: Sequence[RefundRow] = ()
    owed: Sequence[OwedRow] = ()
    stuck: Sequence[AttemptRow] = ()
    silent: bool = False
    failed_events: int = 0

    @property
    def odd(self) -> int:
        """Return how many things need a decision, besides what has to go back."""
        return len(self.problems) + sum(map(bool, (self.stuck, self.silent, self.failed_events)))

    @property
    def count(self) -> int:
        """Return how many things these are, as the home page lists them."""
        return self.odd + bool(self.failed or self.owed)


@dataclass(frozen=True)
class Line:
    """How many parties wait at an event, and how many offers are out."""

    event: Event
    waiting: int
    offered: int


@dataclass(frozen=True)
class Today:
    """Everything that needs a person; of letters and promises at most MOST are named, and `…_more` counts the rest."""

    money: Money = field(default_factory=Money)
    at_risk: Sequence[EventRow] = ()
    promises: Sequence[Promise] = ()
    promises_more: int = 0
    unanswered: Sequence[EventRow] = ()
    applications: Sequence[Desk] = ()
    lines: Sequence[Line] = ()
    handed: Sequence[HandOver] = ()
    proofs: Sequence[Registration] = ()
    letters: Sequence[Message] = ()
    letters_more: int = 0
    inquiries: int = 0
    inquiries_since: datetime | None = None
    dead_jobs: int = 0

    @property
    def dated(self) -> list[Promise | EventRow]:
        """Return promises and events at risk by the time at which they are decided, the next one first."""
        both: list[Promise | EventRow] = [*self.promises, *self.at_risk]
        return sorted(both, key=lambda one: one.until or FAR)

    @property
    def count(self) -> int:
        """Return how many things these are, as the page lists them."""
        named = (
            self.at_risk,
            self.promises,
            self.unanswered,
            self.applications,
            self.lines,
            self.handed,
            self.proofs,
            self.letters,
        )
        more = (self.promises_more, self.letters_more, self.inquiries, self.dead_jobs)
        return self.money.count + sum(map(len, named)) + sum(map(bool, more))


def find_money(scope: payments.Scope, *, now: datetime) -> Money:
    """Find what needs the treasurer or a registrar."""
    failed = payments.list_failed_refunds(scope)
    return Money(
        payments.list_problems(scope),
        failed,
        payments.list_owed(scope, but=failed),
        payments.list_attention(scope, now=now),
        payments.webhooks(now).silent,
        len(payments.list_failed_events()),
    )


def find_today(
    rows: Sequence[EventRow], *, registrar: payments.Scope, money: payments.Scope, now: datetime
) -> Today:
    """Find everything that needs this person; both scopes are event ids (None: all)."""
    mine = [r for r in rows if registrar is None or r.event.id in registrar]
    promises = _list_promises(registrar, now=now)
    letters = outbox.list_trouble(event_ids=registrar, limit=MOST + 1)
    troubled = outbox.count_by_state(event_ids=registrar)
    whole_site = registrar is None
    return Today(
        find_money(money, now=now),
        [r for r in mine if r.at_risk],
        promises[:MOST],
        max(0, len(promises) - MOST),
        [r for r in mine if r.people.unanswered],
        [d for d in list_desks(registrar) if d.waiting],
        _list_lines(mine),
        list_asked_hand_overs(registrar),
        list_unseen_proofs(registrar)[:MOST],
        letters[:MOST],
        max(0, sum(troubled[s] for s in outbox.TROUBLE) - MOST),
        count_inquiries(open_only=True) if whole_site else 0,
        find_oldest_open() if whole_site else None,
        count_dead() if whole_site else 0,
    )


def _list_lines(rows: Sequence[EventRow]) -> list[Line]:
    counts = waitlist.count_by_event([r.event.id for r in rows])
    found = [(r.event, counts[r.event.id]) for r in rows if r.event.id in counts]
    return [Line(e, n.get(EntryState.WAITING, 0), n.get(EntryState.OFFERED, 0)) for e, n in found]


def _list_promises(scope: payments.Scope, *, now: datetime) -> list[Promise]:
    under_way = select(PaymentAttempt.id).where(
        PaymentAttempt.order_id == Registration.order_id, PaymentAttempt.state.in_(HOLDING)
    )
    query = (
        select(Registration)
        .where(Registration.state == RegistrationState.AWAITING_PAYMENT, _in(scope))
        .where(~under_way.exists())
        .options(joinedload(Registration.event))
        .order_by(Registration.id)
        .limit(200)
    )
    found = list(db.session.scalars(query))
    ends = list_ends([r.id for r in found], now=now)
    promises = [
        Promise(r, ends[r.id]) for r in found if r.id in ends and is_promised(ends[r.id], now)
    ]
    return sorted(promises, key=lambda p: (p.until is None, p.until or now, p.registration.id))


def _in(scope: payments.Scope) -> ColumnElement[bool]:
    return true() if scope is None else Registration.event_id.in_(scope)
