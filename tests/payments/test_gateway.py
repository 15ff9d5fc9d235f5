"""What we say to Stripe: real library, real HTTP, judged by Stripe's own schema; and how its errors reach us."""

import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from regsys.payments import gateway, rules
from regsys.payments.gateway import KeyReused, Missing, Rejected, Unreachable
from regsys.payments.rules import Offer, Session
from tests.conftest import Clock
from tests.payments.shop import Shop
from tests.sandbox.control import Sandbox
from tests.stripe_judge import Recorder, require_judge

# Every address of Stripe's that gateway.py uses.
ENDPOINTS = {
    "POST /v1/checkout/sessions",
    "GET /v1/checkout/sessions",
    "GET /v1/checkout/sessions/{session}",
    "POST /v1/checkout/sessions/{session}/expire",
    "POST /v1/refunds",
    "GET /v1/refunds",
    "GET /v1/refunds/{refund}",
    "GET /v1/disputes",
    "GET /v1/disputes/{dispute}",
    "GET /v1/charges",
    "GET /v1/charges/{charge}",
    "GET /v1/payment_intents/{intent}",
    "GET /v1/balance_transactions",
    "GET /v1/payouts",
    "GET /v1/balance",
    "GET /v1/webhook_endpoints",
    "GET /v1/events",
}


def params(shop: Shop, tag: str, **changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "code": "ABC234",
        "currency": "USD",
        "amount": 184000,
        "lines": [("Standard place", 92000), ("Standard place", 92000)],
        "titles": ["Introductory Intensive"],
        "email": "lysander@example.org",
        "success_url": "https://x.example/o/t/paid?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://x.example/o/t",
    }
    end = shop.clock.now + rules.LIFETIME
    return rules.build_params(Offer(**{**facts, **changes}), tag=tag, expires_at=end)


def create(shop: Shop, tag: str, **changes: Any) -> Session:
    return gateway.create_session(params(shop, tag, **changes), key=new_key())


def new_key() -> str:
    """Return a key that no other run on the same stand-in has used."""
    return f"key-{secrets.token_hex(8)}"


def test_every_endpoint_that_we_use_passes_stripes_own_schema(
    shop: Shop, recorder: Recorder
) -> None:
    judge = require_judge()
    session = create(shop, "all-endpoints")
    shop.pay(session.id)
    paid = gateway.retrieve_session(session.id)
    assert paid.payment_intent
    made = gateway.create_refund(
        paid.payment_intent, 100, key=new_key(), metadata={rules.REFUND_TAG: "r1"}
    )
    assert gateway.list_refunds(paid.payment_intent) == [made]
    assert gateway.retrieve_refund(made.id) == made
    assert gateway.find_tag(paid.payment_intent) == "all-endpoints"
    assert gateway.find_intent(paid.charge or "") == paid.payment_intent
    opened = shop.control.dispute(paid.payment_intent)
    assert gateway.retrieve_dispute(opened["id"]).payment_intent == paid.payment_intent
    today = int(shop.clock.now.timestamp()) - 3600
    for read in (gateway.list_charges, gateway.list_all_refunds, gateway.list_disputes,
                 gateway.list_balance_lines, gateway.list_payouts):  # fmt: skip
        list(read(today))
    gateway.get_balance()
    gateway.expire_session(create(shop, "all-endpoints-2").id)
    gateway.find_session("nobody", since=shop.clock.now, until=shop.clock.now)
    gateway.ping()
    gateway.list_endpoints()
    gateway.list_events(
        since=shop.clock.now - timedelta(days=1),
        types=["checkout.session.completed"],
        undelivered=True,
    )
    assert judge.list_problems(recorder.exchanges) == []
    assert {e: judge.seen[e] > 0 for e in ENDPOINTS} == dict.fromkeys(ENDPOINTS, True)
    assert set(judge.seen) == ENDPOINTS


def test_a_paid_session_tells_amount_fee_and_mark(shop: Shop) -> None:
    session = create(shop, "facts")
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.payment_intent, session.fee) == (None, None)
    assert session.url
    shop.pay(session.id)
    paid = gateway.retrieve_session(session.id)
    assert (paid.status, paid.payment_status, paid.amount_total) == ("complete", "paid", 184000)
    assert (paid.currency, paid.livemode, paid.mode, paid.tag) == ("usd", False, "payment", "facts")
    assert (paid.url, paid.fee) == (None, 5366)
    assert (paid.payment_intent or "").startswith("pi_")


def test_rule_16_a_session_is_found_by_its_mark(shop: Shop) -> None:
    now = shop.clock.now
    made = [create(shop, f"found-{n}") for n in range(3)]
    span = {"since": now - timedelta(minutes=5), "until": now + timedelta(minutes=5)}
    found = gateway.find_session("found-1", **span)
    assert found is not None
    assert found.id == made[1].id
    assert gateway.find_session("found-9", **span) is None
    before = {"since": now - timedelta(minutes=9), "until": now - timedelta(minutes=5)}
    assert gateway.find_session("found-1", **before) is None


