"""Places that an employer pays later by invoice: which events offer it, and on what terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regsys.events.kinds import InvoiceTerms
from regsys.registration.models import Registration


@dataclass(frozen=True)
class InvoiceOffer:
    """On what terms an order can be paid by invoice; `latest`: a held place has to be paid before its event begins."""

    terms: InvoiceTerms
    days: int
    latest: datetime


def invoice_offer(registrations: Sequence[Registration]) -> InvoiceOffer | None:
    """Return the terms for these people together: the strictest of their events; None where one offers none."""
    events = [r.event for r in registrations]
    terms = {e.invoices for e in events}
    if not events or InvoiceTerms.NONE in terms:
        return None
    one = InvoiceTerms.HELD if InvoiceTerms.HELD in terms else InvoiceTerms.CONFIRMED
    days = min(e.invoice_days for e in events)
    return InvoiceOffer(one, days, min(e.starts_at for e in events))
