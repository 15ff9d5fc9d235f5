"""Money goes to the account holder's bank, and every line of the statement says with which payout."""

from typing import Any

import pytest
import stripe

from regsys.sandbox.payouts import ON_THE_WAY
from tests.sandbox.control import Sandbox
from tests.sandbox.test_refunds import paid

AT_ONCE = "4000000000000077"
DAY = 24 * 3600


@pytest.fixture
def client(own: Sandbox) -> stripe.StripeClient:
    """Give the SDK for a stand-in with empty books."""
    return own.client()


def available(client: stripe.StripeClient) -> int:
    return sum(b.amount for b in client.v1.balance.retrieve().available)


def test_only_what_is_available_goes(own: Sandbox, client: stripe.StripeClient) -> None:
    paid(client, own.control)
    assert own.control.payout() == []
    paid(client, own.control, AT_ONCE)
    assert available(client) == 89302
    (payout,) = own.control.payout()
    assert (payout["amount"], payout["currency"], payout["automatic"]) == (89302, "usd", True)
    assert available(client) == 0
    own.shift(3 * DAY)
    assert available(client) == 89302
    assert [p["amount"] for p in own.control.payout()] == [89302]


def test_payout_names_its_lines(own: Sandbox, client: stripe.StripeClient) -> None:
    intent = paid(client, own.control)
    client.v1.refunds.create({"payment_intent": intent, "amount": 2000})
    own.control.dispute(paid(client, own.control), amount=1000)
    paid(client, own.control)
    (payout,) = own.control.payout(early=True)
    lines = client.v1.balance_transactions.list({"payout": payout["id"], "limit": 100}).data
    assert [t.type for t in lines] == [
        "payout", "charge", "adjustment", "charge", "refund", "charge",
    ]  # fmt: skip
    assert sum(t.net for t in lines) == 0
    assert {t.status for t in lines} == {"available"}
    assert lines[0].id == payout["balance_transaction"]
    later = paid(client, own.control)
    unpaid = {t["source"] for t in own.control.books()} - {t.source for t in lines}
    assert unpaid == {client.v1.payment_intents.retrieve(later).latest_charge}


def test_balance_below_zero_waits(own: Sandbox, client: stripe.StripeClient) -> None:
    client.v1.refunds.create({"payment_intent": paid(client, own.control)})
    assert own.control.payout(early=True) == []


def test_payout_arrives_by_itself(own: Sandbox, client: stripe.StripeClient) -> None:
    paid(client, own.control, AT_ONCE)
    (made,) = own.control.payout()
    assert client.v1.payouts.retrieve(made["id"]).status == "in_transit"
    own.shift(ON_THE_WAY + 1)
    assert client.v1.payouts.retrieve(made["id"]).status == "paid"
    assert own.control.events("payout.paid")[0]["data"]["object"]["id"] == made["id"]


def test_payouts_are_listed_and_found(own: Sandbox, client: stripe.StripeClient) -> None:
    for _ in range(3):
        paid(client, own.control, AT_ONCE)
        own.control.payout()
    first: Any = client.v1.payouts.list({"limit": 2, "created": {"gte": 0}})
    assert (len(first.data), first.has_more) == (2, True)
    assert client.v1.payouts.list({"arrival_date": {"lt": 1}}).data == []
    assert client.v1.payouts.list({"status": "paid"}).data == []
    for ask in (
        lambda: client.v1.payouts.retrieve("po_nobody"),
        lambda: client.v1.balance_transactions.list({"payout": "po_nobody"}),
        lambda: client.v1.payouts.list({"bogus": "1"}),  # type: ignore[typeddict-unknown-key]
    ):
        with pytest.raises(stripe.InvalidRequestError):
            ask()


def test_books_are_the_statement(own: Sandbox, client: stripe.StripeClient) -> None:
    intent = paid(client, own.control)
    client.v1.refunds.create({"payment_intent": intent})
    lines = own.control.books()
    listed = client.v1.balance_transactions.list({"limit": 100}).data
    assert [t["id"] for t in lines] == [t.id for t in listed][::-1]
    assert [(t["type"], t["net"]) for t in lines] == [("charge", 89302), ("refund", -92000)]
