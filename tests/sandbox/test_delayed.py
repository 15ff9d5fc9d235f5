"""Paying from a bank account: complete and unpaid for days, then paid or not."""

from typing import Any

import pytest
import requests
import stripe

from regsys.sandbox.checkout import DELAY
from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl, SandboxRefused
from tests.sandbox.receiver import Receiver
from tests.sandbox.test_page import press

ACH, ACH_CLOSED = "000123456789", "000111111113"
IBAN, IBAN_BAD = "DE89370400440532013000", "DE62370400440532013001"
DEEP: Any = {"expand": ["payment_intent.latest_charge.balance_transaction"]}


def open_later(client: stripe.StripeClient, currency: str = "usd") -> Any:
    method = {"usd": "us_bank_account", "eur": "sepa_debit"}[currency]
    asked = order(allowed_payment_method_types=["card", method])
    asked["line_items"][0]["price_data"]["currency"] = currency
    return client.v1.checkout.sessions.create(asked)


def told_of(control: SandboxControl, session: Any) -> list[str]:
    """List the kinds of events about a session, its intent and its charge, oldest first."""
    return [
        e["type"]
        for e in control.events()
        if e["data"]["object"]["id"] == session.id
        or session.payment_intent
        in (e["data"]["object"]["id"], e["data"]["object"].get("payment_intent"))
    ]


def test_offered_only_where_allowed_and_in_its_currency(
    client: stripe.StripeClient, session: Any
) -> None:
    assert "bank account" not in requests.get(session.url, timeout=5).text
    later = open_later(client)
    assert later.payment_method_types == ["card", "us_bank_account"]
    text = requests.get(later.url, timeout=5).text
    assert "Or from a bank account" in text
    assert ACH in text
    assert "<script" not in text
    assert "IBAN" in requests.get(open_later(client, "eur").url, timeout=5).text
    euros = order(allowed_payment_method_types=["card", "sepa_debit"])
    assert client.v1.checkout.sessions.create(euros).payment_method_types == ["card"]


def test_account_alone_hides_the_card(client: stripe.StripeClient) -> None:
    asked = order(allowed_payment_method_types=["us_bank_account"])
    later = client.v1.checkout.sessions.create(asked)
    assert "Card number" not in requests.get(str(later.url), timeout=5).text
    assert press(later, play="pay").status_code == 400


@pytest.mark.parametrize(
    ("currency", "number", "fee"), [("usd", ACH, 500), ("eur", IBAN, 35)], ids=["ach", "sepa"]
)
def test_completes_unpaid_then_pays(
    client: stripe.StripeClient, control: SandboxControl, currency: str, number: str, fee: int
) -> None:
    session = open_later(client, currency)
    answer = press(session, play="bank", routing="110000000", account=number)
    assert answer.status_code == 303
    lines = len(control.books())
    waiting: Any = client.v1.checkout.sessions.retrieve(session.id, DEEP)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    assert (waiting.payment_intent.status, waiting.payment_intent.amount_received) == (
        "processing",
        0,
    )
    charge = waiting.payment_intent.latest_charge
    assert (charge.status, charge.paid, charge.balance_transaction) == ("pending", False, None)
    control.finish_delayed(session.id, True)
    paid: Any = client.v1.checkout.sessions.retrieve(session.id, DEEP)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    line = paid.payment_intent.latest_charge.balance_transaction
    assert (line.type, line.fee, line.net) == ("payment", fee, 92000 - fee)
    assert len(control.books()) == lines + 1
    flat: Any = client.v1.checkout.sessions.retrieve(session.id)
    assert told_of(control, flat) == [
        "charge.pending", "payment_intent.processing", "checkout.session.completed",
        "charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "number", "code"),
    [("usd", ACH_CLOSED, "account_closed"), ("eur", IBAN_BAD, "debit_not_authorized")],
    ids=["ach", "sepa"],
)
def test_documented_number_fails_by_itself_after_four_days(
    own: Sandbox, own_receiver: Receiver, currency: str, number: str, code: str
) -> None:
    client = own.client()
    session = open_later(client, currency)
    own.control.pay(session.id, account=number)
    own.shift(DELAY - 60)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    assert own.control.events("checkout.session.async_payment_failed") == []
    own.shift(DELAY + 60)
    own_receiver.wait("checkout.session.async_payment_failed")
    failed: Any = client.v1.checkout.sessions.retrieve(session.id, DEEP)
    assert (failed.status, failed.payment_status) == ("complete", "unpaid")
    intent = failed.payment_intent
    assert (intent.status, intent.last_payment_error.code) == ("requires_payment_method", code)
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)
    assert own.control.books() == []


def test_documented_number_works_by_itself(own: Sandbox, own_receiver: Receiver) -> None:
    session = open_later(own.client())
    own.control.pay(session.id, account=ACH)
    own.shift(DELAY + 1)
    own_receiver.wait("checkout.session.async_payment_succeeded")
    assert own.client().v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_good_number_can_be_made_to_fail(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    session = open_later(client)
    control.pay(session.id, account=ACH)
    control.finish_delayed(session.id, False)
    ended = client.v1.checkout.sessions.retrieve(session.id)
    assert told_of(control, ended)[-3:] == [
        "charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed",
    ]  # fmt: skip
    with pytest.raises(SandboxRefused, match="waits for no money"):
        control.finish_delayed(session.id, True)


def test_money_on_its_way_is_neither_refunded_nor_expired(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    session = open_later(client)
    intent = control.pay(session.id, account=ACH)["session"]["payment_intent"]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(session.id)


def test_refund_of_an_account_waits(client: stripe.StripeClient, control: SandboxControl) -> None:
    session = open_later(client)
    intent = control.pay(session.id, account=ACH)["session"]["payment_intent"]
    control.finish_delayed(session.id, True)
    refund: Any = client.v1.refunds.create({"payment_intent": intent, "amount": 500})
    assert (refund.id[:4], refund.status, refund.pending_reason) == (
        "pyr_",
        "pending",
        "processing",
    )
    control.advance_refund(refund.id)
    done: Any = client.v1.refunds.retrieve(refund.id, {"expand": ["balance_transaction"]})
    line = done.balance_transaction
    assert (done.status, line.type, line.net) == ("succeeded", "payment_refund", -500)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"routing": "12"}, "routing number"), ({"account": "1234"}, "no test account"), ({"email": "x"}, "incomplete")],
)  # fmt: skip
def test_unfinished_account_is_shown_again(
    client: stripe.StripeClient, changes: dict[str, str], sentence: str
) -> None:
    session = open_later(client)
    form = {"play": "bank", "routing": "110000000", "account": ACH} | changes
    answer = press(session, **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


@pytest.mark.parametrize(("play", "end"), [("later_works", "paid"), ("later_fails", "unpaid")])
def test_buttons_pay_later(own: Sandbox, play: str, end: str) -> None:
    session = open_later(own.client())
    assert press(session, play=play).status_code == 303
    own.shift(DELAY + 1)
    assert own.client().v1.checkout.sessions.retrieve(session.id).payment_status == end
