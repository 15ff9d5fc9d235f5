"""Reading attempts, events, and the money that needs a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, true
from sqlalchemy.orm import selectinload

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger.models import Payment, Refund
from regsys.ledger.queries import left_of, list_with_problem
from regsys.ledger.states import RefundState
from regsys.payments import rules
from regsys.payments.models import PaymentAttempt, StripeEvent
from regsys.payments.states import HOLDING, AttemptState
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState

ENDED = (AttemptState.PAID, AttemptState.EXPIRED, AttemptState.QUARANTINED)
Scope = frozenset[int] | None
WITH_EVENTS = selectinload(Order.registrations).joinedload(Registration.event)


@dataclass(frozen=True)
class Known:
    """An attempt as plain facts: they stay readable while Stripe is asked and no transaction is open."""

    id: int
    order_id: int
    state: AttemptState
    session_id: str | None
    url: str | None
    tag: str
    amount: int
    currency: str
    livemode: bool
    created_at: datetime
    expires_at: datetime
    asked_at: datetime | None


def _known(attempt: PaymentAttempt | None) -> Known | None:
    if attempt is None:
        return None
    return Known(
        attempt.id,
        attempt.order_id,
        attempt.state,
        attempt.session_id,
        attempt.url,
        attempt.key,
        attempt.amount,
        attempt.currency,
        attempt.livemode,
        attempt.created_at,
        attempt.expires_at,
        attempt.asked_at,
    )


def get_attempt(attempt_id: int) -> Known:
    """Get an attempt's facts; raise NotFound."""
    known = _known(db.session.get(PaymentAttempt, attempt_id, populate_existing=True))
    if known is None:
        raise NotFound(N_("There is no such payment."))
    return known


def get_params(attempt_id: int) -> dict[str, Any]:
    """Get the parameters with which an attempt asks Stripe, byte for byte."""
    return db.session.get_one(PaymentAttempt, attempt_id).params


def find_by_session(session_id: str) -> Known | None:
    """Find the attempt to which a session belongs."""
    return _known(_attempt(PaymentAttempt.session_id == session_id))


def find_by_tag(tag: str) -> Known | None:
    """Find the attempt whose mark a session bears."""
    return _known(_attempt(PaymentAttempt.key == tag))


def _attempt(which: ColumnElement[bool]) -> PaymentAttempt | None:
    return db.session.scalar(
        select(PaymentAttempt).where(which), execution_options={"populate_existing": True}
    )


def find_holding(order_id: int) -> PaymentAttempt | None:
    """Find the one attempt that may still bring money for an order."""
    return _attempt(
        (PaymentAttempt.order_id == order_id) & PaymentAttempt.state.in_(HOLDING),
    )


def list_awaiting(order_id: int) -> list[int]:
    """List the registrations of an order that wait for its money."""
    query = select(Registration.id).where(
        Registration.order_id == order_id,
        Registration.state == RegistrationState.AWAITING_PAYMENT,
    )
    return list(db.session.scalars(query))


def list_to_ask(*, livemode: bool, now: datetime, limit: int = 100) -> list[int]:
    """List attempts about which Stripe is asked now, those first that were not asked for longest.

    Attempts made with a key of the other mode are asked only after their end: then they are given up.
    """
    last = func.coalesce(PaymentAttempt.asked_at, PaymentAttempt.created_at)
    query = (
        select(PaymentAttempt)
        .where(
            PaymentAttempt.state.in_(HOLDING), PaymentAttempt.created_at <= now - rules.FIRST_ASK
        )
        .where((PaymentAttempt.livemode == livemode) | (PaymentAttempt.expires_at <= now))
        .order_by(last, PaymentAttempt.id)
        .limit(limit)
    )
    due = [a for a in db.session.scalars(query) if rules.ask_due(a.created_at, a.asked_at, now)]
    return [a.id for a in due]


# ---- events ----


def find_event(event_id: str) -> StripeEvent | None:
    """Find an event that came in."""
    return db.session.get(StripeEvent, event_id, populate_existing=True)


