"""Papers about money for payers: receipts, invoices, credit notes; and the invoices that are still open."""
