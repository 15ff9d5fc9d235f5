"""Money that goes back: asking Stripe for it, and writing down what was done in Stripe's dashboard.

This counts as a door, as `settle` does, whose back half it is. Stripe is always asked with no transaction open.
"""

import logging

from regsys.kernel import clock, killpoints
from regsys.kernel.actors import STRIPE, Actor
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW
from regsys.ledger.queries import find_by_reference
from regsys.ledger.states import RefundState
from regsys.payments import gateway, queries, rules, services
from regsys.payments.gateway import Missing, Rejected
from regsys.payments.shapes import StripeRefund

log = logging.getLogger(__name__)


def execute_refund(refund_id: int, *, actor: Actor = STRIPE) -> RefundState:
    """Ask Stripe for a refund that is written down; the same refund is never made twice. Raises UpstreamFailed."""
    killpoints.reach("refund-requested")
    with transaction():
        order = services.submit_refund(refund_id, actor=actor, now=clock.now())
    if order is None:
        return queries.get_refund_state(refund_id)
    try:
        answer = _refund_once(order)
        state, said, stripe_id = rules.refund_state(answer.status), answer.reason, answer.id
    except Rejected as e:
        log.error("Stripe rejected refund %s: %s (%s)", refund_id, e.said, e.code)
        state, said, stripe_id = RefundState.FAILED, e.said, ""
    killpoints.reach("refund-made")
    with transaction():
        services.finish_refund(
            refund_id, state, actor=actor, now=clock.now(), stripe_id=stripe_id, error=said
        )
    return queries.get_refund_state(refund_id)


def _refund_once(order: services.RefundOrder) -> StripeRefund:
    """Make the refund, or find the one that an earlier call has made and never heard of."""
    found = None
    if rules.must_look_first(order.requested_at, clock.now()):
        found = _find_refund(order)
    try:
        return found or gateway.create_refund(
            order.payment_intent, order.amount, key=order.key, metadata=order.metadata
        )
    except Rejected:
        found = _find_refund(order)
        if found:
            return found
        raise


def _find_refund(order: services.RefundOrder) -> StripeRefund | None:
    refunds = gateway.list_refunds(order.payment_intent)
    return next((r for r in refunds if r.tag == order.key), None)


def give_back(attempt_id: int, *, actor: Actor = STRIPE) -> None:
    """Carry out what was asked for when an attempt's money turned out to be too much; the poller does what fails."""
    for refund_id in queries.list_refunds_of(attempt_id):
        try:
            execute_refund(refund_id, actor=actor)
        except NOT_NOW as e:
            log.warning("refund %s is tried again later: %s", refund_id, e)


def import_refunds(payment_intent: str, *, event_id: str | None = None) -> bool:
    """Write down every refund that Stripe has of a payment; return False where the payment is not in our books."""
    payment = find_by_reference(payment_intent, None)
    if payment is None:
        return False
    payment_id = payment.id
    refunds = gateway.list_refunds(payment_intent)
    with transaction():
        services.apply_refunds(payment_id, refunds, now=clock.now(), event_id=event_id)
    return True


def import_refund(refund: StripeRefund, *, event_id: str | None = None) -> bool:
    """Write down one refund; return False where its payment is not in our books."""
    payment = find_by_reference(refund.payment_intent, refund.charge)
    if payment is None:
        return False
    payment_id = payment.id
    with transaction():
        services.apply_refunds(payment_id, [refund], now=clock.now(), event_id=event_id)
    return True


def import_dispute(dispute_id: str, *, event_id: str | None = None) -> bool:
    """Write down a dispute as it is now; return False where its payment is not in our books."""
    try:
        told = gateway.retrieve_dispute(dispute_id)
    except Missing:
        return False
    payment = find_by_reference(told.payment_intent, told.charge)
    if payment is None:
        return False
    payment_id = payment.id
    with transaction():
        services.apply_dispute(payment_id, told, now=clock.now(), event_id=event_id)
    return True


def follow(kind: str, object_id: str, *, event_id: str) -> str | None:
    """Let refunds or disputes follow an event; return the payment that our books lack, nothing where all is done."""
    try:
        if kind.startswith("charge.dispute."):
            known = import_dispute(object_id, event_id=event_id)
            return None if known else gateway.retrieve_dispute(object_id).payment_intent or ""
        if object_id.startswith("ch_"):
            intent = gateway.find_intent(object_id) or ""
            return None if import_refunds(intent, event_id=event_id) else intent
        refund = gateway.retrieve_refund(object_id)
        known = import_refund(refund, event_id=event_id)
        return None if known else refund.payment_intent or ""
    except Missing:
        return ""


def find_tag(payment_intent: str) -> str | None:
    """Return our mark on a payment that is not in our books: its events may have come before its session's."""
    try:
        return gateway.find_tag(payment_intent)
    except Missing:
        return None
