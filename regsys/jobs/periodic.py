"""Work that comes round: a row keyed by its time slot, so that any number of schedulers gives one run."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

One = TypeVar("One")
log = logging.getLogger(__name__)

# What a handler gets is the job's payload; it may return a time at which to run the same job again.
Handler = Callable[[Mapping[str, Any]], datetime | None]


@dataclass(frozen=True)
class Periodic:
    """Run `kind` once in every slot of `every` seconds."""

    kind: str
    every: int

    def key(self, now: datetime) -> str:
        """Return the slot's key."""
        return f"{self.kind}@{int(now.timestamp()) // self.every * self.every}"


def for_each(ids: Iterable[One], step: Callable[[One], object]) -> None:
    """Take a step for each one; what fails is written into the log, and keeps no other from its turn."""
    for one in ids:
        try:
            step(one)
        except Exception:
            log.exception("%s of %s failed", getattr(step, "__name__", step), one)
