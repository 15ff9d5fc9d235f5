"""What is told to the product: event objects, and when each is delivered."""

from dataclasses import dataclass
from enum import StrEnum

from regsys.sandbox.ids import new_id
from regsys.sandbox.objects import API_VERSION, ENABLED_EVENTS
from regsys.sandbox.store import Doc, Store

LATE = 600
SWAPPED = 60


class Deliver(StrEnum):
    """How the notices of one payment travel."""

    NORMALLY = "normally"
    TWICE = "twice"
    LATE = "late"
    NEVER = "never"
    OUT_OF_ORDER = "out_of_order"


@dataclass(frozen=True)
class Cause:
    """What made something happen: an API request, or neither name for the page and for time itself."""

    request: str | None = None
    key: str | None = None


BY_ITSELF = Cause()


def emit(
    store: Store,
    kind: str,
    obj: Doc,
    *,
    now: int,
    cause: Cause = BY_ITSELF,
    deliver: Deliver = Deliver.NORMALLY,
    before: Doc | None = None,
) -> Doc:
    """Keep an event about `obj` as it is now, and plan its deliveries; `before` holds the changed fields."""
    wanted = kind in ENABLED_EVENTS and store.setting("endpoint_status", "enabled") == "enabled"
    data = {"object": obj} | ({"previous_attributes": before} if before is not None else {})
    event: Doc = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": data,
        "livemode": False,
        "pending_webhooks": int(wanted),
        "request": {"id": cause.request, "idempotency_key": cause.key},
        "type": kind,
    }
    store.add(event)
    if wanted:
        _plan(store, event["id"], thread_of(obj), now, deliver)
    return event


def thread_of(obj: Doc) -> str:
    """Return what the events of one payment have in common."""
    intent = obj["id"] if obj["object"] == "payment_intent" else obj.get("payment_intent")
    return str(intent or obj["id"])


def _plan(store: Store, event: str, thread: str, now: int, deliver: Deliver) -> None:
    # Whatever waits out of order on this payment goes after the newer notice: half a second for each that is newer.
    store.run(
        "UPDATE delivery SET due = min(due, ? + 1.5) + 0.5 "
        "WHERE thread = ? AND swapped = 1 AND status = 'due'", now, thread,
    )  # fmt: skip
    seen = store.rows("SELECT 1 FROM delivery WHERE thread = ? AND swapped = 1", thread)
    swapped = deliver is Deliver.OUT_OF_ORDER or bool(seen)
    delay = {Deliver.LATE: LATE, Deliver.OUT_OF_ORDER: SWAPPED}.get(deliver, 0)
    times = {Deliver.NEVER: 0, Deliver.TWICE: 2}.get(deliver, 1)
    for _ in range(times):
        plan(store, event, thread, now + delay, swapped=swapped)


def plan(store: Store, event: str, thread: str, due: float, *, swapped: bool = False) -> None:
    """Let an event be delivered once at `due`."""
    store.run(
        "INSERT INTO delivery (event, thread, due, swapped) VALUES (?, ?, ?, ?)",
        event, thread, due, int(swapped),
    )  # fmt: skip
