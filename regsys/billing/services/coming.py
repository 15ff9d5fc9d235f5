"""Cheques and transfers that came, and what of them was written down by mistake."""

from datetime import datetime

from regsys.billing import queries
from regsys.billing.services.invoices import mark_paid, open_again
from regsys.billing.services.receipts import tell, write_receipts
from regsys.billing.states import InvoiceState
from regsys.kernel.actors import Actor
from regsys.kernel.db import lock_rows
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.payments import services as payments
from regsys.registration import services as registration
from regsys.registration.models import Order


def receive(
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
    """Write down money that came by hand, and its receipt with it; see `payments.services.receive_by_hand`.

    What pays the open invoice confirms its places, also where the order owes more by now.
    """
    payments.receive_by_hand(
        order_id,
        amount=amount,
        method=method,
        received_at=received_at,
        reference=reference,
        seen=seen,
        actor=actor,
        now=now,
    )
    tell(order_id, write_receipts(order_id, now=now), now=now)
    known = queries.find_open_invoice(order_id)
    if known:
        mark_paid(known.id, now=now)
    if known and known.state is InvoiceState.PAID:
        made_by = known.document.issued_at
        registration.confirm_paid(order_id, actor=actor, now=now, made_by=made_by)


def take_back(order_id: int, payment_id: int, *, actor: Actor, now: datetime) -> int:
    """Take back what was written down by mistake about money that came by hand; its receipt is made void.

    Places that it confirmed stay confirmed, and the order, and its invoice, owe the amount again. Where nobody of the
    order has a place any more, nobody is asked for what was kept of it; returned is how much. Raises Refused.
    """
    lock_rows(Order, [order_id])
    ledger.take_payment_back(payment_id, actor=actor, now=now)
    given_up = registration.ask_nobody(order_id, actor=actor, now=now)
    write_receipts(order_id, now=now)
    open_again(order_id, actor=actor, now=now)
    return given_up