def test_the_same_key_gives_the_same_session_and_other_params_are_refused(shop: Shop) -> None:
    asked, key = params(shop, "twice"), new_key()
    first = gateway.create_session(asked, key=key)
    assert gateway.create_session(asked, key=key).id == first.id
    with pytest.raises(KeyReused):
        gateway.create_session({**asked, "client_reference_id": "other"}, key=key)


@pytest.mark.parametrize("fault", ["429", "500", "409", "drop-before", "drop"])
def test_rule_40_without_a_usable_answer_stripe_is_unreachable(shop: Shop, fault: str) -> None:
    shop.control.fail("get_balance", fault, times=3)
    with pytest.raises(Unreachable) as raised:
        gateway.ping()
    assert "Stripe" in str(raised.value)
    assert not raised.value.not_charged
    shop.control.clear_faults()
    gateway.ping()


def test_rule_18_a_conflict_is_asked_again_by_itself(shop: Shop) -> None:
    shop.control.fail("create_session", "409", times=2)
    assert create(shop, "conflict").status == "open"


def test_what_stripe_understands_and_refuses_says_why(shop: Shop) -> None:
    with pytest.raises(Missing):
        gateway.retrieve_session("cs_test_nobody")
    with pytest.raises(Rejected) as small:
        create(shop, "small", amount=20, lines=[("Place", 20)])
    assert small.value.code == "amount_too_small"
    with pytest.raises(Rejected) as wrong:
        create(shop, "address", email="nobody")
    assert wrong.value.param == "customer_email"
    session = create(shop, "expired")
    gateway.expire_session(session.id)
    with pytest.raises(Rejected):
        gateway.expire_session(session.id)


def test_rule_13_an_end_less_than_thirty_minutes_ahead_is_refused(shop: Shop) -> None:
    late = params(shop, "late")
    shop.clock.move(minutes=6)
    with pytest.raises(Rejected) as raised:
        gateway.create_session(late, key=new_key())
    assert raised.value.param == "expires_at"


def test_nothing_is_asked_inside_a_transaction(shop: Shop, recorder: Recorder) -> None:
    calls: list[Any] = [
        lambda: gateway.create_session({}, key="k"),
        lambda: gateway.retrieve_session("cs_1"),
        lambda: gateway.expire_session("cs_1"),
        lambda: gateway.find_session("t", since=shop.clock.now, until=shop.clock.now),
        lambda: gateway.create_refund("pi_1", 1, key="k", metadata={}),
        lambda: gateway.list_refunds("pi_1"),
        lambda: gateway.retrieve_refund("re_1"),
        lambda: gateway.retrieve_dispute("du_1"),
        lambda: gateway.find_intent("ch_1"),
        lambda: gateway.find_tag("pi_1"),
        lambda: gateway.list_charges(0),
        lambda: gateway.list_all_refunds(0),
        lambda: gateway.list_disputes(0),
        lambda: gateway.list_balance_lines(0),
        lambda: gateway.list_payouts(0),
        gateway.get_balance,
        gateway.ping,
        gateway.list_endpoints,
        lambda: gateway.list_events(since=shop.clock.now, types=[], undelivered=False),
    ]
    for call in calls:
        with transaction(), pytest.raises(RuntimeError, match="inside a transaction"):
            call()
    assert recorder.exchanges == []


def test_a_wrong_key_is_no_answer(
    data: Any, stripe: Sandbox, clock: Clock, make_app: Any, database: Any
) -> None:
    settings = Settings.for_tests(data, DATABASE_URL=database.url, STRIPE_API_BASE=stripe.url)
    with make_app(settings).app_context(), pytest.raises(Unreachable):
        gateway.ping()


@pytest.fixture
def silent() -> Iterator[str]:
    """Listen, take requests, and never answer."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ended.wait(30)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    ended.set()
    server.shutdown()
    server.server_close()


@pytest.mark.long
def test_rule_40_a_silent_stripe_is_given_up_after_ten_seconds_three_times(
    silent: str, data: Any, make_app: Any, database: Any
) -> None:
    settings = Settings.for_tests(
        data, DATABASE_URL=database.url, STRIPE_API_BASE=silent,
        STRIPE_SECRET_KEY="sk_test_sandbox_" + "0" * 24,
    )  # fmt: skip
    with make_app(settings).app_context(), pytest.raises(Unreachable):
        gateway.ping()


def test_the_library_is_loaded_late_and_leaves_no_trace(tmp_path: Path) -> None:
    """Importing the app loads no Stripe; a call writes nothing into the home directory."""
    program = """
import sys, regsys.app, regsys.payments.public, regsys.payments.webhook
assert "stripe" not in sys.modules
from regsys.payments import gateway
sdk = gateway._stripe()
client = sdk.StripeClient("sk_test_1", base_addresses={"api": "http://127.0.0.1:9"}, max_network_retries=0)
try:
    client.v1.balance.retrieve()
except sdk.APIConnectionError:
    print("asked")
"""
    env = {"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True)
    assert done.stdout == b"asked\n"
    assert list(tmp_path.iterdir()) == []
