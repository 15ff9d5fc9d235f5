"""Every endpoint and every event, held against Stripe's own schema."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from flask import Flask

from regsys.sandbox.api import api
from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl
from tests.stripe_judge import Judge, Recorder, find_judge, require_judge

ENDPOINTS = {
    "POST /v1/checkout/sessions",
    "GET /v1/checkout/sessions",
    "GET /v1/checkout/sessions/{session}",
    "GET /v1/checkout/sessions/{session}/line_items",
    "POST /v1/checkout/sessions/{session}/expire",
    "GET /v1/payment_intents",
    "GET /v1/payment_intents/{intent}",
    "GET /v1/charges",
    "GET /v1/charges/{charge}",
    "POST /v1/refunds",
    "GET /v1/refunds",
    "GET /v1/refunds/{refund}",
    "GET /v1/events",
    "GET /v1/events/{id}",
    "GET /v1/webhook_endpoints",
    "GET /v1/webhook_endpoints/{webhook_endpoint}",
    "GET /v1/balance_transactions",
    "GET /v1/balance_transactions/{id}",
    "GET /v1/balance",
}
EVENTS = {
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "charge.failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
}


@pytest.fixture
def judge() -> Judge:
    """Give Stripe's schema, or skip."""
    return require_judge()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Keep every exchange of the test."""
    recorder = Recorder()
    yield recorder
    recorder.close()


def sell(v1: Any, control: SandboxControl) -> None:
    """Open, decline, pay, refund in every way, and expire."""
    at = int(time.time()) + 35 * 60
    session = v1.checkout.sessions.create(order(expires_at=at, expand=["line_items"]))
    control.pay(session.id, card="4000000000009995")
    v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    intent = control.pay(session.id)["session"]["payment_intent"]
    for ask in ({"amount": 100, "reason": "duplicate", "metadata": {"a": "b"}}, {}):
        v1.refunds.create({"payment_intent": intent, **ask})
    for card in ("4000000000007726", "4000000000005126"):
        other = v1.checkout.sessions.create(order())
        intent = control.pay(other.id, card=card)["session"]["payment_intent"]
        refund = v1.refunds.create({"payment_intent": intent})
        control.advance_refund(refund.id)
        v1.refunds.retrieve(
            refund.id, {"expand": ["charge.refunds", "failure_balance_transaction"]}
        )
    v1.checkout.sessions.expire(v1.checkout.sessions.create(order()).id)


def read(v1: Any) -> None:
    """Look at everything, alone and in lists."""
    deep = {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    for session in v1.checkout.sessions.list(
        {"limit": 4, "created": {"gte": 0}, **_in_list(deep)}
    ).data:
        v1.checkout.sessions.retrieve(session.id, deep)
        v1.checkout.sessions.line_items.list(session.id)
    for ask in (
        v1.payment_intents,
        v1.charges,
        v1.refunds,
        v1.events,
        v1.balance_transactions,
        v1.webhook_endpoints,
    ):
        for found in ask.list({"limit": 20}).data:
            ask.retrieve(found.id)
    v1.events.list({"types": ["checkout.session.completed"], "delivery_success": False})
    v1.balance.retrieve()


def _in_list(asked: dict[str, list[str]]) -> dict[str, list[str]]:
    return {"expand": [f"data.{path}" for path in asked["expand"]]}


def refuse(v1: Any) -> None:
    """Be refused in several ways: refusals have a shape too."""
    asks = (
        lambda: v1.checkout.sessions.create(order(bogus=1)),
        lambda: v1.checkout.sessions.retrieve("cs_test_nobody"),
        lambda: v1.refunds.create({"payment_intent": "pi_nobody"}),
    )
    for ask in asks:
        with pytest.raises(stripe.InvalidRequestError):
            ask()


def test_every_endpoint_and_event_has_stripes_shape(
    sandbox: Sandbox, judge: Judge, recorder: Recorder
) -> None:
    v1 = sandbox.client(recorder).v1
    others = {e["id"] for e in sandbox.control.events()}  # some tests forge what Stripe never says
    sell(v1, sandbox.control)
    read(v1)
    refuse(v1)
    assert judge.list_problems(recorder.exchanges) == []
    told = [e for e in sandbox.control.events() if e["id"] not in others]
    assert judge.list_event_problems(told) == []
    assert set(judge.seen) == ENDPOINTS | EVENTS


def test_every_operation_is_among_the_judged() -> None:
    app = Flask("operations")
    app.register_blueprint(api)
    registered = {r.endpoint for r in app.url_map.iter_rules() if r.endpoint.startswith("api.")}
    assert len(registered) == len(ENDPOINTS)


def test_judge_sees_what_is_wrong(judge: Judge, sandbox: Sandbox, recorder: Recorder) -> None:
    sandbox.client(recorder).v1.balance.retrieve()
    recorder.exchanges[0].answer["available"] = "much"
    assert judge.list_problems(recorder.exchanges) == [
        "GET /v1/balance -> 200: $.available: expected array, got str"
    ]


def test_judge_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGSYS_STRIPE_JUDGE", "/nowhere")
    with pytest.warns(UserWarning, match="skipped: not found"):
        assert find_judge() is None
