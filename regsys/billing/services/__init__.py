"""The verbs of papers and invoices."""

from regsys.billing.services.coming import receive, take_back
from regsys.billing.services.invoices import (
    Terms,
    ask_for_invoice,
    cancel_invoice,
    close_if_nobody_comes,
    issue_invoice,
    make_out_invoice_anew,
    mark_paid,
    remind,
    remind_when_due,
    terms_for,
    write_invoice,
    write_off,
)
from regsys.billing.services.receipts import make_out_anew, tell, write_receipts

__all__ = [
    "Terms",
    "ask_for_invoice",
    "cancel_invoice",
    "close_if_nobody_comes",
    "issue_invoice",
    "make_out_anew",
    "make_out_invoice_anew",
    "mark_paid",
    "receive",
    "remind",
    "remind_when_due",
    "take_back",
    "tell",
    "terms_for",
    "write_invoice",
    "write_off",
    "write_receipts",
]
