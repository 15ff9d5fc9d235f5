"""Work that comes round: a row keyed by its time slot, so that any number of schedulers gives one run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
