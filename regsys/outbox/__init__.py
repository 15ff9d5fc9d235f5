"""Letters: composed in the transaction, sent by the worker."""
