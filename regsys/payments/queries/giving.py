"""Reading what can be given back, and how far an event that is called off has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import selectinload

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_, whole_number
from regsys.ledger.models import Method, Payment, Refund
from regsys.ledger.queries import left_of, payments_of, refundable, sums_in
from regsys.ledger.states import RefundState
from regsys.outbox.models import Message
from regsys.payments import rules
from regsys.payments.models import Cancellation, PaymentAttempt
from regsys.payments.queries.money import (
    PAGE_SIZE,
    WITH_EVENTS,
    RefundRow,
    Scope,
    all_in,
    list_failed_refunds,
)
from regsys.payments.rules import Ways
from regsys.payments.states import HOLDING
from regsys.registration.models import Order, OrderLine, Registration
from regsys.registration.queries import costs_of, due, get_registration, totals_of
from regsys.registration.states import LIVE, UNPAID
from regsys.registration.states import RegistrationState as S
from regsys.web.html import Page

UNSENT = (RefundState.REQUESTED, RefundState.SUBMITTED)


def list_card_payments(order_id: int) -> list[Payment]:
    """List an order's payments that came by card and count as paid, with refunds and disputes, oldest first."""
    query = (
        select(Payment)
        .where(Payment.order_id == order_id, Payment.problem.is_(None))
        .where(Payment.method == Method.CARD, Payment.reference.is_not(None))
        .options(selectinload(Payment.refunds), selectinload(Payment.disputes))
        .order_by(Payment.id)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query))


@dataclass(frozen=True)
class Backing:
    """What can be given back of an order: `most` in all, `suggested` for the person; amounts in minor units."""

    order: Order
    payments: Sequence[Payment]
    most: int
    suggested: int
    registration: Registration | None = None


class Seen(NamedTuple):
    """How an order stands in money for whoever gives some back: its newest refund, and what is paid too much."""

    refund: int
    over: int

    def __str__(self) -> str:
        return f"{self.refund}-{self.over}"

    @classmethod
    def read(cls, typed: str) -> "Seen":
        """Read what was sent with a form; anything else is a state in which no order is."""
        parts = [whole_number(part) for part in typed.split("-")]
        return cls(parts[0] or 0, parts[1] or 0) if len(parts) == 2 else cls(0, -1)


def see_money(order_id: int) -> Seen:
    """Return how an order stands in money now."""
    return Seen(max((r.id for r in list_refunds_in(order_id)), default=0), due(order_id).over)


def list_refunds_in(order_id: int) -> list[Refund]:
    """List the refunds of all payments of an order, also of those that came by hand, the oldest first."""
    query = select(Refund).join(Payment, Payment.id == Refund.payment_id).order_by(Refund.id)
    return list(db.session.scalars(query.where(Payment.order_id == order_id)))


def get_backing_of_payment(payment_id: int, scope: Scope) -> Backing:
    """Get what can be given back of one payment; raise NotFound where not every event of its order is in the scope."""
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise NotFound(N_("There is no such payment."))
    order = get_order(payment.order_id)
    mine = [p for p in list_card_payments(order.id) if p.id == payment_id]
    if not mine or not is_all_in(order, scope):
        raise NotFound(N_("There is no such payment."))
    most = refundable(mine[0])
    return Backing(order, mine, most, most)


def get_backing_of_person(registration_id: int, *, event_id: int, scope: Scope) -> Backing:
    """Get what can be given back for one person; raise NotFound.

    Where the order is also for events out of the scope, that is at most what this person's place costs.
    """
    r = get_registration(registration_id, event_id=event_id)
    order = get_order(r.order_id)
    payments = list_card_payments(order.id)
    left = sum(refundable(p) for p in payments)
    cost = min(left, max(0, costs_of([r.id])[r.id]))
    most = left if is_all_in(order, scope) else cost
    return Backing(order, payments, most, cost, r)


def get_order(order_id: int) -> Order:
    """Get an order with its people and their events."""
    return db.session.scalars(select(Order).where(Order.id == order_id).options(WITH_EVENTS)).one()


def is_all_in(order: Order, scope: Scope) -> bool:
    """Tell whether every event of an order is in the scope; one that is for none is in no narrower one than all."""
    events = {r.event_id for r in order.registrations}
    return scope is None or (bool(events) and events <= scope)


@dataclass(frozen=True)
class PaymentRow:
    """A payment that counts, and its order."""

    payment: Payment
    order: Order
    left: int


def list_payments(scope: Scope, number: int) -> Page[PaymentRow]:
    """List one page of the payments by card that count, newest first; `scope`: orders for these events, None all."""
    query = (
        select(Payment, Order)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.problem.is_(None), Payment.method == Method.CARD)
        .where(Payment.reference.is_not(None), all_in(scope))
    )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    found = db.session.execute(
        query.options(selectinload(Payment.refunds), selectinload(Payment.disputes), WITH_EVENTS)
        .order_by(Payment.received_at.desc(), Payment.id.desc())
        .limit(PAGE_SIZE)
        .offset(Page.offset_of(number, PAGE_SIZE))
    )
    rows = [PaymentRow(p, o, refundable(p)) for p, o in found]
    return Page(rows, number, PAGE_SIZE, total)


# ---- an event that is called off


def find_cancellation(event_id: int) -> Cancellation | None:
    """Find what is written down about an event that is called off with people in it."""
    return db.session.get(Cancellation, event_id, populate_existing=True)


def list_called_off() -> list[int]:
    """List events that are called off and in which somebody is still to be told or repaid."""
    live = exists().where(_live(Cancellation.event_id))
    query = select(Cancellation.event_id).where(or_(Cancellation.finished_at.is_(None), live))
    return list(db.session.scalars(query.order_by(Cancellation.event_id)))


