"""The letters about receipts and invoices."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.money import show
from regsys.ledger.models import Document
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration.models import Order
from regsys.web.urls import absolute


def send_receipt(order: Order, receipt: Document, *, now: datetime) -> None:
    """Tell the payer that a receipt is ready, and where it can be taken from."""
    draft = compose(
        "billing/mail_receipt",
        key=f"document:{receipt.id}",
        kind="receipt",
        to=(order.payer_name, order.email),
        subject=_("Your receipt %(number)s", number=receipt.name),
        links={
            "receipt": absolute("billing.document_pdf", token=order.token, document_id=receipt.id),
            "order": absolute("registration.order", token=order.token),
        },
        context={
            "order": order,
            "number": receipt.name,
            "amount": show(receipt.total, receipt.currency),
        },
        order_id=order.id,
    )
    outbox.enqueue(draft, now=now)
