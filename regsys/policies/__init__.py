"""Refund policies as data: what comes back of a price, and until when."""
