"""When a letter that could not be sent is tried again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

RETRY_AFTER: Sequence[timedelta] = (
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=6),
)


def next_try(attempts: int, *, now: datetime) -> datetime | None:
    """Return when to try again after so many attempts, or None: enough."""
    if attempts > len(RETRY_AFTER):
        return None
    return now + RETRY_AFTER[max(attempts, 1) - 1]
