"""Reading the money that needs a person, and what is on its way back."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import aliased, joinedload, selectinload

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger.models import Dispute, Method, Payment, Refund
from regsys.ledger.queries import left_of, list_with_problem, refundable
from regsys.ledger.rules import CLOSED
from regsys.ledger.states import RefundState
from regsys.payments import rules
from regsys.payments.models import PaymentAttempt
from regsys.payments.queries.attempts import Known, get_attempt
from regsys.payments.states import HOLDING, AttemptState
from regsys.registration.models import Order, Registration
from regsys.web.html import Page

Scope = frozenset[int] | None
PAGE_SIZE = 20
WITH_EVENTS = selectinload(Order.registrations).joinedload(Registration.event)
WITH_PAYMENT = joinedload(Refund.payment).options(
    selectinload(Payment.refunds), selectinload(Payment.disputes)
)


@dataclass(frozen=True)
class ProblemRow:
    """A payment that does not count, and what can be given back of it; amounts in minor units."""

    payment: Payment
    order: Order
    left: int


def list_problems(scope: Scope = None) -> list[ProblemRow]:
    """List payments that need a person, oldest first; `scope` keeps orders for these events only, None all."""
    payments = list_with_problem()
    query = (
        select(Order)
        .where(Order.id.in_({p.order_id for p in payments}), all_in(scope))
        .options(WITH_EVENTS)
    )
    orders = {o.id: o for o in db.session.scalars(query)}
    return [ProblemRow(p, orders[p.order_id], left_of(p)) for p in payments if p.order_id in orders]


@dataclass(frozen=True)
class AttemptRow:
    """A payment that should be over and is not, or about which Stripe could not be asked."""

    attempt: PaymentAttempt
    order: Order


def list_attention(scope: Scope = None, *, now: datetime) -> list[AttemptRow]:
    """List open attempts that are past their end, or whose last question to Stripe failed; at most 100."""
    late = (PaymentAttempt.state != AttemptState.PROCESSING) & (
        PaymentAttempt.expires_at <= now - rules.FIRST_ASK
    )
    late |= PaymentAttempt.state_at <= now - rules.BANK_PATIENCE
    return _attempts(late | PaymentAttempt.error.is_not(None), scope)


def list_open(scope: Scope = None) -> list[AttemptRow]:
    """List the attempts that may still bring money, oldest first, at most 100."""
    return _attempts(true(), scope)


def _attempts(which: ColumnElement[bool], scope: Scope) -> list[AttemptRow]:
    query = (
        select(PaymentAttempt, Order)
        .join(Order, Order.id == PaymentAttempt.order_id)
        .where(PaymentAttempt.state.in_(HOLDING), which, _in_scope(scope))
        .order_by(PaymentAttempt.created_at, PaymentAttempt.id)
        .options(WITH_EVENTS)
        .limit(100)
    )
    return [AttemptRow(attempt, order) for attempt, order in db.session.execute(query)]


T = TypeVar("T", Refund, Dispute)


def with_order(kind: type[T]) -> Select[T, Order]:
    """Select refunds or disputes, each with the order whose money it is about."""
    return (
        select(kind, Order)
        .join(Payment, Payment.id == kind.payment_id)
        .join(Order, Order.id == Payment.order_id)
    )


@dataclass(frozen=True)
class RefundRow:
    """A refund and the order whose money it gives back."""

    refund: Refund
    order: Order

    @property
    def by_card(self) -> bool:
        """Tell whether what it was to give back can go back through Stripe."""
        payment = self.refund.payment
        return payment.problem is None and bool(payment.reference) and refundable(payment) > 0


def list_refunds(scope: Scope, number: int) -> Page[RefundRow]:
    """List one page of the refunds, newest first."""
    query = with_order(Refund).where(_in_scope(scope))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    found = db.session.execute(
        query.order_by(Refund.requested_at.desc(), Refund.id.desc())
        .limit(PAGE_SIZE)
        .offset(Page.offset_of(number, PAGE_SIZE))
    )
    return Page([RefundRow(refund, order) for refund, order in found], number, PAGE_SIZE, total)


def list_refunds_to_send(*, livemode: bool, now: datetime) -> list[int]:
    """List refunds that Stripe has not answered within a minute, oldest first.

    Those of money that came with a key of the other mode wait for it.
    """
    waiting = (RefundState.REQUESTED, RefundState.SUBMITTED)
    mine = or_(PaymentAttempt.id.is_(None), PaymentAttempt.livemode == livemode)
    query = (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(PaymentAttempt, PaymentAttempt.id == Payment.attempt_id, isouter=True)
        .where(Refund.state.in_(waiting), Refund.requested_at <= now - rules.ASK_EVERY, mine)
        .order_by(Refund.id)
    )
    return list(db.session.scalars(query))


def list_refunds_of(attempt_id: int) -> list[int]:
    """List the refunds of an attempt's money of which Stripe has not heard yet."""
    query = (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.attempt_id == attempt_id, Refund.state == RefundState.REQUESTED)
        .order_by(Refund.id)
    )
    return list(db.session.scalars(query))


