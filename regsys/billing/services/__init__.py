"""The verbs of papers and invoices."""

from regsys.billing.services.receipts import make_out_anew, tell, write_receipts

__all__ = ["make_out_anew", "tell", "write_receipts"]