def list_due_events(*, now: datetime, limit: int = 100) -> list[str]:
    """List events that came in and whose effects are still to be made."""
    query = (
        select(StripeEvent)
        .where(StripeEvent.processed_at.is_(None))
        .order_by(StripeEvent.received_at)
        .limit(limit)
    )
    waiting = db.session.scalars(query)
    return [e.id for e in waiting if rules.event_due(e.received_at, e.tries, now)]


def list_failed_events(limit: int = 20) -> list[StripeEvent]:
    """List events that could not be processed so far, oldest first."""
    query = (
        select(StripeEvent)
        .where(StripeEvent.processed_at.is_(None), StripeEvent.tries > 0)
        .order_by(StripeEvent.received_at)
        .limit(limit)
    )
    return list(db.session.scalars(query))


@dataclass(frozen=True)
class Webhooks:
    """How Stripe's messages arrive. `silent`: they should have come, and did not."""

    last_at: datetime | None
    last_type: str | None
    silent: bool

    def age(self, now: datetime) -> timedelta | None:
        """Return how long ago the last message came; None: never."""
        return now - self.last_at if self.last_at else None


def webhooks(now: datetime) -> Webhooks:
    """Tell when Stripe's last message came and whether they are missing."""
    newest = select(StripeEvent).order_by(StripeEvent.received_at.desc()).limit(1)
    last = db.session.scalar(newest)
    ended = select(func.max(PaymentAttempt.state_at)).where(
        PaymentAttempt.state.in_(ENDED), PaymentAttempt.session_id.is_not(None)
    )
    last_at = last.received_at if last else None
    silent = rules.is_silent(last_at, db.session.scalar(ended), now)
    return Webhooks(last_at, last.type if last else None, silent)


def last_event_age(now: datetime) -> timedelta | None:
    """Return how long ago Stripe's last message came; None: never."""
    return webhooks(now).age(now)


# ---- what needs a person ----


@dataclass(frozen=True)
class ProblemRow:
    """A payment that does not count, and what can be given back of it; amounts in minor units."""

    payment: Payment
    order: Order
    left: int


def list_problems(scope: Scope = None) -> list[ProblemRow]:
    """List payments that need a person, oldest first; `scope` keeps orders for these events, None all."""
    payments = list_with_problem()
    query = (
        select(Order)
        .where(Order.id.in_({p.order_id for p in payments}), _in_scope(scope))
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
    late = PaymentAttempt.expires_at <= now - rules.FIRST_ASK
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


@dataclass(frozen=True)
class RefundRow:
    """A refund and the order whose money it gives back."""

    refund: Refund
    order: Order


def list_refunds(scope: Scope = None) -> list[RefundRow]:
    """List refunds, newest first, at most 50."""
    query = (
        select(Refund, Order)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(_in_scope(scope))
        .order_by(Refund.requested_at.desc(), Refund.id.desc())
        .limit(50)
    )
    return [RefundRow(refund, order) for refund, order in db.session.execute(query)]


def list_refunds_to_send(*, now: datetime) -> list[int]:
    """List refunds that Stripe has not answered within a minute, oldest first."""
    waiting = (RefundState.REQUESTED, RefundState.SUBMITTED)
    query = (
        select(Refund.id)
        .where(Refund.state.in_(waiting), Refund.requested_at <= now - rules.ASK_EVERY)
        .order_by(Refund.id)
    )
    return list(db.session.scalars(query))


def get_refund_state(refund_id: int) -> RefundState:
    """Get how far a refund has come."""
    return db.session.get_one(Refund, refund_id, populate_existing=True).state


def get_problem(payment_id: int, scope: Scope = None) -> ProblemRow:
    """Get a payment that needs a person, or needed one, if it lies in the scope; raise NotFound."""
    query = (
        select(Payment, Order)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.id == payment_id, Payment.problem.is_not(None), _in_scope(scope))
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
