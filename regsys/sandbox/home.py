"""What a developer wants to see: sessions, events and deliveries, and a button to deliver again."""

from flask import Blueprint, Response, abort, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from regsys.sandbox import books, clockwork
from regsys.sandbox.box import now, this_box
from regsys.sandbox.dashboard import order_of
from regsys.sandbox.events import plan, thread_of
from regsys.sandbox.page import means, minor, moment, policy
from regsys.sandbox.store import Doc, Store

home = Blueprint("home", __name__)

SHOWN = 50


@home.get("/")
def show() -> Response:
    """List the newest of everything."""
    box = this_box()
    with box.store.unit():
        clockwork.catch_up(box.store, now())
        made = render_template(
            "sandbox/home.html",
            box=box,
            sessions=box.store.select("kind = 'checkout.session'", limit=SHOWN),
            events=box.store.select("kind = 'event'", limit=SHOWN),
            deliveries=_deliveries(box.store),
            charges=_charges(box.store),
            balance=books.balance(box.store, now()),
            payouts=box.store.select("kind = 'payout'", limit=SHOWN),
            means=means,
            moment=moment,
            minor=minor,
        )
    response = make_response(made)
    response.headers["Content-Security-Policy"] = policy()
    return response


def _charges(store: Store) -> list[tuple[Doc, str]]:
    """Return payments, made or on their way, with the order that each is for."""
    found = store.select(
        "kind = 'charge' AND json_extract(doc, '$.balance_transaction') IS NOT NULL"
        " OR kind = 'charge' AND json_extract(doc, '$.status') = 'pending'", limit=SHOWN,
    )  # fmt: skip
    return [(charge, order_of(store, charge)) for charge in found]


def _deliveries(store: Store) -> dict[str, str]:
    """Return in words how each event's deliveries stand."""
    rows = store.rows("SELECT * FROM delivery ORDER BY id DESC LIMIT ?", 4 * SHOWN)
    words: dict[str, list[str]] = {}
    for row in reversed(rows):
        said = row["code"] or row["error"] or ""
        words.setdefault(row["event"], []).append(f"{row['status']} {said}".strip())
    return {event: ", ".join(each) for event, each in words.items()}


@home.post("/events/<id>/redeliver")
def redeliver(id: str) -> AnyResponse:
    """Deliver an event once more."""
    store = this_box().store
    with store.unit():
        event = store.find(id, "event") or abort(404)
        plan(store, id, thread_of(event["data"]["object"]), now())
    this_box().courier.wake()
    return redirect(url_for("home.show"), 303)


@home.get("/healthz")
def healthz() -> tuple[str, int]:
    """Say that the stand-in answers."""
    return "ok\n", 200
