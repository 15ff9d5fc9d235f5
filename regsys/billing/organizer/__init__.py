"""The organizers' papers and open invoices."""

from regsys.billing.organizer import coming, invoices, papers
from regsys.billing.organizer.desk import billing_organizer

__all__ = ["billing_organizer", "coming", "invoices", "papers"]
