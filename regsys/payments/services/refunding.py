"""What Stripe is asked for when money goes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from regsys.kernel import money
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused, UpstreamFailed
from regsys.kernel.text import N_
from regsys.ledger import services as ledger
from regsys.ledger.models import Method, Payment, Refund
from regsys.ledger.queries import get_payment
from regsys.ledger.states import RefundState
from regsys.payments import rules
from regsys.payments.models import PaymentAttempt
from regsys.web.urls import settings

_NO_KEY = N_(
    "Stripe’s key is missing, or is not the one with which this was paid; the refund waits."
)


@dataclass(frozen=True)
class RefundOrder:
    """What Stripe is asked for one refund row; the amount in Stripe's units."""

    payment_intent: str
    amount: int
    key: str
    metadata: Mapping[str, str]
    requested_at: datetime


def request_full_refund(payment_id: int, *, reason: str, actor: Actor, now: datetime) -> Refund:
    """Write down that a card payment is to be given back in full; a second click gets the same refund."""
    _check_card(get_payment(payment_id))
    return ledger.refund_whole(payment_id, reason=reason, actor=actor, now=now)


def _check_card(payment: Payment) -> str:
    """Return the payment's id at Stripe; raise Refused if it did not come through Stripe."""
    if payment.method is not Method.CARD or not payment.reference:
        raise Refused(
            Refusal("NotByCard", N_("Only what was paid by card can be given back by Stripe."))
        )
    return payment.reference


def key_of(refund: Refund, payment_intent: str) -> str:
    """Return the idempotency key and mark of a refund; the intent keeps two installations on one account apart."""
    return f"refund-{refund.id}-{payment_intent}"


def _has_key(payment: Payment) -> bool:
    known = settings()
    attempt = db.session.get(PaymentAttempt, payment.attempt_id) if payment.attempt_id else None
    return bool(known.STRIPE_SECRET_KEY) and (attempt is None or attempt.livemode is known.livemode)


def submit_refund(refund_id: int, *, actor: Actor, now: datetime) -> RefundOrder | None:
    """Note that Stripe is asked for a refund, and return what to ask; None: it has answered already.

    Raises UpstreamFailed, and notes nothing, while there is no key, or one of the other mode: Stripe would not know the
    payment, which says nothing about it.
    """
    refund = db.session.get_one(Refund, refund_id, populate_existing=True, with_for_update=True)
    if refund.state not in (RefundState.REQUESTED, RefundState.SUBMITTED):
        return None
    intent = _check_card(refund.payment)
    if not _has_key(refund.payment):
        raise UpstreamFailed(_NO_KEY)
    ledger.move_refund(refund_id, RefundState.SUBMITTED, actor=actor, now=now)
    key = key_of(refund, intent)
    return RefundOrder(
        payment_intent=intent,
        amount=money.to_stripe(refund.amount, refund.currency),
        key=key,
        metadata={rules.REFUND_TAG: key},
        requested_at=refund.requested_at,
    )
