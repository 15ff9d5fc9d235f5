"""Stripe delivers by itself, over HTTP, while the product works. The numbers are those of payments.md."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from regsys.kernel.settings import Settings
from tests.conftest import Clock, Database
from tests.payments.shop import Shop
from tests.sandbox.control import Sandbox, running_sandbox
from tests.support.servers import wait_until

PAID = (["confirmed"], ["paid"], [(92000, None)], 1)


class Street:
    """The product behind a port of its own; who is behind it is decided later."""

    def __init__(self) -> None:
        self.app: Flask | None = None
        self.server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        assert self.app
        return self.app(environ, start_response)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def street() -> Iterator[Street]:
    street = Street()
    yield street
    street.close()


@pytest.fixture
def sandbox(street: Street, tmp_path: Path, stripe: Sandbox, clock: Clock) -> Iterator[Sandbox]:
    """Run a stand-in of this test's own, which delivers to the street."""
    folder = tmp_path / "stripe"
    folder.mkdir()
    shutil.copy(stripe.data / "clock_offset", folder / "clock_offset")
    url = f"http://127.0.0.1:{street.server.server_port}/webhooks/stripe"
    with running_sandbox(folder, url) as own:
        yield own


@pytest.fixture
def settings(data: Path, database: Database, sandbox: Sandbox) -> Settings:
    return Settings.for_tests(
        data,
        DATABASE_URL=database.url,
        STRIPE_SECRET_KEY=sandbox.api_key,
        STRIPE_WEBHOOK_SECRET=(sandbox.webhook_secret,),
        STRIPE_API_BASE=sandbox.url,
    )


@pytest.fixture
def shop(app: Flask, db: Any, street: Street, sandbox: Sandbox, clock: Clock) -> Shop:
    street.app = app
    return Shop(app, sandbox, clock)


def test_rule_05_the_event_arrives_before_the_call_returns(shop: Shop) -> None:
    """The session is paid, and the event delivered, while we still wait for the answer that creates it."""
    order = shop.order()
    shop.control.fail("create_session", "pay-first")
    answer = shop.click_pay(order)
    assert (answer.status_code, answer.location) == (303, f"/o/{order.token}")
    assert shop.outcome(order) == PAID
    [event] = shop.inbox()
    assert (event.type, event.outcome) == ("checkout.session.completed", "paid")


@pytest.mark.parametrize("how", ["normally", "twice", "out_of_order"])
def test_rules_01_and_04_however_it_is_delivered_the_end_is_the_same(shop: Shop, how: str) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.control.pay(session, deliver=how)
    if how == "out_of_order":
        [event] = shop.told(session)
        shop.control.deliver(event["id"])
    else:
        wait_until(lambda: shop.states(order) == ["confirmed"], seconds=10, what="the event")
    assert shop.outcome(order) == PAID


def test_rule_01_six_deliveries_in_parallel_are_one_confirmation(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.control.pay(session, deliver="never")
    [event] = shop.told(session)
    sent = shop.control.deliver(event["id"], times=6, parallel=True)
    assert [s["code"] for s in sent] == [200] * 6
    assert shop.outcome(order) == PAID


def test_rule_08_the_payer_comes_back_while_the_event_is_delivered(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.control.pay(session)
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(shop.come_back(order, session).status_code))
        for _ in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(codes) == 4
    assert set(codes) <= {200, 303}
    wait_until(lambda: shop.states(order) == ["confirmed"], seconds=10, what="the confirmation")
    assert shop.outcome(order) == PAID
