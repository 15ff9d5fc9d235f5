"""How events go: places, people, money and pace; the home page and the list of events are made of these rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case, func, select, true
from sqlalchemy.orm import joinedload, selectinload

from regsys.applications.queries import list_desks
from regsys.events import queries as events
from regsys.events.kinds import Enrollment
from regsys.events.models import Event, TicketType
from regsys.events.queries import Places
from regsys.events.rules import is_at_risk
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.ledger import queries as ledger
from regsys.registration.models import OrderLine, Registration
from regsys.registration.states import RegistrationState as S
from regsys.reports import rules
from regsys.reports.queries.rows import GIVEN_BACK
from regsys.reports.rules import Cost, Progress, share_out
from regsys.waitlist import queries as waitlist

# Event ids; None: all.
Scope = Collection[int] | None
PAGE_SIZE = 30


@dataclass(frozen=True)
class Sums:
    """Money of one event's registrations, in minor units: what came and was not given back, and what is to come."""

    received: int = 0
    due: int = 0

    def plus(self, share: rules.Share, *, owed: bool) -> "Sums":
        """Add one registration's share of its order."""
        due = share.due if owed else 0
        return Sums(self.received + share.paid - share.refunded, self.due + due)


@dataclass(frozen=True)
class People:
    """Registrations of one event by state, in the order of the states.

    `unanswered` are confirmed, and their form is still open; `newest` is when the last one was confirmed.
    """

    by_state: Mapping[S, int]
    unanswered: int = 0
    newest: datetime | None = None

    @property
    def confirmed(self) -> int:
        return self.by_state.get(S.CONFIRMED, 0)

    @property
    def awaiting(self) -> int:
        return self.by_state.get(S.AWAITING_PAYMENT, 0)


@dataclass(frozen=True)
class EventRow:
    """One event with how it goes; `pace` counts the confirmed by week, `line` who is on the waiting list."""

    event: Event
    places: Places
    people: People
    sums: Sums
    pace: Sequence[int]
    progress: Progress
    at_risk: bool
    applications: int = 0
    line: int = 0

    @property
    def held(self) -> int:
        """Return how many places are in carts, at the payment page or promised."""
        if self.places.total is None or self.places.left is None:
            return self.people.awaiting
        return max(0, self.places.total - self.places.left - self.people.confirmed)

    @property
    def until(self) -> datetime | None:
        """Return when it is decided whether the event takes place."""
        return self.event.decide_at

    @property
    def sells(self) -> bool:
        """Tell whether places are taken here: not by writing to a leader, nor elsewhere."""
        return self.event.enrollment not in (Enrollment.EXTERNAL, Enrollment.CONTACT_LEADER)

    @property
    def chairs(self) -> int:
        """Return how many leaders' chairs the ring shows."""
        return min(len(self.event.assignments), 2) or 2

    @property
    def is_free(self) -> bool:
        """Tell whether nothing is sold: every price is nought, and no money came."""
        prices = [p.amount for t in self.event.ticket_types for p in t.prices]
        return not any(prices) and not self.sums.received


def list_running(scope: Scope, *, now: datetime, limit: int = 60) -> list[Event]:
    """List events that are not over and not cancelled, by start."""
    query = _whole_events(_in(scope), Event.ends_at > now, Event.state != EventState.CANCELLED)
    return list(db.session.scalars(query.order_by(Event.starts_at, Event.id).limit(limit)))


def list_events(scope: Scope, *, past: bool, now: datetime, offset: int) -> list[Event]:
    """List a page of events: those to come by start, or those that are over, the last one first."""
    query = _whole_events(_in(scope), _when(now, past=past))
    order = (Event.starts_at.desc(), Event.id) if past else (Event.starts_at, Event.id)
    return list(db.session.scalars(query.order_by(*order).offset(offset).limit(PAGE_SIZE)))


def count_events(scope: Scope, *, past: bool, now: datetime) -> int:
    """Count the events that are over, or the others."""
    query = select(func.count(Event.id)).where(_in(scope), _when(now, past=past))
    return db.session.scalar(query) or 0


def list_titles(scope: Scope) -> list[tuple[int, str]]:
    """List (id, title) of the events in scope, the latest first."""
    query = select(Event.id, Event.title).where(_in(scope))
    query = query.order_by(Event.starts_at.desc(), Event.id)
    return [(event_id, title) for event_id, title in db.session.execute(query)]


