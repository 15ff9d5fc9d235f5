"""The stand-in as one thing: its file, its courier, its keys, and the clock that ticks for it."""

import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import current_app

from regsys.kernel import clock
from regsys.sandbox import clockwork
from regsys.sandbox.delivery import Courier
from regsys.sandbox.store import Store

log = logging.getLogger(__name__)

# Seconds for which answers are kept under their idempotency keys.
KEPT = 24 * 3600


def now() -> int:
    """Return the stand-in's time in whole seconds."""
    return int(clock.now().timestamp())


@dataclass
class Box:
    """Everything that a request needs."""

    store: Store
    courier: Courier
    api_key: str
    base_url: str
    organisation: str
    zone: ZoneInfo
    calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=5000))
    busy: set[str] = field(default_factory=set)
    busy_lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)
    _ticker: threading.Thread | None = None

    def start(self) -> None:
        """Begin to tick and to deliver in the background."""
        self.courier.start()
        self._ticker = threading.Thread(target=self._tick_on, name="ticker", daemon=True)
        self._ticker.start()

    def stop(self) -> None:
        """Stop both and close the file."""
        self._ended.set()
        if self._ticker:
            self._ticker.join()
        self.courier.stop()
        self.store.close()

    def tick(self) -> None:
        """Let time do its work, and forget old answers."""
        at = now()
        with self.store.unit():
            moved = clockwork.catch_up(self.store, at)
            self.store.run("DELETE FROM answer WHERE saved < ?", at - KEPT)
        if moved:
            self.courier.wake()

    def _tick_on(self) -> None:
        while not self._ended.wait(1):
            try:
                self.tick()
            except Exception:
                log.exception("a tick failed")


def this_box() -> Box:
    """Return the stand-in of the current request."""
    return cast(Box, current_app.extensions["sandbox"])
