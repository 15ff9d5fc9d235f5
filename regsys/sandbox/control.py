"""The hidden controls for tests and drills: /_test, with the API key as bearer, JSON in and out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Blueprint, Response, jsonify, request

from regsys.sandbox import books, checkout, delayed, disputes, events, payouts, refunds, till
from regsys.sandbox.accounts import Account, find_account
from regsys.sandbox.box import now, this_box
from regsys.sandbox.calls import authorise
from regsys.sandbox.cards import GOOD, Card, find_card
from regsys.sandbox.delivery import Forgery
from regsys.sandbox.errors import StripeError
from regsys.sandbox.events import BY_ITSELF, Deliver
from regsys.sandbox.faults import Fault, plan_fault
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Store

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
    """Pay a session as a payer would, without a browser; `account` instead of `card` pays later."""
    box, said = this_box(), _said()
    payer = Payer(said.get("email"), said.get("name", "Test Payer"), said.get("postal_code"))
    means, how = _means(said), Deliver(said.get("deliver") or "normally")
    if said.get("proves", True):
        done = till.pay(box, id, means, payer, how)
    else:
        till.ask_back(box, id)
        done = till.fail_proof(box, id)
    return {"session": done.session, "error": done.error, "closed": done.closed}


def _means(said: Json) -> Card | Account:
    if "account" not in said:
        return find_card(said.get("card") or GOOD)
    account = find_account(str(said["account"]))
    if account is None:
        raise StripeError("That is no test account")
    return account


@control.post("/sessions/<id>/edit")
def edit(id: str) -> Json:
    """Write fields into a session as no one should."""
    with this_box().store.unit():
        return checkout.edit_session(this_box().store, id, _said())


@control.post("/sessions/<id>/expire")
def expire(id: str) -> Json:
    """Let a session's time be over now."""
    return _at_once(lambda store: checkout.expire_session(store, id, now()))


@control.post("/refunds/<id>/advance")
def advance(id: str) -> Json:
    """Play the second act of a refund now."""
    return _at_once(lambda store: refunds.advance(store, id, now()))


@control.post("/refunds/<id>/fail")
def fail_refund(id: str) -> Json:
    """Let a refund fail now, whatever card it went to."""
    return _at_once(lambda store: refunds.fail(store, id, now()))


@control.post("/refunds")
def refund_in_dashboard() -> Json:
    """Refund `of` a charge or an intent as a person does in the dashboard, in part where `amount` is given."""
    said = _said()
    of = str(said.pop("of"))
    asked = {"payment_intent" if of.startswith("pi_") else "charge": of, **said}
    return _at_once(lambda store: refunds.create_refund(store, asked, now(), BY_ITSELF))


@control.post("/disputes")
def open_dispute() -> Json:
    """Dispute a charge or the charge of an intent; `status` may be any string."""
    said = _said()
    status, reason = str(said["status"]), str(said["reason"])

    def work(store: Store) -> Json:
        charge = refunds.find_charge(store, str(said["of"]))
        return disputes.open_dispute(
            store, charge, status=status, reason=reason, now=now(), amount=said.get("amount")
        )

    return _at_once(work)


@control.post("/disputes/<id>/<any(update, close):how>")
def move_dispute(id: str, how: str) -> Json:
    """Give a dispute another status: on the way, or as its end."""
    status = str(_said()["status"])
    verb = disputes.close_dispute if how == "close" else disputes.update_dispute
    return _at_once(lambda store: verb(store, id, status, now()))


@control.post("/sessions/<id>/finish")
def finish_delayed(id: str) -> Json:
    """Let a bank account's money come, or fail, now."""
    success = bool(_said()["success"])
    return _at_once(lambda store: delayed.finish(store, id, now(), success=success))


@control.post("/payouts")
def pay_out() -> Json:
    """Pay out what is available; `early` waits for none of it."""
    early = bool(_said().get("early"))
    return _at_once(lambda store: {"payouts": payouts.pay_out(store, now(), early=early)})


@control.post("/payouts/<id>/<any(arrive, fail):how>")
def move_payout(id: str, how: str) -> Json:
    """Let a payout reach the bank, or let the bank send it back."""
    verb = payouts.fail if how == "fail" else payouts.arrive
    return _at_once(lambda store: verb(store, id, now()))


@control.post("/payouts/<id>/edit")
def edit_payout(id: str) -> Json:
    """Write fields into a payout as no one should."""
    with this_box().store.unit():
        return payouts.edit(this_box().store, id, _said())


def _at_once(work: Callable[[Store], Json]) -> Json:
    """Do the work in one unit and let its notices go."""
    box = this_box()
    with box.store.unit():
        done = work(box.store)
    box.courier.wake()
    return done


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
def show_books() -> Response:
    """Return the account's whole statement, oldest first: its balance transactions."""
    with this_box().store.unit():
        return jsonify(transactions=books.list_lines(this_box().store))


@control.get("/totals")
def show_totals() -> Json:
    """Return counts and sums of what is in the file, and the balance."""
    with this_box().store.unit():
        store = this_box().store
        return books.summary(store) | {"balance": books.balance(store, now())}


@control.get("/calls")
def list_calls() -> Response:
    """Return the API calls since the start of the process, oldest first."""
    return jsonify(calls=list(this_box().calls))
