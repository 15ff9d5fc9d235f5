"""A step of a sweep that fails keeps no other from its turn, and would pass unseen: in tests it ends the sweep."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from regsys.kernel.errors import Busy

log = logging.getLogger("regsys.jobs.periodic")


def _raise(record: logging.LogRecord) -> bool:
    error = record.exc_info and record.exc_info[1]
    if error and not isinstance(error, Busy):  # what was busy has its turn in the next round
        raise error
    return True


def let_failing_steps_fail() -> None:
    """Raise what `for_each` would only write into the log."""
    log.addFilter(_raise)


@contextmanager
def as_in_life() -> Iterator[None]:
    """Let `for_each` go on past a step that fails."""
    log.removeFilter(_raise)
    try:
        yield
    finally:
        log.addFilter(_raise)
