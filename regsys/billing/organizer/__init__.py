"""The organizers' papers and open invoices."""

from regsys.billing.organizer import papers
from regsys.billing.organizer.desk import billing_organizer

__all__ = ["billing_organizer", "papers"]
