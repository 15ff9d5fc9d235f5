"""Reading registrations for tables and exports: plain rows, a constant number of queries, a page at a time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from regsys.events.kinds import Rate
from regsys.events.models import Event, TicketType
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_, email_key
from regsys.ledger import queries as ledger
from regsys.ledger.models import Payment
from regsys.ledger.rules import Balance
from regsys.questions.kinds import Audience
from regsys.questions.models import Question
from regsys.questions.queries import list_readable_answers
from regsys.registration.chosen import list_choices
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.states import RegistrationState
from regsys.reports.rules import Cost, Share, share_out

BATCH = 250
Query = Select[*tuple[Any, ...]]
# Lines that come when a place is given back; before, it cost the sum of the others.
GIVEN_BACK = (LineKind.RETURN, LineKind.KEPT)


@dataclass(frozen=True)
class Filter:
    """What a table or an export shows; an empty field does not narrow, but no events means nothing.

    `sort`: a key of SORTS, "-" for descending.
    """

    event_ids: Sequence[int]
    words: str = ""
    states: Sequence[RegistrationState] = ()
    ticket_type_id: int | None = None
    open_answers: bool = False
    sort: str = "name"


SORTS: dict[str, tuple[Any, ...]] = {
    "name": (func.lower(Registration.last_name), func.lower(Registration.first_name)),
    "state": (Registration.state,),
    "number": (Registration.id,),
    "workplace": (func.lower(Registration.workplace),),
    "type": (TicketType.position, TicketType.name),
    "created": (Registration.created_at,),
    "event": (Event.starts_at, Event.id),
}


@dataclass
class Row:
    """One registration with what stands around it. Amounts in minor units of `currency`; times UTC."""

    id: int
    order_id: int
    event_id: int
    event: str
    event_slug: str
    time_zone: str
    order_code: str
    code: str
    state: RegistrationState
    first_name: str
    last_name: str
    badge_name: str
    pronouns: str
    email: str
    phone: str
    profession: str
    credentials: str
    workplace: str
    city: str
    zone: str
    ticket_type: str
    rate: Rate
    currency: str
    created_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    answered_at: datetime | None
    note: str
    proof: dict[str, Any] | None
    deposit: int | None
    payer: str
    price: int = 0
    discount: int = 0
    total: int = 0
    paid: int = 0
    refunded: int = 0
    # Option id → what it is called, and with whom they would share it.
    chosen: dict[int, tuple[str, str]] = field(default_factory=dict)
    methods: list[str] = field(default_factory=list)
    answers: dict[str, tuple[Question, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name, or nothing for a place that nobody has described yet."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def balance(self) -> Balance:
        """Return how this registration's share of its order stands in money."""
        return Balance(self.total, self.paid, self.refunded, deposit=self.deposit or 0)

    @property
    def due(self) -> int:
        """Return what is still to pay of this registration's share; nothing before an order is placed."""
        return 0 if self.state is RegistrationState.DRAFT else self.balance.due


def count_rows(chosen: Filter) -> int:
    """Count what the filter shows."""
    query = _narrow(select(func.count()).select_from(Registration), chosen)
    return db.session.scalar(query) or 0


def list_rows(
    chosen: Filter, audiences: frozenset[Audience], *, offset: int = 0, limit: int = 50
) -> list[Row]:
    """List one page of a table."""
    query = _sorted(_narrow(_columns(), chosen), chosen.sort).offset(offset).limit(limit)
    return _complete(query, audiences)


def get_row(registration_id: int, *, event_id: int) -> Row:
    """Get one registration of an event without its answers; raise NotFound, also where it belongs to another."""
    query = _everything([registration_id]).where(Registration.event_id == event_id)
    rows = _complete(query, frozenset())
    if not rows:
        raise NotFound(N_("There is no such registration."))
    return rows[0]


def stream_rows(chosen: Filter, audiences: frozenset[Audience]) -> Iterator[list[Row]]:
    """Yield everything in batches and hold no more than one; ends the read transaction after each.

    Which registrations belong to it is decided at the start: nobody who comes in meanwhile shifts the others. A
    reader who takes the file slowly keeps no transaction open.
    """
    narrowed = _sorted(
        _narrow(select(Registration.id).select_from(Registration), chosen), chosen.sort
    )
    ids = list(db.session.scalars(narrowed))
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        by_id = {r.id: r for r in _complete(_everything(part), audiences)}
        yield [by_id[i] for i in part if i in by_id]
        db.session.expunge_all()
        db.session.rollback()


def _columns() -> Query:
    r = Registration
    return select(
        r.id,
        r.order_id,
        r.event_id,
        Event.title.label("event"),
        Event.slug.label("event_slug"),
        Event.time_zone,
        Order.code.label("order_code"),
        r.code,
        r.state,
        r.first_name,
        r.last_name,
        r.badge_name,
        r.pronouns,
        r.email,
        r.phone,
        r.profession,
        r.credentials,
        r.workplace,
        r.city,
        r.time_zone.label("zone"),
        TicketType.name.label("ticket_type"),
        r.rate,
        Order.currency,
        r.created_at,
        r.confirmed_at,
        r.ended_at,
        r.answered_at,
        r.note,
        r.proof,
        r.deposit,
        func.trim(Order.first_name + " " + Order.last_name).label("payer"),
    ).select_from(r)


