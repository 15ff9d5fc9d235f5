"""Money back: whole, in parts, never too much, pending, failing."""

from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl
from tests.sandbox.receiver import Receiver


def paid(client: stripe.StripeClient, control: SandboxControl, card: str | None = None) -> str:
    session = client.v1.checkout.sessions.create(order())
    return str(control.pay(session.id, card=card)["session"]["payment_intent"])


def charge_of(client: stripe.StripeClient, intent: str) -> Any:
    return client.v1.charges.list({"payment_intent": intent}).data[0]


def test_two_parts_and_the_rest(client: stripe.StripeClient, control: SandboxControl) -> None:
    intent = paid(client, control)
    for amount, left in ((30000, False), (40000, False), (None, True)):
        ask: Any = {"payment_intent": intent} | ({"amount": amount} if amount else {})
        refund = client.v1.refunds.create(ask)
        assert refund.status == "succeeded"
        assert charge_of(client, intent).refunded is left
    found = client.v1.refunds.list({"payment_intent": intent}).data
    assert [r.amount for r in found] == [22000, 40000, 30000]


@pytest.mark.parametrize("amount", [92001, 0, -5])
def test_too_much_or_nothing_is_refused(
    client: stripe.StripeClient, control: SandboxControl, amount: int
) -> None:
    intent = paid(client, control)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent, "amount": amount})
    assert (refused.value.http_status, refused.value.param) == (400, "amount")
    assert charge_of(client, intent).amount_refunded == 0


def test_second_full_refund_is_refused(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control)
    client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"


def test_unpaid_and_unknown_cannot_be_refunded(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    intent = paid(client, control, "4000000000000002")
    asks: list[Any] = [
        {"payment_intent": intent},
        {"payment_intent": "pi_nobody"},
        {"charge": "ch_nobody"},
        {},
        {"charge": "ch_1", "payment_intent": intent},
        {"payment_intent": intent, "reason": "other"},
    ]
    for ask in asks:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create(ask)
        assert refused.value.http_status == 400


def test_refund_is_told(client: stripe.StripeClient, control: SandboxControl) -> None:
    refund = client.v1.refunds.create(
        {"payment_intent": paid(client, control), "amount": 100, "metadata": {"refund": "3"}}
    )
    told = [
        e for e in control.events() if e["data"]["object"].get("id") in (refund.id, refund.charge)
    ]
    assert [e["type"] for e in told][1:] == ["refund.created", "charge.refunded", "refund.updated"]
    assert told[2]["data"]["previous_attributes"] == {"amount_refunded": 0, "refunded": False}
    assert told[1]["data"]["object"]["metadata"] == {"refund": "3"}
    assert told[1]["request"]["id"].startswith("req_")


def test_pending_refund_succeeds_later(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control, "4000000000007726")
    refund = client.v1.refunds.create({"payment_intent": intent})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    assert charge_of(client, intent).amount_refunded == 92000
    control.advance_refund(refund.id)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert control.events("refund.updated")[-1]["data"]["object"]["status"] == "succeeded"
    control.advance_refund(refund.id)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_refund_fails_later_and_the_money_is_back(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control, "4000000000005126")
    refund = client.v1.refunds.create({"payment_intent": intent})
    assert refund.status == "succeeded"
    control.advance_refund(refund.id)
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    expand: Any = {"expand": ["failure_balance_transaction"]}
    fetched: Any = client.v1.refunds.retrieve(refund.id, expand)
    line = fetched.failure_balance_transaction
    assert (line.type, line.net) == ("refund_failure", 92000)
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert control.events("refund.failed")[-1]["data"]["object"]["id"] == refund.id


def test_second_act_comes_by_itself(own: Sandbox, own_receiver: Receiver) -> None:
    client = own.client()
    refund = client.v1.refunds.create(
        {"payment_intent": paid(client, own.control, "4000000000005126")}
    )
    own.shift(11)
    own_receiver.wait("refund.failed")
    assert client.v1.refunds.retrieve(refund.id).status == "failed"


def test_refund_in_the_dashboard(client: stripe.StripeClient, control: SandboxControl) -> None:
    intent = paid(client, control)
    part = control.refund_in_dashboard(intent, 20000)
    rest = control.refund_in_dashboard(charge_of(client, intent).id)
    assert [r.id for r in client.v1.refunds.list({"payment_intent": intent}).data] == [
        rest["id"],
        part["id"],
    ]
    assert (part["amount"], rest["amount"], rest["metadata"]) == (20000, 72000, {})
    assert control.events("charge.refunded")[-1]["request"]["id"] is None


def test_any_refund_can_be_made_to_fail(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control)
    refund = control.refund_in_dashboard(intent, 20000)
    for _ in range(2):
        assert control.fail_refund(refund["id"])["status"] == "failed"
    assert charge_of(client, intent).amount_refunded == 0
    told = [e for e in control.events("refund.failed") if e["data"]["object"]["id"] == refund["id"]]
    assert len(told) == 1


def test_pages_of_refunds_and_charges(client: stripe.StripeClient, control: SandboxControl) -> None:
    intent = paid(client, control)
    ids = [control.refund_in_dashboard(intent, 100)["id"] for _ in range(5)][::-1]
    charge = charge_of(client, intent)
    first = client.v1.refunds.list({"charge": charge.id, "limit": 2})
    assert ([r.id for r in first.data], first.has_more) == (ids[:2], True)
    everyone = client.v1.refunds.list({"charge": charge.id, "limit": 2}).auto_paging_iter()
    assert [r.id for r in everyone] == ids
    assert (
        client.v1.refunds.list({"charge": charge.id, "created": {"lt": charge.created}}).data == []
    )
    since = client.v1.charges.list({"created": {"gte": charge.created}, "limit": 1})
    assert since.data[0].id == charge.id
