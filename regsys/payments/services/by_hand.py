"""Money that a person gave back without Stripe, and what of it was written down by mistake."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.ledger import queries as ledger_queries
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.payments.services.giving import find_same
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.models import Order


def give_by_hand(
    order_id: int,
    payment_id: int,
    *,
    amount: int,
    method: Method,
    given_at: datetime,
    seen: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down that money of a payment went back by hand; what was not overpaid comes off the price.

    `seen` is the newest refund that the preview knew of: a second click changes nothing, anything else that happened
    meanwhile raises Refused. Locks the order.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    payment = ledger_queries.get_payment(payment_id)
    newer = [r for r in payment.refunds if r.id > seen]
    if newer:
        find_same(newer, amount, reason, None)
        return
    counts = payment.problem is None
    lowered = max(0, amount - registrations.due(order_id).over) if counts else 0
    ledger.record_by_hand(
        payment_id,
        amount=amount,
        method=method,
        given_at=given_at,
        reason=reason,
        actor=actor,
        now=now,
        lowered=lowered,
    )
    if lowered:
        registration.lower_price(order_id, None, lowered, reason=reason)


def take_back(order_id: int, refund_id: int, *, actor: Actor, now: datetime) -> None:
    """Take such a note back: its amount is open again, the price as before. Locks the order; raises Refused."""
    lock_rows(Order, [order_id])
    refund = ledger.take_back(refund_id, actor=actor, now=now)
    if refund.lowered:
        reason = _("taken back, it was a mistake")
        registration.lower_price(order_id, None, -refund.lowered, reason=reason)