def _everything(ids: Sequence[int]) -> Query:
    return _join(_columns()).where(Registration.id.in_(ids))


def _join(query: Query) -> Query:
    return (
        query.join(Event, Event.id == Registration.event_id)
        .join(Order, Order.id == Registration.order_id)
        .join(TicketType, TicketType.id == Registration.ticket_type_id)
    )


def _narrow(query: Query, chosen: Filter) -> Query:
    query = _join(query).where(Registration.event_id.in_(chosen.event_ids))
    if chosen.states:
        query = query.where(Registration.state.in_(chosen.states))
    if chosen.ticket_type_id:
        query = query.where(Registration.ticket_type_id == chosen.ticket_type_id)
    if chosen.open_answers:
        query = query.where(
            Registration.answered_at.is_(None), Registration.state == RegistrationState.CONFIRMED
        )
    for word in chosen.words.split()[:6]:
        query = query.where(_matches(word))
    return query


def _matches(word: str) -> ColumnElement[bool]:
    r = Registration
    searched = (r.first_name, r.last_name, r.email, r.workplace, r.code, Order.code)
    folded = _pattern(email_key(word))
    # SQLite folds ASCII only: a name that begins with another letter is also sought as it is written.
    written = {_pattern(word), _pattern(word.capitalize())}
    return or_(
        *(func.lower(c).like(folded, escape="\\") for c in searched),
        *(c.like(p, escape="\\") for c in searched[:2] for p in sorted(written)),
    )


def _pattern(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _sorted(query: Query, sort: str) -> Query:
    keys = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    ordered = [k.desc() for k in keys] if sort.startswith("-") else list(keys)
    return query.order_by(*ordered, Registration.id)


def _complete(query: Query, audiences: frozenset[Audience]) -> list[Row]:
    rows = [Row(**r._mapping) for r in db.session.execute(query)]
    if rows:
        _add_money(rows)
    if rows and audiences:
        _add_answers({r.id: r for r in rows}, audiences)
    return rows


def _add_money(rows: list[Row]) -> None:
    order_ids = sorted({r.order_id for r in rows})
    lines = _lines_of(order_ids)
    sums = ledger.sums_of(order_ids)
    methods = _methods_of(order_ids)
    choices = list_choices([r.id for r in rows])
    shares: dict[int, Share] = {}
    for o in order_ids:
        costs = {r: _cost(own) for r, own in lines[o].items()}
        shares |= share_out(sums[o].paid, sums[o].refunded, costs)
    for row in rows:
        own = lines[row.order_id].get(row.id, [])
        # Help with the fee is told to nobody: the place costs that much less.
        quietly = (LineKind.PLACE, LineKind.AWARD)
        row.price = sum(line.amount for line in own if line.kind in quietly)
        row.discount = -sum(line.amount for line in own if line.kind is LineKind.DISCOUNT)
        row.chosen = {c.option_id: (c.option.name, c.wish) for c in choices.get(row.id, ())}
        row.total = sum(line.amount for line in own)
        if row.id in shares:
            row.paid, row.refunded = shares[row.id].paid, shares[row.id].refunded
        row.methods = methods.get(row.order_id, [])


def _cost(lines: Sequence[OrderLine]) -> Cost:
    came = sum(line.amount for line in lines if line.kind not in GIVEN_BACK)
    return Cost(sum(line.amount for line in lines), came)


def _lines_of(order_ids: Sequence[int]) -> Mapping[int, dict[int, list[OrderLine]]]:
    # Every registration of the order takes its share, also those that the page does not show.
    query = (
        select(OrderLine)
        .where(OrderLine.order_id.in_(order_ids), OrderLine.registration_id.is_not(None))
        .order_by(OrderLine.registration_id, OrderLine.id)
    )
    found: dict[int, dict[int, list[OrderLine]]] = defaultdict(dict)
    for line in db.session.scalars(query):
        found[line.order_id].setdefault(line.registration_id or 0, []).append(line)
    return found


def _methods_of(order_ids: Sequence[int]) -> dict[int, list[str]]:
    query = (
        select(Payment.order_id, Payment.method)
        .where(Payment.order_id.in_(order_ids))
        .distinct()
        .order_by(Payment.order_id, Payment.method)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for order_id, method in db.session.execute(query):
        found[order_id].append(method.value)
    return found


def _add_answers(rows: Mapping[int, Row], audiences: frozenset[Audience]) -> None:
    for registration_id, answers in list_readable_answers(list(rows), audiences).items():
        for key, answer in answers.items():
            rows[registration_id].answers[key] = (answer.question, answer.stored)
