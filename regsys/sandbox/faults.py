"""Things that go wrong on demand: the next calls of an operation answer as they should not."""

import json
from dataclasses import dataclass
from enum import StrEnum

from regsys.sandbox.errors import StripeError
from regsys.sandbox.store import Doc, Store


class Fault(StrEnum):
    """What can go wrong with a call; nothing is done unless it says so."""

    CONFLICT = "409"
    BUSY = "429"
    ERROR = "500"
    ERROR_SAVED = "500-saved"  # the answer is kept under the idempotency key, as Stripe keeps it
    SLOW = "slow"  # waits first, then does it
    DROP_BEFORE = "drop-before"  # the connection dies with nothing done
    DROP = "drop"  # does it, and the connection dies before the answer
    PAY_FIRST = "pay-first"  # a new session is paid and its notice delivered before the answer
    WRONG_AMOUNT = "wrong-amount"  # the next payment takes another amount or currency


BUSY_TIMES = 3


@dataclass(frozen=True)
class Planned:
    """A fault about to happen."""

    kind: Fault
    detail: Doc


def plan_fault(store: Store, operation: str, kind: Fault, times: int, detail: Doc) -> None:
    """Let the next `times` calls of an operation (`*`: of any in the API) go wrong."""
    store.run(
        "INSERT INTO fault (operation, kind, times, detail) VALUES (?, ?, ?, ?)",
        operation, kind.value, times, json.dumps(detail),
    )  # fmt: skip


def plan_busy(store: Store) -> None:
    """Let Stripe be too busy (429) for the next questions, as the buttons of the pages do."""
    plan_fault(store, "*", Fault.BUSY, BUSY_TIMES, {})


def take(store: Store, operation: str) -> Planned | None:
    """Return the fault that this call meets, and count it."""
    anything = "" if operation == "pay" else "*"
    rows = store.rows(
        "SELECT * FROM fault WHERE times > 0 AND operation IN (?, ?) ORDER BY id LIMIT 1",
        operation, anything,
    )  # fmt: skip
    if not rows:
        return None
    store.run("UPDATE fault SET times = times - 1 WHERE id = ?", rows[0]["id"])
    return Planned(Fault(rows[0]["kind"]), json.loads(rows[0]["detail"]))


def error_of(kind: Fault) -> StripeError | None:
    """Return the answer of a fault that is nothing but a wrong answer."""
    if kind is Fault.CONFLICT:
        return StripeError(
            "This object cannot be accessed right now because another API request is using it.",
            status=409, code="lock_timeout",
        )  # fmt: skip
    if kind is Fault.BUSY:
        return StripeError("Request rate limit exceeded.", status=429, code="rate_limit")
    if kind in {Fault.ERROR, Fault.ERROR_SAVED}:
        return StripeError("An unknown error occurred.", status=500, kind="api_error")
    return None
