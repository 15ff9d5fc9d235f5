"""The courier: signs events and posts them to the product, again and again until it is thanked."""

import http.client
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stripe import WebhookSignature

from regsys.kernel import clock
from regsys.sandbox.store import Doc, Store

log = logging.getLogger(__name__)

# Seconds before the next try: quick, because a person or a test is waiting. Stripe takes days.
BACKOFF = (1, 2, 5, 10, 30, 60, 120, 300, 600)
TIMEOUT = 20
COURIERS = 8
_POLL = 0.25


@dataclass(frozen=True)
class Answer:
    """What the product said: a status code, or why there was none."""

    code: int | None
    error: str | None = None

    @property
    def thanked(self) -> bool:
        """Tell whether the product took the event; a redirect is a failure."""
        return self.code is not None and 200 <= self.code < 300


def post(url: str, body: str, signature: str) -> Answer:
    """Post one signed body and return what came back; never through a proxy."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    connect = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (stand-in)",
    }
    try:
        connection.request("POST", parts.path or "/", body.encode(), headers)
        answer = connection.getresponse()
        answer.read()
        return Answer(answer.status)
    except (OSError, http.client.HTTPException) as e:
        return Answer(None, f"{type(e).__name__}: {e}"[:200])
    finally:
        connection.close()


@dataclass(frozen=True)
class Forgery:
    """How a delivery by hand differs from an honest one: other fields, another secret, another time of signing."""

    patch: Doc | None = None
    secret: str | None = None
    offset: int = 0


HONEST = Forgery()


class Courier:
    """Sends what is due, several at a time; what was not thanked stays due over restarts."""

    def __init__(self, store: Store, url: str, secret: str) -> None:
        self.store, self.url, self.secret = store, url, secret
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._out: set[int] = set()
        self._pool: ThreadPoolExecutor | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to deliver in the background."""
        self._pool = ThreadPoolExecutor(COURIERS, "courier")
        self._thread = threading.Thread(target=self._loop, name="post-office", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is on its way and stop."""
        self._ended.set()
        self._wake.set()
        if self._thread:
            self._thread.join()
        if self._pool:
            self._pool.shutdown()

    def wake(self) -> None:
        """Look for work now instead of at the next round."""
        self._wake.set()

    def _loop(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            try:
                self._send_due()
            except Exception:
                log.exception("a round of deliveries failed")
            self._wake.wait(_POLL)

    def _send_due(self) -> None:
        with self.store.unit():
            due = self._due()
        for id, event in due:
            with self._lock:
                if id in self._out:
                    continue
                self._out.add(id)
            assert self._pool
            self._pool.submit(self._deliver, id, event)

    def _due(self) -> list[tuple[int, str]]:
        if self.store.setting("hold", "0") == "1":
            return []
        rows = self.store.rows(
            "SELECT id, event FROM delivery WHERE status = 'due' AND due <= ? ORDER BY due, id LIMIT 200",
            clock.now().timestamp(),
        )
        return [(row["id"], row["event"]) for row in rows]

    def _deliver(self, id: int, event: str) -> None:
        try:
            self._record(id, event, self.send(event))
        except Exception:
            log.exception("delivery %s of %s failed", id, event)
        finally:
            with self._lock:
                self._out.discard(id)

    def send(self, event: str, forged: Forgery = HONEST) -> Answer:
        """Sign and post one event now; nothing is recorded."""
        with self.store.unit():
            doc = self.store.find(event, "event")
        if doc is None:
            return Answer(None, "no such event")
        body = json.dumps(_patched(doc, forged.patch or {}), indent=2)
        # The product's SDK compares with the machine's time, which never shifts.
        at = int(clock.real_now().timestamp()) + forged.offset
        signature = WebhookSignature.generate_signature_header(
            body, forged.secret or self.secret, at
        )
        return post(self.url, body, signature)

    def _record(self, id: int, event: str, answer: Answer) -> None:
        now = clock.now().timestamp()
        with self.store.unit():
            tries = self.store.rows("SELECT tries FROM delivery WHERE id = ?", id)[0]["tries"] + 1
            status, due = _next(tries, answer, now)
            self.store.run(
                "UPDATE delivery SET tries = ?, status = ?, due = ?, code = ?, error = ?, sent = ? "
                "WHERE id = ?", tries, status, due, answer.code, answer.error, now, id,
            )  # fmt: skip
            if answer.thanked:
                self.thank(event)

    def thank(self, event: str) -> None:
        """Note that the product has the event."""
        self.store.run(
            "UPDATE object SET doc = json_set(doc, '$.pending_webhooks', 0) WHERE id = ?", event
        )


def _next(tries: int, answer: Answer, now: float) -> tuple[str, float]:
    """Return the state of a delivery after a try, and when it is due again."""
    if answer.thanked:
        return "done", now
    if tries > len(BACKOFF):
        return "failed", now
    return "due", now + BACKOFF[tries - 1]


def _patched(doc: Any, patch: Any) -> Any:
    """Return the document with the patch laid over it, hash by hash."""
    if not isinstance(doc, dict) or not isinstance(patch, dict):
        return patch
    return doc | {name: _patched(doc.get(name), value) for name, value in patch.items()}
