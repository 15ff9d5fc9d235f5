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
from tests.stripe_judge import Judge, Recorder, find_judge, list_misfits, require_judge

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
    "GET /v1/disputes",
    "GET /v1/disputes/{dispute}",
    # The published schema at hand has no payouts: the fields of the SDK's own class are their judge.
    "GET /v1/payouts",
    "GET /v1/payouts/{payout}",
}
EVENTS = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.pending",
    "charge.succeeded",
    "charge.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "payout.created",
    "payout.paid",
    "payout.failed",
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


def authenticate(v1: Any, control: SandboxControl) -> None:
    """Fail 3-D Secure, then pass it."""
    session = v1.checkout.sessions.create(order()).id
    for proves in (False, True):
        control.pay(session, card="4000002500003155", proves=proves)
        v1.checkout.sessions.retrieve(session, {"expand": ["payment_intent.latest_charge"]})


def pay_later(v1: Any, control: SandboxControl) -> None:
    """Pay from bank accounts of both kinds, with both ends, and give one back."""
    accounts = {
        "usd": ("us_bank_account", "000123456789", "000111111113"),
        "eur": ("sepa_debit", "DE89370400440532013000", "DE62370400440532013001"),
    }
    for currency, (method, *numbers) in accounts.items():
        for number, comes in zip(numbers, (True, False), strict=True):
            asked = order(allowed_payment_method_types=["card", method])
            asked["line_items"][0]["price_data"]["currency"] = currency
            session = v1.checkout.sessions.create(asked).id
            control.pay(session, account=number)
            v1.checkout.sessions.retrieve(session, {"expand": ["payment_intent.latest_charge"]})
            intent = control.finish_delayed(session, comes)["payment_intent"]
            if comes:
                refund = v1.refunds.create({"payment_intent": intent, "amount": 100})
                control.advance_refund(refund.id)


def dispute(v1: Any, control: SandboxControl) -> None:
    """Be disputed in every way, and read of it."""
    for card in ("4000000000000259", "4000000000002685", "4000000000001976"):
        control.pay(v1.checkout.sessions.create(order()).id, card=card)
    deep = {"limit": 3, "expand": ["data.charge", "data.payment_intent"]}
    asked, bought, fraud = v1.disputes.list(deep).data
    control.update_dispute(asked.id, "warning_under_review")
    control.update_dispute(bought.id, "under_review")
    for id, end in ((asked.id, "warning_closed"), (bought.id, "won"), (fraud.id, "lost")):
        control.close_dispute(id, end)
        v1.disputes.retrieve(id, {"expand": ["charge"]})
    intent = control.pay(v1.checkout.sessions.create(order()).id)["session"]["payment_intent"]
    refund = control.refund_in_dashboard(intent, 100)
    control.fail_refund(refund["id"])
    v1.balance_transactions.list({"type": "adjustment", "expand": ["data.source"]})


def pay_out(v1: Any, control: SandboxControl) -> None:
    """Let money go to the bank, come back, and go again; a third is still on its way."""
    for _ in range(3):
        control.pay(v1.checkout.sessions.create(order()).id)
        for made in control.payout(early=True):
            control.fail_payout(made["id"])
    arrived = control.payout(early=True)[0]
    control.advance_payout(arrived["id"])
    v1.payouts.list({"status": "failed", "expand": ["data.balance_transaction"]})
    v1.payouts.retrieve(arrived["id"], {"expand": ["balance_transaction"]})
    with pytest.raises(stripe.InvalidRequestError):
        v1.payouts.retrieve("po_nobody")


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
        v1.disputes,
        v1.webhook_endpoints,
        v1.payouts,
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
        lambda: v1.refunds.create({"charge": v1.disputes.list({"limit": 3}).data[-1].charge}),
    )
    for ask in asks:
        with pytest.raises(stripe.InvalidRequestError):
            ask()


def test_every_endpoint_and_event_has_stripes_shape(
    sandbox: Sandbox, judge: Judge, recorder: Recorder
) -> None:
    v1 = sandbox.client(recorder).v1
    others = {e["id"] for e in sandbox.control.events()}  # some tests forge what Stripe never says
    for act in (sell, authenticate, pay_later, dispute, pay_out):
        act(v1, sandbox.control)
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


def test_the_sdks_class_sees_what_is_wrong_with_a_payout(sandbox: Sandbox) -> None:
    control = sandbox.control
    control.pay(sandbox.client().v1.checkout.sessions.create(order()).id)
    [payout, *_] = control.payout(early=True)
    assert list_misfits(payout, stripe.Payout) == []
    wrong = {**payout, "amount": "1", "automatic": None, "type": "cheque", "bogus": 1}
    del wrong["status"]
    assert sorted(p.split(": ")[1] for p in list_misfits(wrong, stripe.Payout)) == [
        "amount is '1'", "automatic is None", "bogus is not known", "status is missing", "type is 'cheque'",
    ]  # fmt: skip


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
