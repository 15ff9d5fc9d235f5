"""The process dies at a named point, as in a power cut; what comes after finds everything as it must be."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import stripe

from regsys.kernel.settings import Settings
from regsys.payments.jobs import poll
from tests.conftest import Database
from tests.payments.shop import Shop
from tests.support import needs

PAID = (["confirmed"], ["paid"], [(92000, None)], 1)
PROGRAM = """
import sys
from regsys.app import create_app
from regsys.kernel.settings import Settings
from regsys.payments.settle import start_checkout
app = create_app(Settings.load())
if sys.argv[1] == "pay":
    with app.app_context():
        start_checkout(int(sys.argv[2]))
else:
    headers = {"Stripe-Signature": sys.argv[2]}
    app.test_client().post("/webhooks/stripe", data=sys.stdin.buffer.read(), headers=headers)
"""


class Victim:
    """Another process of the same installation."""

    def __init__(self, shop: Shop, settings: Settings, database: Database) -> None:
        self.shop, self.settings, self.database = shop, settings, database

    def run(self, point: str, *arguments: str, stdin: str = "") -> None:
        """Do something in a process of its own, which dies at the point."""
        known = self.settings
        shutil.copy(self.shop.sandbox.data / "clock_offset", known.DATA_DIR / "clock_offset")
        env = {
            "PATH": os.environ["PATH"],
            "REGSYS_KILL_AT": point,
            "REGSYS_DATA_DIR": str(known.DATA_DIR),
            "REGSYS_DATABASE_URL": self.database.url,
            "REGSYS_SANDBOX": "yes",
            "REGSYS_SECRET_KEY": known.SECRET_KEY,
            "REGSYS_FIELD_KEYS": known.FIELD_KEYS[0],
            "REGSYS_MAIL_DEFAULT_SENDER": known.MAIL_DEFAULT_SENDER,
            "REGSYS_STRIPE_SECRET_KEY": known.STRIPE_SECRET_KEY,
            "REGSYS_STRIPE_WEBHOOK_SECRET": known.STRIPE_WEBHOOK_SECRET[0],
            "REGSYS_STRIPE_API_BASE": known.STRIPE_API_BASE or "",
        }
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            env=env, cwd=needs.ROOT, input=stdin.encode(), capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        self.shop.fresh()


@pytest.fixture
def victim(shop: Shop, settings: Settings, database: Database) -> Victim:
    shop.fresh()
    return Victim(shop, settings, database)


def test_killed_between_the_attempt_and_the_call_the_payer_tries_again(
    shop: Shop, victim: Victim
) -> None:
    order = shop.order()
    before = shop.control.count("checkout.session")
    victim.run("attempt-committed", "pay", str(order.id))
    assert shop.attempt_states(order) == ["created"]
    assert shop.control.count("checkout.session") == before
    assert [c.until for c in shop.claims(order)] == [None]
    session = shop.open(order)
    assert shop.attempt_states(order) == ["open"]
    assert shop.control.count("checkout.session") == before + 1
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == PAID


def test_killed_between_the_attempt_and_the_call_and_nobody_comes_back(
    shop: Shop, victim: Victim
) -> None:
    order = shop.order()
    victim.run("attempt-committed", "pay", str(order.id))
    shop.clock.move(minutes=5)
    poll({})
    assert shop.attempt_states(order) == ["abandoned"]
    assert [c.until is None for c in shop.claims(order)] == [False]


def test_killed_between_the_call_and_its_record_the_payer_gets_the_same_session(
    shop: Shop, victim: Victim
) -> None:
    order = shop.order()
    before = shop.control.count("checkout.session")
    victim.run("session-created", "pay", str(order.id))
    assert shop.attempt_states(order) == ["created"]
    assert shop.control.count("checkout.session") == before + 1
    session = shop.open(order)
    assert shop.control.count("checkout.session") == before + 1
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == PAID


def test_killed_between_the_call_and_its_record_the_poller_adopts_the_session(
    shop: Shop, victim: Victim
) -> None:
    order = shop.order()
    victim.run("session-created", "pay", str(order.id))
    shop.clock.move(minutes=5)
    poll({})
    [attempt] = shop.attempts(order)
    assert attempt.state == "open"
    shop.pay(attempt.session_id or "")
    shop.clock.move(minutes=1)
    poll({})
    assert shop.outcome(order) == PAID


@pytest.mark.parametrize("by", ["the worker", "Stripe"])
def test_killed_between_the_event_and_its_effects_they_are_made_later(
    shop: Shop, victim: Victim, by: str
) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    [event] = shop.told(session)
    body = json.dumps(event, indent=2)
    signature = stripe.WebhookSignature.generate_signature_header(
        body, shop.sandbox.webhook_secret, int(time.time())
    )
    victim.run("event-committed", "hear", signature, stdin=body)
    [row] = shop.inbox()
    assert (row.id, row.processed_at) == (event["id"], None)
    assert shop.outcome(order) == (["awaiting_payment"], ["open"], [], 0)
    if by == "Stripe":
        assert shop.deliver(event) == 200
    else:
        shop.clock.move(minutes=2)
        poll({})
    assert shop.outcome(order) == PAID
    assert shop.inbox()[0].outcome == "paid"
