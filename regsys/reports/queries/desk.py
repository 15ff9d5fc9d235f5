"""One registration with everything that happened to it, and what anybody did."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import joinedload

from regsys.audit.models import AuditEntry
from regsys.events.models import Event, TicketType
from regsys.kernel.db import db
from regsys.ledger.models import Document, Payment
from regsys.ledger.queries import corrected_ids, documents_of, payments_of
from regsys.ledger.rules import Balance
from regsys.outbox.models import Message
from regsys.payments.models import PaymentAttempt
from regsys.questions.kinds import Audience
from regsys.questions.models import Answer, Question
from regsys.questions.queries import list_readable_answers, list_readable_questions
from regsys.registration.models import LineKind, OrderLine, Registration
from regsys.registration.queries import due, list_ends, list_lines
from regsys.registration.states import LIVE
from regsys.reports.queries.overview import Scope
from regsys.reports.queries.rows import Row, get_row

AUDIT_PAGE = 50
TAKEN_OUT = ("registrations.exported", "roster.exported", "sheet.exported")
MOST_TAKEN_OUT = 10


@dataclass(frozen=True)
class Sheet:
    """What stands around one registration. `until`: when its hold ends; only where `holding`."""

    lines: Sequence[OrderLine]
    balance: Balance
    payments: Sequence[Payment]
    attempts: Sequence[PaymentAttempt]
    letters: Sequence[Message]
    history: Sequence[AuditEntry]
    companions: Sequence[Registration]
    holding: bool
    until: datetime | None
    papers: Sequence[Document]
    # Ids of those papers that were taken back as a whole.
    void: Collection[int]


def get_sheet(registration: Registration, *, now: datetime) -> Sheet:
    """Read everything that stands around a registration."""
    order_id = registration.order_id
    ends = list_ends([registration.id], now=now)
    papers = documents_of([order_id])
    return Sheet(
        [line for line in list_lines(order_id) if line.registration_id == registration.id],
        due(order_id),
        payments_of([order_id]),
        _list_attempts(order_id),
        _list_letters(registration),
        list_history(registration),
        _list_companions(registration),
        registration.id in ends,
        ends.get(registration.id),
        papers,
        corrected_ids(papers),
    )


def _list_attempts(order_id: int) -> list[PaymentAttempt]:
    query = select(PaymentAttempt).where(PaymentAttempt.order_id == order_id)
    return list(db.session.scalars(query.order_by(PaymentAttempt.id)))


def _list_letters(registration: Registration) -> list[Message]:
    """List the letters to this person, and those about the whole order."""
    about_order = and_(Message.order_id == registration.order_id, Message.registration_id.is_(None))
    query = select(Message).where(or_(Message.registration_id == registration.id, about_order))
    return list(db.session.scalars(query.order_by(Message.created_at, Message.id)))


def _list_companions(registration: Registration) -> list[Registration]:
    query = (
        select(Registration)
        .where(Registration.order_id == registration.order_id, Registration.id != registration.id)
        .options(joinedload(Registration.event))
        .order_by(Registration.id)
    )
    return list(db.session.scalars(query))


def list_history(registration: Registration, *, newest: int | None = None) -> list[AuditEntry]:
    """List what happened to a registration and to its order, the oldest first; `newest`: only so many, the last."""
    mine = and_(AuditEntry.subject_kind == "registration", AuditEntry.subject_id == registration.id)
    of_order = and_(
        AuditEntry.order_id == registration.order_id, AuditEntry.subject_kind != "registration"
    )
    order_itself = and_(
        AuditEntry.subject_kind == "order", AuditEntry.subject_id == registration.order_id
    )
    query = (
        select(AuditEntry)
        .where(or_(mine, of_order, order_itself))
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(newest)
    )
    return list(db.session.scalars(query))[::-1]


def list_code_uses(code_id: int, scope: Scope) -> list[tuple[Registration, int]]:
    """List whose price a code lowers, with how much (minor units), the latest first."""
    off = (
        select(func.coalesce(func.sum(OrderLine.amount), 0))
        .where(
            OrderLine.registration_id == Registration.id,
            OrderLine.kind == LineKind.DISCOUNT,
        )
        .scalar_subquery()
    )
    query = (
        select(Registration, off)
        .where(Registration.code_id == code_id, Registration.state.in_(LIVE))
        .options(joinedload(Registration.event))
        .order_by(Registration.created_at.desc(), Registration.id)
    )
    if scope is not None:
        query = query.where(Registration.event_id.in_(scope))
    return [(r, -int(n)) for r, n in db.session.execute(query)]


@dataclass(frozen=True)
class Form:
    """The answers that somebody may read; `sensitive` are the questions whose answers were not asked for."""

    answers: Sequence[tuple[Question, Answer | None]]
    sensitive: Sequence[Question]


def get_form(
    registration: Registration, audiences: Collection[Audience], *, sensitive: bool
) -> Form:
    """Read a person's answers; sensitive ones are read only where they are asked for."""
    questions = list_readable_questions([registration.event_id], audiences)
    found = list_readable_answers([registration.id], audiences, sensitive=sensitive)
    answers = found[registration.id]
    shown = [q for q in questions if sensitive or not q.sensitive]
    asked = [
        (answers[q.key].question if q.key in answers else q, answers.get(q.key)) for q in shown
    ]
    return Form(asked, [q for q in questions if q.sensitive])


