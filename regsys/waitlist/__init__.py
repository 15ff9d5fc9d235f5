"""The waiting list: who waits, whose turn it is, and what was offered."""
