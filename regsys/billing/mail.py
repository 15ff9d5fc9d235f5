"""The letters about receipts and invoices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.billing.models import Invoice
from regsys.billing.paper import po_number_of
from regsys.events.kinds import InvoiceTerms
from regsys.kernel.money import show
from regsys.ledger.models import Document
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration.models import Order
from regsys.registration.states import LIVE
from regsys.web.html import deadline
from regsys.web.urls import absolute, settings

PDF = "application/pdf"


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


def send_invoice(invoice: Invoice, *, now: datetime) -> None:
    """Send an invoice to whoever pays it, and a copy to whoever asked for it, with the paper attached."""
    document, order = invoice.document, invoice.order
    tos = {invoice.email.casefold(): (document.billed_to, invoice.email)}
    tos.setdefault(order.email.casefold(), (order.payer_name, order.email))
    for address, to in tos.items():
        _send(
            "invoice",
            invoice,
            key=f"document:{document.id}:{address}"[:200],
            to=to,
            subject=_("Invoice %(number)s", number=document.name),
            context={"amount": show(document.total, document.currency)},
            attached=document,
            now=now,
        )


def send_reminder(invoice: Invoice, *, owed: int, now: datetime) -> None:
    """Remind whoever pays an invoice of what is open."""
    document = invoice.document
    late = invoice.due_at <= now
    _send(
        "invoice_reminder",
        invoice,
        key=f"invoice-reminder:{invoice.id}:{int(now.timestamp())}",
        to=(document.billed_to, invoice.email),
        subject=_("Invoice %(number)s is overdue", number=document.name)
        if late
        else _("Invoice %(number)s is due soon", number=document.name),
        context={"amount": show(owed, document.currency), "late": late},
        attached=document,
        now=now,
    )


def send_cancelled(invoice: Invoice, note: Document, *, reason: str, now: datetime) -> None:
    """Tell whoever was to pay an invoice that nothing of it is to be paid any more."""
    _send(
        "invoice_cancelled",
        invoice,
        key=f"document:{note.id}",
        to=(invoice.document.billed_to, invoice.email),
        subject=_("Invoice %(number)s is cancelled", number=invoice.document.name),
        context={"note": note.name, "reason": reason},
        attached=note,
        now=now,
    )


def _send(
    kind: str,
    invoice: Invoice,
    *,
    key: str,
    to: tuple[str, str],
    subject: str,
    context: Mapping[str, Any],
    attached: Document,
    now: datetime,
) -> None:
    order = invoice.order
    people = [r for r in order.registrations if r.state in LIVE]
    draft = compose(
        f"billing/mail_{kind}",
        key=key,
        kind=kind,
        to=to,
        subject=subject,
        links={"invoice": absolute("billing.invoice", token=invoice.token)},
        context={
            "number": invoice.document.name,
            "code": order.code,
            "po_number": po_number_of(invoice.document),
            "until": deadline(invoice.due_at, settings().TIME_ZONE),
            "held": invoice.terms is InvoiceTerms.HELD,
            "rows": [(r.name, r.event.title) for r in people],
            **context,
        },
        attachments=[
            {"filename": f"{attached.name}.pdf", "type": PDF, "document": str(attached.id)}
        ],
        order_id=order.id,
    )
    outbox.enqueue(draft, now=now)