@dataclass(frozen=True)
class Glance:
    """One registration in short, beside the list."""

    row: Row
    answers: Sequence[tuple[Question, Answer | None]]
    history: Sequence[AuditEntry]


def find_glance(
    registration_id: int | None, *, event_id: int, audiences: Collection[Audience]
) -> Glance | None:
    """Find one registration of an event in short; None where none is asked for, or there is none."""
    if registration_id is None:
        return None
    query = select(Registration).where(
        Registration.id == registration_id, Registration.event_id == event_id
    )
    registration = db.session.scalar(query)
    if registration is None:
        return None
    form = get_form(registration, audiences, sensitive=False)
    return Glance(
        get_row(registration_id, event_id=event_id),
        [(q, a) for q, a in form.answers if a is not None][:6],
        list_history(registration, newest=5),
    )


def list_ticket_types(event_ids: Collection[int]) -> list[TicketType]:
    """List the ticket types of these events."""
    query = select(TicketType).where(TicketType.event_id.in_(event_ids))
    return list(
        db.session.scalars(query.order_by(TicketType.event_id, TicketType.position, TicketType.id))
    )


# ---- what anybody did


@dataclass(frozen=True)
class Deed:
    """One entry of the audit, with the event and the registration that it is about."""

    entry: AuditEntry
    event: str | None
    registration: Registration | None


def count_audit(scope: Scope, event_id: int | None) -> int:
    """Count the entries about these events."""
    query = select(func.count(AuditEntry.id)).where(*_about(scope, event_id))
    return db.session.scalar(query) or 0


def list_audit(scope: Scope, event_id: int | None, *, offset: int) -> list[Deed]:
    """List a page of entries about these events, the newest first."""
    query = (
        select(AuditEntry)
        .where(*_about(scope, event_id))
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .offset(offset)
        .limit(AUDIT_PAGE)
    )
    entries = list(db.session.scalars(query))
    ids = [e.subject_id for e in entries if e.subject_kind == "registration"]
    people = {
        r.id: r for r in db.session.scalars(select(Registration).where(Registration.id.in_(ids)))
    }
    wanted = select(Event.id, Event.title).where(Event.id.in_({e.event_id for e in entries}))
    titles = {row.id: row.title for row in db.session.execute(wanted)}
    return [
        Deed(
            e,
            titles.get(e.event_id or 0),
            people.get(e.subject_id) if e.subject_kind == "registration" else None,
        )
        for e in entries
    ]


def _about(scope: Scope, event_id: int | None) -> list[ColumnElement[bool]]:
    inside = true() if scope is None else _of_events(scope)
    # Who asked for help with the fee, and what was decided, is known to the committee only.
    known = AuditEntry.subject_kind != "aid_request"
    return [inside, known, _of_events({event_id})] if event_id else [inside, known]


def _of_events(event_ids: Collection[int]) -> ColumnElement[bool]:
    """Say that an entry is about one of these events, or about an order for it: money knows its order only."""
    orders = select(Registration.order_id).where(Registration.event_id.in_(event_ids))
    of_order = and_(AuditEntry.event_id.is_(None), AuditEntry.order_id.in_(orders))
    return or_(AuditEntry.event_id.in_(event_ids), of_order)


def list_taken_out(event_id: int) -> list[AuditEntry]:
    """List the last lists of an event that somebody took out, the newest first."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.event_id == event_id, AuditEntry.action.in_(TAKEN_OUT))
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(MOST_TAKEN_OUT)
    )
    return list(db.session.scalars(query))
