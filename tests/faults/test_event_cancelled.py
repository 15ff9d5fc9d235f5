"""An event with paid registrations is called off while its worker is killed three times: every refund exactly once.

The worker dies twice where an order is ended and Stripe not asked yet, and once at any moment in between. Refunds are
counted in the books of Stripe's stand-in, which lives on, and in our rows by plain SQL.
"""

import os
import time
from pathlib import Path

import pytest
from flask import Flask

from regsys.kernel import clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from regsys.payments import services
from regsys.payments.settle import settle, start_checkout
from tests.cast import a_person, make_event, make_order
from tests.conftest import Database
from tests.sandbox.control import Sandbox, running_sandbox
from tests.support import rawsql
from tests.support.books import reconciled, verified
from tests.support.fair import environment_of
from tests.support.ports import free_port
from tests.support.servers import Server, running, wait_until

PRICE = 99000
POINT = "cancellation-committed"


@pytest.fixture
def port() -> int:
    return free_port(span=2)


@pytest.fixture
def settings(data: Path, database: Database, port: int) -> Settings:
    return Settings.for_tests(
        data,
        DATABASE_URL=database.url,
        BASE_URL=f"http://127.0.0.1:{port}",
        STRIPE_API_BASE=f"http://127.0.0.1:{port + 1}",
        LOG_LEVEL="WARNING",
    )


def sell(sandbox: Sandbox, people: int) -> int:
    """Let so many people buy a place each, through the product and Stripe; return the event."""
    event = make_event(places=people, types={"Standard": PRICE})
    event_id = event.id
    for n in range(people):
        order = make_order(event, [a_person(f"Guest{n} Nutkin")])
        url = start_checkout(order.id)
        assert url is not None
        session = url.rsplit("/", 1)[-1]
        assert sandbox.control.pay(session, deliver="never")["error"] is None
        settle(session_id=session)
    return event_id


def refunds_at_stripe(sandbox: Sandbox) -> list[tuple[str, int]]:
    """Return payment and amount of every refund in Stripe's books."""
    books = f"sqlite:///{sandbox.data / 'sandbox.sqlite'}"
    found = rawsql.rows(
        books,
        "SELECT json_extract(doc, '$.payment_intent'), json_extract(doc, '$.amount')"
        " FROM object WHERE kind = 'refund'",
    )
    return [(intent, amount) for intent, amount in found]


def kill_three_times(server: Server, sandbox: Sandbox, people: int) -> None:
    """Kill the worker at the named point, at a random moment, and at the named point again."""
    mark = server.data / f"killed-at-{POINT}"
    wait_until(mark.exists, seconds=60, what="the first death", of=server)
    wait_until(
        lambda: len(refunds_at_stripe(sandbox)) > people // 4,
        seconds=120 + people,
        what="a quarter of the refunds",
        of=server,
    )
    time.sleep(int.from_bytes(os.urandom(1)) / 2000)
    assert server.kill("worker")
    mark.unlink()
    wait_until(mark.exists, seconds=60, what="the last death", of=server)


@pytest.mark.parametrize(
    "people",
    [
        pytest.param(30, id="some"),
        pytest.param(500, id="many", marks=pytest.mark.long),
    ],
)
def test_rule_39_every_refund_is_made_exactly_once(
    app: Flask,
    settings: Settings,
    database: Database,
    tmp_path: Path,
    port: int,
    people: int,
) -> None:
    known = {
        "api_key": settings.STRIPE_SECRET_KEY,
        "webhook_secret": settings.STRIPE_WEBHOOK_SECRET[0],
        "port": port + 1,
    }
    url = app.extensions["regsys.settings"].DATABASE_URL
    with running_sandbox(settings.DATA_DIR, "http://127.0.0.1:9/none", **known) as sandbox:
        sandbox.control.hold()
        with app.app_context():
            event_id = sell(sandbox, people)
            with transaction():
                services.start_cancellation(
                    event_id, reason="The house is closed.", actor=SYSTEM, now=clock.now()
                )
            product_db.session.remove()
            product_db.engine.dispose()
        env = {**environment_of(settings), "KILL_AT": POINT}
        with running("serve", tmp_path, port=port, **env) as server:
            kill_three_times(server, sandbox, people)
            wait_until(
                lambda: rawsql.number(
                    url, "SELECT count(*) FROM cancellation WHERE finished_at IS NOT NULL"
                ),
                seconds=120 + people,
                what="the end of the cancellation",
                of=server,
            )
        _assert_once(url, event_id, sandbox, people)
        with app.app_context():
            assert (verified(), reconciled()) == ([], [])


def _assert_once(url: str, event_id: int, sandbox: Sandbox, people: int) -> None:
    paid = {i for (i,) in rawsql.rows(url, "SELECT reference FROM payment")}
    made = refunds_at_stripe(sandbox)
    assert len(made) == len(paid) == people
    assert dict(made) == dict.fromkeys(paid, PRICE)
    rows = rawsql.rows(url, "SELECT state, amount, payment_id, registration_id FROM refund")
    assert {(state, amount) for state, amount, _, _ in rows} == {("succeeded", PRICE)}
    assert len({p for _, _, p, _ in rows}) == len({r for *_, r in rows}) == len(rows) == people
    assert rawsql.states(url, event_id) == {"cancelled": people}
    assert rawsql.live_places(url, event_id) == []
    letters = "SELECT count(*) FROM message WHERE kind = 'event_cancelled'"
    assert rawsql.number(url, letters) == people
    total = "SELECT sum(amount) FROM order_line"
    assert rawsql.number(url, total) == 0