def _in(scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else Event.id.in_(scope)


def _when(now: datetime, *, past: bool) -> ColumnElement[bool]:
    return Event.ends_at <= now if past else Event.ends_at > now


def _whole_events(*which: ColumnElement[bool]) -> Select[Event]:
    return (
        select(Event)
        .where(*which)
        .options(
            joinedload(Event.venue),
            selectinload(Event.sessions),
            selectinload(Event.assignments),
            selectinload(Event.ticket_types).selectinload(TicketType.prices),
        )
    )


def rows_of(found: Sequence[Event], *, now: datetime) -> list[EventRow]:
    """Return how these events go, in their order."""
    ids = [e.id for e in found]
    places = events.places_of(ids, now=now)
    people, sums, paces = people_of(ids), sums_of(ids), _paces_of(ids, now=now)
    applications = {desk.event.id: desk.waiting for desk in list_desks(ids)}
    lines = {i: sum(n.values()) for i, n in waitlist.count_by_event(ids).items()}
    return [
        EventRow(
            e,
            places[e.id],
            people[e.id],
            sums[e.id],
            paces[e.id],
            rules.progress([s.starts_at for s in e.sessions], now),
            _is_at_risk(e, people[e.id].confirmed, now),
            applications.get(e.id, 0),
            lines.get(e.id, 0),
        )
        for e in found
    ]


def _is_at_risk(event: Event, confirmed: int, now: datetime) -> bool:
    return (
        event.state is EventState.PUBLISHED
        and event.starts_at > now
        and is_at_risk(
            minimum=event.minimum,
            decide_at=event.decide_at,
            runs_at=event.runs_at,
            confirmed=confirmed,
            now=now,
        )
    )


def people_of(event_ids: Sequence[int]) -> dict[int, People]:
    """Count the registrations of these events by state; every id has an entry."""
    is_open = case((Registration.answered_at.is_(None), 1), else_=0)
    query = (
        select(
            Registration.event_id,
            Registration.state,
            func.count(),
            func.sum(is_open),
            func.max(Registration.confirmed_at),
        )
        .where(Registration.event_id.in_(event_ids))
        .group_by(Registration.event_id, Registration.state)
    )
    counts: dict[int, dict[S, int]] = {e: {} for e in event_ids}
    more: dict[int, tuple[int, datetime | None]] = {}
    for event_id, state, count, still_open, newest in db.session.execute(query):
        counts[event_id][state] = count
        if state is S.CONFIRMED:
            more[event_id] = (int(still_open), newest)
    return {
        e: People({s: counts[e][s] for s in S if s in counts[e]}, *more.get(e, (0, None)))
        for e in event_ids
    }


def _paces_of(event_ids: Sequence[int], *, now: datetime) -> dict[int, list[int]]:
    query = select(Registration.event_id, Registration.confirmed_at).where(
        Registration.event_id.in_(event_ids),
        Registration.state == S.CONFIRMED,
        Registration.confirmed_at > now - 15 * rules.WEEK,
    )
    found: dict[int, list[datetime]] = {e: [] for e in event_ids}
    for event_id, confirmed_at in db.session.execute(query):
        if confirmed_at:
            found[event_id].append(confirmed_at)
    return {e: rules.pace(moments, now) for e, moments in found.items()}


def sums_of(event_ids: Sequence[int]) -> dict[int, Sums]:
    """Add up the money of these events to the cent; of an order for several events each gets its share."""
    found = dict.fromkeys(event_ids, Sums())
    orders = _costs_of(event_ids)
    money = _money_of(orders)
    for order_id, parts in orders.items():
        came = money[order_id]
        shares = share_out(came.paid, came.refunded, {r: p.cost for r, p in parts.items()})
        for registration_id, part in parts.items():
            if part.event_id in found:
                owed = part.state is not S.DRAFT
                found[part.event_id] = found[part.event_id].plus(shares[registration_id], owed=owed)
    return found


@dataclass(frozen=True)
class _Part:
    event_id: int
    state: S
    cost: Cost


def _costs_of(event_ids: Sequence[int]) -> dict[int, dict[int, _Part]]:
    """Return, by order and registration, what the orders that touch these events cost."""
    touched = select(Registration.order_id).where(Registration.event_id.in_(event_ids))
    came = case((OrderLine.kind.in_(GIVEN_BACK), 0), else_=OrderLine.amount)
    keys = (OrderLine.order_id, Registration.id, Registration.event_id, Registration.state)
    query = (
        select(*keys, func.sum(OrderLine.amount), func.sum(came))
        .join(Registration, Registration.id == OrderLine.registration_id)
        .where(OrderLine.order_id.in_(touched))
        .group_by(*keys)
        .order_by(OrderLine.order_id, Registration.id)
    )
    found: dict[int, dict[int, _Part]] = {}
    for order_id, registration_id, event_id, state, total, before in db.session.execute(query):
        part = _Part(event_id, state, Cost(int(total), int(before)))
        found.setdefault(order_id, {})[registration_id] = part
    return found


def _money_of(order_ids: Iterable[int]) -> dict[int, ledger.Sums]:
    ids = list(order_ids)
    found: dict[int, ledger.Sums] = {}
    # The databases take so many parameters and not more.
    for start in range(0, max(len(ids), 1), 5000):
        found |= ledger.sums_of(ids[start : start + 5000])
    return found
