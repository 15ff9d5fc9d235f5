"""regsys: event registration and leadership-training signup for a small society of clinicians."""
