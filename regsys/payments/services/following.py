"""Refunds and disputes follow what Stripe says of them: forward only, and any number of times."""

import logging
from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel import money
from regsys.kernel.actors import STRIPE, Actor
from regsys.kernel.db import db, lock_rows
from regsys.ledger import queries as ledger_queries
from regsys.ledger import services as ledger
from regsys.ledger.models import Payment, Refund
from regsys.ledger.services import Contested
from regsys.ledger.states import RefundState
from regsys.payments import mail, rules
from regsys.payments.services.inbox import mark_event
from regsys.payments.services.refunding import key_of
from regsys.payments.shapes import StripeDispute, StripeRefund
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.models import Order

log = logging.getLogger(__name__)


def apply_refunds(
    payment_id: int, refunds: Sequence[StripeRefund], *, now: datetime, event_id: str | None = None
) -> None:
    """Let our refunds of a payment follow Stripe's; those that we do not know were made in its dashboard."""
    payment = _lock(payment_id)
    for told in reversed(refunds):
        known = next((r for r in payment.refunds if _is_same(r, told, payment)), None)
        state = rules.refund_state(told.status)
        if known:
            finish_refund(
                known.id, state, actor=STRIPE, now=now, stripe_id=told.id, error=told.reason
            )
            continue
        over = registrations.due(payment.order_id).over
        made = ledger.import_refund(
            payment.id,
            stripe_id=told.id,
            state=state,
            amount=money.from_stripe(told.amount, payment.currency),
            reason=_("Made in Stripe’s dashboard"),
            error=told.reason,
            now=now,
        )
        if state is RefundState.FAILED:
            _alert(made, now=now)
        elif payment.problem is None and made.amount > over:
            # As where it is given back here: nobody is asked to pay it again.
            registration.lower_price(payment.order_id, None, made.amount - over)
    if event_id:
        mark_event(event_id, "refund", now=now)
    db.session.flush()


def _lock(payment_id: int) -> Payment:
    """Lock the order, then the payment, and read its refunds."""
    order_id = db.session.get_one(Payment, payment_id).order_id
    lock_rows(Order, [order_id])
    payment = lock_rows(Payment, [payment_id])[0]
    db.session.refresh(payment, ["refunds", "disputes"])
    return payment


def _is_same(ours: Refund, told: StripeRefund, payment: Payment) -> bool:
    if ours.stripe_id:
        return ours.stripe_id == told.id
    return bool(told.tag) and told.tag == key_of(ours, payment.reference or "")


def finish_refund(
    refund_id: int,
    state: RefundState,
    *,
    actor: Actor,
    now: datetime,
    stripe_id: str | None = None,
    error: str = "",
) -> None:
    """Note how far a refund has come; one that fails opens its amount again and alerts the organizers."""
    refund = db.session.get_one(Refund, refund_id, populate_existing=True)
    before = refund.state
    ledger.move_refund(refund_id, state, actor=actor, now=now, stripe_id=stripe_id, error=error)
    if refund.state is RefundState.FAILED and before is not RefundState.FAILED:
        _alert(refund, now=now)


def _alert(refund: Refund, *, now: datetime) -> None:
    db.session.refresh(refund.payment, ["refunds"])
    if ledger_queries.left_of(refund.payment) <= 0:
        return
    log.error("refund %s of payment %s failed: %s", refund.id, refund.payment_id, refund.error)
    why = rules.REFUND_SAYS.get(refund.error)
    order = registrations.get_order(refund.payment.order_id)
    mail.send_refund_failed(order, refund, why=_(why) if why else refund.error, now=now)


def apply_dispute(
    payment_id: int, told: StripeDispute, *, now: datetime, event_id: str | None = None
) -> None:
    """Write down what Stripe says of a dispute; nobody loses a place by it."""
    _lock(payment_id)
    said = Contested(
        stripe_id=told.id,
        status=told.status,
        reason=told.reason,
        amount=money.from_stripe(told.amount, told.currency),
        currency=told.currency,
        refundable=told.refundable,
        due_by=told.due_by,
        opened_at=told.opened_at,
    )
    ledger.record_dispute(payment_id, said, now=now)
    if event_id:
        mark_event(event_id, "dispute", now=now)
    db.session.flush()
