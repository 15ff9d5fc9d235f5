"""Reading registrations for tables and exports: plain rows, a constant number of queries, a page at a time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from regsys.events.models import Event, TicketType
from regsys.kernel.db import db
from regsys.kernel.text import email_key
from regsys.ledger import queries as ledger
from regsys.ledger.models import Payment
from regsys.questions.kinds import Audience
from regsys.questions.models import Answer, Question
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.states import RegistrationState
from regsys.reports.rules import allocate

BATCH = 250
Query = Select[*tuple[Any, ...]]
# Lines that come when a place is given back; before, it cost the sum of the others.
GIVEN_BACK = (LineKind.RETURN, LineKind.KEPT)


@dataclass(frozen=True)
class Filter:
    """What a table or an export shows; an empty field does not narrow. `sort`: a key of SORTS, "-" for descending."""

    event_ids: Sequence[int]
    words: str = ""
    states: Sequence[RegistrationState] = ()
    ticket_type_id: int | None = None
    open_answers: bool = False
    sort: str = "name"


SORTS: dict[str, tuple[Any, ...]] = {
    "name": (func.lower(Registration.last_name), func.lower(Registration.first_name)),
    "state": (Registration.state,),
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
    currency: str
    created_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    answered_at: datetime | None
    note: str
    payer: str
    price: int = 0
    discount: int = 0
    total: int = 0
    paid: int = 0
    refunded: int = 0
    options: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    answers: dict[str, tuple[Question, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name, or nothing for a place that nobody has described yet."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def due(self) -> int:
        """Return what is still to pay of this registration's share."""
        return max(0, self.total - self.paid + self.refunded)


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


def stream_rows(chosen: Filter, audiences: frozenset[Audience]) -> Iterator[list[Row]]:
    """Yield everything in batches and hold no more than one.

    Which registrations belong to it is decided at the start: nobody who comes in meanwhile shifts the others.
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


def list_questions(event_ids: Sequence[int], audiences: frozenset[Audience]) -> list[Question]:
    """List the questions whose answers these audiences may read, each key once with its newest wording, in form order.

    Retired questions stay as long as somebody answered them.
    """
    answered = select(Answer.question_id).where(Answer.question_id == Question.id).exists()
    query = (
        select(Question)
        .where(Question.event_id.in_(event_ids), Question.visible_to.in_(audiences))
        .where(or_(Question.retired_at.is_(None), answered))
        .order_by(Question.event_id, Question.position, Question.version)
    )
    newest: dict[str, Question] = {}
    for question in db.session.scalars(query):
        newest[question.key] = question
    return list(newest.values())


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
        Order.currency,
        r.created_at,
        r.confirmed_at,
        r.ended_at,
        r.answered_at,
        r.note,
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
    escaped = email_key(word).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    r = Registration
    searched = (r.first_name, r.last_name, r.email, r.workplace, r.code, Order.code)
    return or_(*(func.lower(c).like(f"%{escaped}%", escape="\\") for c in searched))


def _sorted(query: Query, sort: str) -> Query:
    keys = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    ordered = [k.desc() for k in keys] if sort.startswith("-") else list(keys)
    return query.order_by(*ordered, Registration.id)


def _complete(query: Query, audiences: frozenset[Audience]) -> list[Row]:
    rows = [Row(**r._mapping) for r in db.session.execute(query)]
    if rows:
        _add_money(rows)
        _add_answers({r.id: r for r in rows}, audiences)
    return rows


def _add_money(rows: list[Row]) -> None:
    order_ids = sorted({r.order_id for r in rows})
    lines = _lines_of(order_ids)
    sums = ledger.sums_of(order_ids)
    methods = _methods_of(order_ids)
    paid: dict[int, int] = {}
    refunded: dict[int, int] = {}
    for order_id in order_ids:
        totals = {r: sum(line.amount for line in own) for r, own in lines[order_id].items()}
        came = {
            r: sum(line.amount for line in own if line.kind not in GIVEN_BACK)
            for r, own in lines[order_id].items()
        }
        paid |= allocate(sums[order_id].paid, came)
        # Money goes back for what was given back first.
        back = {r: came[r] - totals[r] for r in totals}
        refunded |= allocate(sums[order_id].refunded, back)
    for row in rows:
        own = lines[row.order_id].get(row.id, [])
        row.price = sum(line.amount for line in own if line.kind is LineKind.PLACE)
        row.discount = -sum(
            line.amount for line in own if line.kind in (LineKind.DISCOUNT, LineKind.AWARD)
        )
        row.options = [line.reason for line in own if line.kind is LineKind.OPTION]
        row.total = sum(line.amount for line in own)
        row.paid, row.refunded = paid.get(row.id, 0), refunded.get(row.id, 0)
        row.methods = methods.get(row.order_id, [])


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
    """Read only the answers that these audiences may see: what is not loaded cannot leak."""
    question = aliased(Question)
    query = (
        select(Answer, question)
        .join(question, question.id == Answer.question_id)
        .where(Answer.registration_id.in_(rows), question.visible_to.in_(audiences))
    )
    for answer, asked in db.session.execute(query):
        value = answer.sealed if asked.sensitive else answer.value
        rows[answer.registration_id].answers[asked.key] = (asked, value)
