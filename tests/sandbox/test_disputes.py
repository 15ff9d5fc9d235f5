"""A payer goes to the bank: chargebacks and inquiries, and how they end."""

import time
from typing import Any

import pytest
import stripe

from tests.sandbox.control import SandboxControl
from tests.sandbox.test_refunds import charge_of, paid

FRAUD, MISSING, INQUIRY = "4000000000000259", "4000000000002685", "4000000000001976"


def told(control: SandboxControl, dispute: str) -> list[str]:
    """List what was told of a dispute, oldest first, without the common beginning of its name."""
    found = [e for e in control.events() if e["data"]["object"]["id"] == dispute]
    return [e["type"].removeprefix("charge.dispute.") for e in found]


def lines_of(client: stripe.StripeClient, dispute: str) -> list[tuple[str, int, int, int]]:
    found = client.v1.balance_transactions.list({"source": dispute}).data
    return [(t.reporting_category, t.amount, t.fee, t.net) for t in found]


@pytest.mark.parametrize(
    ("card", "reason"), [(FRAUD, "fraudulent"), (MISSING, "product_not_received")]
)
def test_card_is_disputed_and_the_money_taken(
    client: stripe.StripeClient, control: SandboxControl, card: str, reason: str
) -> None:
    intent = paid(client, control, card)
    (dispute,) = client.v1.disputes.list({"payment_intent": intent}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", reason, 92000)
    assert dispute.is_charge_refundable is False
    assert 7 < ((dispute.evidence_details.due_by or 0) - time.time()) / 86400 < 11
    assert charge_of(client, intent).disputed is True
    assert lines_of(client, dispute.id) == [("dispute", -92000, 1500, -93500)]
    assert told(control, dispute.id) == ["created", "funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_disputed"


def test_inquiry_takes_nothing_and_can_be_refunded(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control, INQUIRY)
    (dispute,) = client.v1.disputes.list({"charge": charge_of(client, intent).id}).data
    assert (dispute.status, dispute.is_charge_refundable) == ("warning_needs_response", True)
    assert lines_of(client, dispute.id) == []
    assert client.v1.refunds.create({"payment_intent": intent}).status == "succeeded"
    assert control.close_dispute(dispute.id, "warning_closed")["is_charge_refundable"] is True
    assert told(control, dispute.id) == ["created", "closed"]


def test_inquiry_grows_into_a_chargeback(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control)
    dispute = control.dispute(intent, "warning_needs_response")
    grown = control.update_dispute(dispute["id"], "needs_response")
    assert grown["is_charge_refundable"] is False
    assert len(grown["balance_transactions"]) == 1
    assert told(control, dispute["id"]) == ["created", "updated", "funds_withdrawn"]


def test_won_gives_the_money_back_but_not_the_fee(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control)
    dispute = control.dispute(intent, reason="product_not_received")["id"]
    sent = control.update_dispute(dispute, "under_review")["evidence_details"]
    assert (sent["has_evidence"], sent["submission_count"]) == (True, 1)
    control.close_dispute(dispute, "won")
    back, taken = lines_of(client, dispute)
    assert back == ("dispute_reversal", 92000, 0, 92000)
    assert taken == ("dispute", -92000, 1500, -93500)
    assert told(control, dispute) == [
        "created", "funds_withdrawn", "updated", "funds_reinstated", "closed",
    ]  # fmt: skip
    assert client.v1.refunds.create({"payment_intent": intent}).status == "succeeded"


def test_lost_stays_lost(client: stripe.StripeClient, control: SandboxControl) -> None:
    intent = paid(client, control)
    dispute = control.dispute(intent, amount=50000)["id"]
    control.close_dispute(dispute, "lost")
    assert lines_of(client, dispute) == [("dispute", -50000, 1500, -51500)]
    assert client.v1.disputes.retrieve(dispute).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent})


def test_status_that_nobody_knows_yet(client: stripe.StripeClient, control: SandboxControl) -> None:
    dispute = control.dispute(paid(client, control), "appeal_by_carrier_pigeon")["id"]
    assert client.v1.disputes.retrieve(dispute).status == "appeal_by_carrier_pigeon"
    control.update_dispute(dispute, "under_moonlight")
    control.close_dispute(dispute, "drawn")
    assert client.v1.disputes.retrieve(dispute).status == "drawn"
    assert told(control, dispute) == ["created", "funds_withdrawn", "updated", "closed"]


def test_what_was_refunded_is_not_disputed_again(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    intent = paid(client, control)
    client.v1.refunds.create({"payment_intent": intent, "amount": 30000})
    assert control.dispute(intent)["amount"] == 62000


def test_lists_page_and_find(client: stripe.StripeClient, control: SandboxControl) -> None:
    ids = [control.dispute(paid(client, control))["id"] for _ in range(3)][::-1]
    first: Any = client.v1.disputes.list({"limit": 2, "created": {"gte": 0}})
    assert ([d.id for d in first.data], first.has_more) == (ids[:2], True)
    after = client.v1.disputes.list({"limit": 1, "starting_after": ids[1]})
    assert after.data[0].id == ids[2]
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.disputes.retrieve("du_nobody")
    assert unknown.value.http_status == 404
