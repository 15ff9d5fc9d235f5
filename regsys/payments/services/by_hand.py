"""Money that comes or goes without Stripe, and what of it was written down by mistake."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.ledger import queries as ledger_queries
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.ledger.states import Problem
from regsys.payments.queries import Seen
from regsys.payments.services.giving import find_same
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.models import Order
from regsys.registration.services import PaidOutcome

CAME = Refusal(
    "MoneyCame",
    N_("Other money came for this order meanwhile. Nothing was written down; please look again."),
)


def give_by_hand(
    order_id: int,
    payment_id: int,
    *,
    amount: int,
    method: Method,
    given_at: datetime,
    seen: Seen,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down that money of a payment went back by hand; what was not overpaid comes off the price.

    `seen` is the order's money as the preview knew it: a second click changes nothing, anything else that happened
    meanwhile raises Refused. Locks the order.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    payment = ledger_queries.get_payment(payment_id)
    if find_same(order_id, [payment_id], seen, amount, reason):
        return
    lowered = max(0, amount - seen.over) if payment.problem is None else 0
    made = ledger.record_by_hand(
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
        registration.lower_price(order_id, None, lowered, reason=reason, refund_id=made.id)


def take_back(order_id: int, refund_id: int, *, actor: Actor, now: datetime) -> None:
    """Take such a note back: its amount is open again, the price of whoever still has a place as before.

    Locks the order; raises Refused.
    """
    lock_rows(Order, [order_id])
    refund = ledger.take_back(refund_id, actor=actor, now=now)
    if refund.lowered:
        line = _("Given back: %(reason)s", reason=_("taken back, it was a mistake"))
        registration.restore_price(order_id, refund.id, refund.lowered, line=line)


def receive_by_hand(
    order_id: int,
    *,
    amount: int,
    method: Method,
    received_at: datetime,
    reference: str,
    seen: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down money that came by cheque, transfer or in cash; what it pays in full is confirmed.

    `seen` is the newest payment that the preview knew of: a second click changes nothing, anything else that came
    meanwhile raises Refused. What nobody has a place for is set aside; too much is shown as overpaid. Locks the order.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    newer = [p for p in ledger_queries.payments_of([order_id]) if p.id > seen]
    if newer:
        if [(p.amount, p.method, p.note) for p in newer] == [(amount, method, reference)]:
            return
        raise Refused(CAME)
    order = registrations.get_order(order_id)
    payment = ledger.record_payment(
        order_id,
        amount=amount,
        currency=order.currency,
        method=method,
        actor=actor,
        now=now,
        received_at=received_at,
        note=reference,
    )
    if registrations.due(order_id).due > 0:
        return
    outcome = registration.confirm_paid(order_id, actor=actor, now=now)
    if outcome is PaidOutcome.NO_PLACE:
        ledger.mark_problem(payment.id, Problem.NO_PLACE, actor=actor, now=now)
