"""How many statements pages and registrations send: the same at one, three and thirty rows."""

import json
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

import stripe
from flask import Flask
from flask.testing import FlaskClient

from bench.stage import Stage, forget
from bench.table import Row
from regsys.accounts import services as accounts
from regsys.accounts.setup import TOKEN
from regsys.events.kinds import EventKind
from regsys.events.models import Event
from regsys.kernel import clock
from regsys.kernel.db import db, transaction
from tests import cast
from tests.registration.guest import Guest
from tests.sandbox.control import Sandbox, running_sandbox
from tests.support import rawsql
from tests.support.counting import counted
from tests.support.ports import free_port

ROWS = (1, 3, 30)
MOST_FOR_A_REGISTRATION = 40
PUBLIC = ("/", "/events", "/groups", "/news", "/events.ics")
WORK = ("/organize", "/organize/events", "/organize/registrations", "/organize/messages",
        "/organize/money", "/organize/audit", "/organize/inquiries")  # fmt: skip
OF_EVENT = ("/organize/events/{0}", "/organize/events/{0}/export.csv", "/lead/{0}")


def measure(stage: Stage) -> list[Row]:
    """Return a row for each list page: how many statements it sends at thirty rows, and whether always as many."""
    app = stage.app()
    client = inside(app, lambda: _sign_in(app))
    counts: dict[str, list[int]] = {}
    event = inside(app, lambda: cast.make_event(places=None, types={"Standard": 0}).id)
    made = 0
    for rows in ROWS:
        inside(app, lambda n=rows - made, first=made: _add(event, n, first))  # type: ignore[misc]
        made = rows
        for path in (*PUBLIC, *WORK, *OF_EVENT):
            sent = _statements(app, client, path.format(event))
            if sent is not None:
                counts.setdefault(path, []).append(sent)
    forget(app)
    return [
        Row(
            path.format("…"), found[-1], "statements",
            aim=float(min(found)), sense="≤", note=f"{'/'.join(map(str, found))} at {'/'.join(map(str, ROWS))} rows",
        )
        for path, found in counts.items()
    ]  # fmt: skip


def inside(app: Flask, work: Callable[[], Any]) -> Any:
    """Run in an application context of its own."""
    with app.app_context():
        try:
            return work()
        finally:
            db.session.remove()


def _sign_in(app: Flask) -> FlaskClient:
    user = cast.make_user("owner")
    with transaction():
        token = accounts.start_session(user.id, how="password", old_token=None, now=clock.now())
    client = app.test_client()
    with client.session_transaction() as session:
        session[TOKEN] = token
    return client


def _add(event_id: int, how_many: int, first: int) -> None:
    """Add people to the event, and as many events with a leader."""
    event = db.session.get_one(Event, event_id)
    for n in range(first, first + how_many):
        cast.make_order(event, [cast.a_person(f"P{n} Nutkin")])
        kind = EventKind.OPEN_ENROLLMENT_GROUP if n % 2 == 0 else EventKind.OTHER
        cast.make_leader(cast.make_event(kind=kind, types={"Standard": (100, 200)}, early_places=3))


def _statements(app: Flask, client: FlaskClient, path: str) -> int | None:
    """Count what a page sends; None where there is no such page for this visitor."""
    if path.startswith("/lead/"):
        # The first look of somebody at a roster is written down, however long it is: one statement more.
        Context().run(_ask, client, path)
    # What was kept of another page in the same second is made anew.
    shelf = app.extensions["regsys.shelf"]
    shelf.pages.clear()
    shelf.parts.clear()
    with counted(app) as sent:
        # In a context of its own, to the end of the answer: nothing is shared with what went before.
        status = Context().run(_ask, client, path)
    return len(work_of(sent)) if status == 200 else None


def _ask(client: FlaskClient, path: str) -> int:
    """Return the status of an answer that was read to its end."""
    answer = client.get(path)
    answer.get_data()
    return answer.status_code


def work_of(sent: list[str]) -> list[str]:
    """Leave out what begins a transaction."""
    return [s for s in sent if not s.startswith(("BEGIN", "SET LOCAL"))]


def measure_registration(stage: Stage) -> list[Row]:
    """Return how many statements a whole paid registration sends, from its page to the settled payment."""
    port = free_port()
    stage.known["STRIPE_API_BASE"] = f"http://127.0.0.1:{port}"
    app = stage.app()
    known = {
        "api_key": stage.known["STRIPE_SECRET_KEY"],
        "webhook_secret": stage.known["STRIPE_WEBHOOK_SECRET"],
        "port": port,
    }
    with running_sandbox(stage.data, "http://127.0.0.1:9/webhooks/stripe", **known) as sandbox:
        event = inside(app, lambda: cast.make_event(types={"Standard": 4500}))
        guest = Guest(app.test_client())
        with counted(app) as reviewed:
            review = Context().run(lambda: guest.register(event))
        with counted(app) as placed:
            page = Context().run(lambda: guest.pay(review))
        assert page.status == 303, page.title
        order = rawsql.number(stage.raw_url, "SELECT max(id) FROM orders")
        session = _session(stage, order)
        sandbox.control.pay(session, deliver="never")
        with counted(app) as settled:
            answer = Context().run(lambda: _deliver(app, sandbox, session))
        assert answer == 200, answer
    forget(app)
    parts = {
        "registration, from its page to the review": len(work_of(reviewed)),
        "… placing it and opening the payment": len(work_of(placed)),
        "… settling it, with the letter": len(work_of(settled)),
    }
    rows = [Row(what, n, "statements") for what, n in parts.items()]
    whole = Row(
        "… in all", sum(parts.values()), "statements", aim=MOST_FOR_A_REGISTRATION, sense="≤"
    )
    return [*rows, whole]


def _deliver(app: Flask, sandbox: Sandbox, session: str) -> int:
    """Carry Stripe's word that a session is paid to the webhook; return what it answers."""
    told = [e for e in sandbox.control.events() if e["data"]["object"]["id"] == session]
    body = json.dumps(next(e for e in told if e["type"] == "checkout.session.completed"))
    signed = stripe.WebhookSignature.generate_signature_header(
        body, sandbox.webhook_secret, int(time.time())
    )
    headers = {"Stripe-Signature": signed, "Content-Type": "application/json"}
    return app.test_client().post("/webhooks/stripe", data=body, headers=headers).status_code


def _session(stage: Stage, order_id: int) -> str:
    found = rawsql.rows(
        stage.raw_url, "SELECT session_id FROM payment_attempt WHERE order_id = ?", order_id
    )
    return str(found[0][0])