def _live(event_id: object) -> ColumnElement[bool]:
    return and_(Registration.event_id == event_id, Registration.state.in_(LIVE))


def list_orders_to_cancel(event_id: int) -> list[int]:
    """List orders with somebody in an event whose registration has not ended."""
    query = select(Registration.order_id).where(_live(event_id)).distinct()
    return list(db.session.scalars(query.order_by(Registration.order_id)))


def list_refunds_to_make(event_id: int) -> list[int]:
    """List refunds for people of an event that Stripe has not answered."""
    query = (
        select(Refund.id)
        .join(Registration, Registration.id == Refund.registration_id)
        .where(Registration.event_id == event_id, Refund.state.in_(UNSENT))
        .order_by(Refund.id)
    )
    return list(db.session.scalars(query))


@dataclass(frozen=True)
class Outlook:
    """What calling an event off will do.

    `back`: how what was paid goes back; `aside`: how many payments stay set aside; `letters`: to how many people.
    """

    confirmed: int
    waiting: int
    orders: int
    paying: int
    back: Ways
    aside: int
    letters: int

    @property
    def people(self) -> int:
        return self.confirmed + self.waiting


def get_outlook(event_id: int) -> Outlook:
    """Foresee what calling an event off will do, in a constant number of queries."""
    query = select(Registration).where(_live(event_id)).order_by(Registration.id)
    people = list(db.session.scalars(query))
    order_ids = sorted({r.order_id for r in people})
    paying = select(func.count()).where(
        PaymentAttempt.order_id.in_(order_ids), PaymentAttempt.state.in_(HOLDING)
    )
    confirmed = sum(1 for r in people if r.state is S.CONFIRMED)
    payments = payments_of(order_ids)
    return Outlook(
        confirmed=confirmed,
        waiting=len(people) - confirmed,
        orders=len(order_ids),
        paying=db.session.scalar(paying) or 0,
        back=_foresee(event_id, order_ids, payments),
        aside=sum(1 for p in payments if p.problem and left_of(p) > 0),
        letters=sum(1 for r in people if r.email),
    )


def _foresee(event_id: int, order_ids: Sequence[int], payments: Sequence[Payment]) -> Ways:
    here = select(Registration.id).where(_live(event_id)).correlate(None)
    # A move that is not paid yet ends with the place that it begins from.
    begun = and_(Registration.state.in_(UNPAID), Registration.moved_from_id.in_(here))
    mine = (
        select(OrderLine.order_id, func.sum(OrderLine.amount))
        .join(Registration, Registration.id == OrderLine.registration_id)
        .where(or_(_live(event_id), begun), OrderLine.order_id.in_(order_ids))
        .group_by(OrderLine.order_id)
    )
    goes = {o: int(n) for o, n in db.session.execute(mine)}
    totals, came = totals_of(order_ids), group(payments)
    ways = (ways_back(came.get(o, ()), totals[o] - goes.get(o, 0)) for o in order_ids)
    return sum(ways, Ways())


def group(payments: Sequence[Payment]) -> dict[int, list[Payment]]:
    """Sort payments by their order."""
    found: dict[int, list[Payment]] = {}
    for payment in payments:
        found.setdefault(payment.order_id, []).append(payment)
    return found


def ways_back(payments: Sequence[Payment], price: int) -> Ways:
    """Tell how what an order has above this price goes back; its payments are loaded with refunds and disputes."""
    sums = sums_in(payments)
    cards = [p for p in payments if p.problem is None and is_by_card(p)]
    by_card = sum(refundable(p) for p in cards)
    return rules.divide(sums.paid - sums.refunded - price, by_card=by_card, contested=sums.disputed)


def is_by_card(payment: Payment) -> bool:
    """Tell whether Stripe can give a payment back."""
    return payment.method is Method.CARD and bool(payment.reference)


@dataclass(frozen=True)
class Progress:
    """How far an event that is called off has come; `amounts` in minor units and `counts`, by a refund's state."""

    cancellation: Cancellation
    left: int
    done: int
    letters: int
    counts: dict[RefundState, int]
    amounts: dict[RefundState, int]
    failed: Sequence[RefundRow]

    @property
    def total(self) -> int:
        return self.left + self.done

    @property
    def unsent(self) -> int:
        return sum(self.counts.get(s, 0) for s in UNSENT)


def get_progress(cancellation: Cancellation) -> Progress:
    """Count how far it has come, from registrations, refunds and letters."""
    event_id, since = cancellation.event_id, cancellation.requested_at
    ended = and_(
        Registration.event_id == event_id,
        Registration.state == S.CANCELLED,
        Registration.ended_at >= since,
    )
    by_state = (
        select(Refund.state, func.count(), func.sum(Refund.amount))
        .where(_of_event(event_id, since))
        .join(Registration, Registration.id == Refund.registration_id)
        .group_by(Refund.state)
    )
    rows = [(s, n, int(amount)) for s, n, amount in db.session.execute(by_state)]
    return Progress(
        cancellation,
        _count(Registration, _live(event_id)),
        _count(Registration, ended),
        _count(Message, and_(Message.event_id == event_id, Message.kind == "event_cancelled")),
        {s: n for s, n, _ in rows},
        {s: amount for s, _, amount in rows},
        _list_failed(event_id, since),
    )


def _of_event(event_id: int, since: datetime) -> ColumnElement[bool]:
    return and_(Registration.event_id == event_id, Refund.requested_at >= since)


def _count(model: type[Registration] | type[Message], which: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(which)) or 0


def _list_failed(event_id: int, since: datetime) -> list[RefundRow]:
    failed = list_failed_refunds(frozenset({event_id}))
    return [row for row in failed if row.refund.requested_at >= since]
