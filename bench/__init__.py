"""Measures ratios that can be compared between machines: `make bench`."""
