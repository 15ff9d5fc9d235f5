"""The hidden controls for tests and drills: /_test, with the API key as bearer, JSON in and out."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Blueprint, Response, jsonify, request

from regsys.sandbox import books, checkout, events, refunds, till
from regsys.sandbox.box import now, this_box
from regsys.sandbox.calls import authorise
from regsys.sandbox.cards import GOOD, find_card
from regsys.sandbox.delivery import Forgery
from regsys.sandbox.errors import StripeError
from regsys.sandbox.events import Deliver
from regsys.sandbox.faults import Fault, plan_fault
from regsys.sandbox.objects import Payer

control = Blueprint("control", __name__, url_prefix="/_test")

Json = dict[str, Any]


@control.before_request
def _guard() -> None:
    authorise(this_box())


@control.errorhandler(StripeError)
def _refused(error: StripeError) -> tuple[Json, int]:
    return error.body(), error.status


@control.errorhandler(KeyError)
@control.errorhandler(ValueError)
def _misused(error: Exception) -> tuple[Json, int]:
    return StripeError(f"The controls do not understand: {error!r}").body(), 400


def _said() -> Json:
    said = request.get_json(silent=True) if request.content_length else {}
    if not isinstance(said, dict):
        raise StripeError("The controls take a JSON object")
    return said


@control.post("/faults")
def plan() -> Json:
    """Let the next calls of an operation go wrong."""
    said = _said()
    times = int(said.pop("times", 1))
    operation, kind = str(said.pop("operation")), Fault(said.pop("kind"))
    with this_box().store.unit():
        plan_fault(this_box().store, operation, kind, times, said)
    return {"planned": times}


@control.delete("/faults")
def clear_faults() -> Json:
    """Forget every planned fault."""
    with this_box().store.unit():
        return {"forgotten": this_box().store.run("DELETE FROM fault")}


@control.post("/sessions/<id>/pay")
def pay(id: str) -> Json:
    """Pay a session as a payer would, without a browser."""
    box, said = this_box(), _said()
    payer = Payer(said.get("email"), said.get("name", "Test Payer"), said.get("postal_code"))
    card, how = find_card(said.get("card") or GOOD), Deliver(said.get("deliver") or "normally")
    done = till.pay(box, id, card, payer, how)
    return {"session": done.session, "error": done.error, "closed": done.closed}


@control.post("/sessions/<id>/edit")
def edit(id: str) -> Json:
    """Write fields into a session as no one should."""
    with this_box().store.unit():
        return checkout.edit_session(this_box().store, id, _said())


@control.post("/sessions/<id>/expire")
def expire(id: str) -> Json:
    """Let a session's time be over now."""
    box = this_box()
    with box.store.unit():
        session = checkout.expire_session(box.store, id, now())
    box.courier.wake()
    return session


@control.post("/refunds/<id>/advance")
def advance(id: str) -> Json:
    """Play the second act of a refund now."""
    box = this_box()
    with box.store.unit():
        refund = refunds.advance(box.store, id, now())
    box.courier.wake()
    return refund


@control.post("/deliver")
def deliver() -> Json:
    """Send events now, in the order given, each `times` times, and say what came back.

    `parallel` sends all at once. `patch`, `secret` and `offset` (seconds) forge the notice. What was planned for these
    events is dropped, so that nothing arrives behind the test's back.
    """
    box, said = this_box(), _said()
    ids = [id for id in said["events"] for _ in range(int(said.get("times", 1)))]
    forged = Forgery(said.get("patch"), said.get("secret"), int(said.get("offset", 0)))
    with box.store.unit():
        for id in ids:
            box.store.run(
                "UPDATE delivery SET status = 'by hand' WHERE event = ? AND status = 'due'", id
            )
    with ThreadPoolExecutor(len(ids) if said.get("parallel") and ids else 1) as pool:
        answers = list(pool.map(lambda id: box.courier.send(id, forged), ids))
    with box.store.unit():
        for id, answer in zip(ids, answers, strict=True):
            if answer.thanked:
                box.courier.thank(id)
    sent = [
        {"event": i, "code": a.code, "error": a.error} for i, a in zip(ids, answers, strict=True)
    ]
    return {"sent": sent}


@control.post("/emit")
def emit() -> Json:
    """Make an event about any object, even one that never happened; `object` may be an id or a whole document."""
    box, said = this_box(), _said()
    with box.store.unit():
        obj = said["object"] if isinstance(said["object"], dict) else box.store.find(said["object"])
        if obj is None:
            raise StripeError("No such object", status=404)
        how = Deliver(said.get("deliver") or "never")
        return events.emit(box.store, str(said["type"]), obj, now=now(), deliver=how)


@control.post("/hold")
def hold() -> Json:
    """Keep every delivery back, or let them go."""
    held = bool(_said()["hold"])
    with this_box().store.unit():
        this_box().store.set("hold", "1" if held else "0")
    this_box().courier.wake()
    return {"hold": held}


@control.post("/endpoint")
def set_endpoint() -> Json:
    """Enable or disable the webhook endpoint, as Stripe does after days of failures."""
    status = str(_said()["status"])
    with this_box().store.unit():
        this_box().store.set("endpoint_status", status)
    return {"status": status}


@control.get("/events")
def list_events() -> Response:
    """Return all events, oldest first."""
    with this_box().store.unit():
        return jsonify(events=this_box().store.select("kind = 'event'", order="ASC"))


@control.get("/deliveries")
def list_deliveries() -> Response:
    """Return all deliveries, oldest first."""
    sql = (
        "SELECT d.*, json_extract(o.doc, '$.type') AS type FROM delivery d"
        " JOIN object o ON o.id = d.event ORDER BY d.id"
    )
    with this_box().store.unit():
        return jsonify(deliveries=[dict(row) for row in this_box().store.rows(sql)])


@control.get("/books")
def show_books() -> Json:
    """Return counts and sums of what is in the file, and the balance."""
    with this_box().store.unit():
        store = this_box().store
        return books.summary(store) | {"balance": books.balance(store, now())}


@control.get("/calls")
def list_calls() -> Response:
    """Return the API calls since the start of the process, oldest first."""
    return jsonify(calls=list(this_box().calls))