def list_pending_intents(*, now: datetime) -> list[str]:
    """List the payments at Stripe with a refund that has been pending for a while."""
    query = (
        select(Payment.reference)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Refund.state == RefundState.PENDING, Refund.state_at <= now - rules.ASK_BANK_EVERY)
        .distinct()
        .order_by(Payment.reference)
    )
    return [intent for intent in db.session.scalars(query) if intent]


def list_without_fee(*, now: datetime, limit: int = 50) -> list[int]:
    """List attempts whose payment came lately, and whose fee Stripe's books did not say yet."""
    query = (
        select(PaymentAttempt.id)
        .join(Payment, Payment.attempt_id == PaymentAttempt.id)
        .where(Payment.fee.is_(None), PaymentAttempt.session_id.is_not(None))
        .where(Payment.received_at > now - rules.BANK_PATIENCE)
        .order_by(PaymentAttempt.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def find_payment_of(attempt_id: int) -> Payment | None:
    """Find the payment that an attempt brought."""
    return db.session.scalar(select(Payment).where(Payment.attempt_id == attempt_id))


def list_failed_refunds(scope: Scope = None) -> list[RefundRow]:
    """List refunds that failed while their money is still here, and that nobody has repeated; oldest first.

    As they can be given back from there, every event of their order is in the scope.
    """
    other = aliased(Refund)
    counted = other.state != RefundState.FAILED
    same = other.payment_id == Refund.payment_id
    given = select(func.coalesce(func.sum(other.amount), 0)).where(same, counted)
    query = (
        with_order(Refund)
        .where(Refund.state == RefundState.FAILED, Refund.method == Method.CARD, all_in(scope))
        .where(~exists().where(same, counted, other.id > Refund.id))
        .where(given.scalar_subquery() < Payment.amount)
        .order_by(Refund.state_at, Refund.id)
        .options(WITH_EVENTS, WITH_PAYMENT)
        .limit(100)
    )
    return [RefundRow(refund, order) for refund, order in db.session.execute(query)]


@dataclass(frozen=True)
class DisputeRow:
    """A dispute and the order whose payment is contested."""

    dispute: Dispute
    order: Order

    @property
    def is_open(self) -> bool:
        """Tell whether Stripe may still want an answer."""
        return self.dispute.status not in CLOSED


def list_disputes(scope: Scope = None) -> list[DisputeRow]:
    """List disputes of orders for these events, open ones first, the nearest deadline first, at most 50."""
    query = (
        with_order(Dispute)
        .where(_in_scope(scope))
        .order_by(Dispute.status.in_(CLOSED), Dispute.due_by, Dispute.id)
        .options(WITH_EVENTS)
        .limit(50)
    )
    return [DisputeRow(dispute, order) for dispute, order in db.session.execute(query)]


def get_refund_state(refund_id: int) -> RefundState:
    """Get how far a refund has come."""
    return db.session.get_one(Refund, refund_id, populate_existing=True).state


def get_problem(payment_id: int, scope: Scope = None) -> ProblemRow:
    """Get a payment that needs a person, or needed one, if it lies in the scope; raise NotFound.

    It can be given back whole, so every event of its order must be in the scope.
    """
    query = (
        select(Payment, Order)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.id == payment_id, Payment.problem.is_not(None), all_in(scope))
        .options(selectinload(Payment.refunds), WITH_EVENTS)
    )
    found = db.session.execute(query).first()
    if found is None:
        raise NotFound(N_("There is no such payment."))
    payment, order = found
    return ProblemRow(payment, order, left_of(payment))


def get_attempt_in(attempt_id: int, scope: Scope) -> Known:
    """Get an attempt's facts if its order is for an event of the scope; raise NotFound."""
    known = get_attempt(attempt_id)
    order = select(Order.id).where(Order.id == known.order_id, _in_scope(scope))
    if db.session.scalar(order) is None:
        raise NotFound(N_("There is no such payment."))
    return known


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    """Say whether the order of a query is for one of these events; None: any order is."""
    if scope is None:
        return true()
    return exists().where(Registration.order_id == Order.id, Registration.event_id.in_(scope))


def all_in(scope: Scope) -> ColumnElement[bool]:
    """Say whether every event of a query's order is in the scope; one for none is in no narrower one than all."""
    if scope is None:
        return true()
    mine = Registration.order_id == Order.id
    return and_(exists().where(mine), ~exists().where(mine, Registration.event_id.not_in(scope)))
