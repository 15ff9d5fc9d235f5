"""The page of one payment, and the buttons of the home page: refund, dispute, pay out, be busy."""

from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl
from tests.sandbox.receiver import Receiver
from tests.sandbox.test_delayed import ACH, open_later
from tests.sandbox.test_refunds import charge_of, paid


def address(control: SandboxControl, charge: str) -> str:
    return f"{control.url}/payments/{charge}"


def click(control: SandboxControl, charge: str, play: str, **more: str) -> requests.Response:
    form = {"play": play, **more}
    url = address(control, charge)
    return requests.post(url, form, timeout=10, allow_redirects=False)


def read(control: SandboxControl, charge: str) -> str:
    answer = requests.get(address(control, charge), timeout=5)
    assert answer.status_code == 200
    assert "No card is charged" in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


@pytest.fixture
def charge(client: stripe.StripeClient, control: SandboxControl) -> str:
    """Give a paid charge."""
    return str(charge_of(client, paid(client, control)).id)


def test_home_leads_to_the_payment(control: SandboxControl, charge: str) -> None:
    home = requests.get(control.url, timeout=5).text
    assert f'href="/payments/{charge}"' in home
    text = read(control, charge)
    for said in ("$920.00", "EBC-1007", "visa ···· 4242", "Refund all that is left", "$893.02"):
        assert said in text


def test_part_and_rest_are_refunded_and_told(
    client: stripe.StripeClient, control: SandboxControl, receiver: Receiver, charge: str
) -> None:
    assert click(control, charge, "part", amount="20.50").status_code == 303
    assert click(control, charge, "full").status_code == 303
    rest, part = client.v1.refunds.list({"charge": charge}).data
    assert (part.amount, rest.amount) == (2050, 89950)
    assert part.metadata is not None
    assert part.metadata.to_dict() == {}
    told = [e["type"] for e in control.events() if e["data"]["object"]["id"] in (part.id, charge)]
    assert told[-5:] == [
        "charge.succeeded", "refund.created", "charge.refunded", "refund.updated", "charge.refunded",
    ]  # fmt: skip
    for event in control.events("refund.created")[-2:]:
        control.wait_delivered(event["id"])
        assert event["request"]["id"] is None
    text = read(control, charge)
    assert "All of it is given back." in text
    assert "Refund this amount" not in text


@pytest.mark.parametrize("amount", ["", "0", "-3", "much", "920.01"])
def test_impossible_amount_is_said_and_kept(
    control: SandboxControl, charge: str, amount: str
) -> None:
    answer = click(control, charge, "part", amount=amount)
    assert answer.status_code == 422
    assert "Nothing was done" in answer.text
    assert f'value="{amount}"' in answer.text


def test_second_full_refund_is_refused(control: SandboxControl, charge: str) -> None:
    click(control, charge, "full")
    answer = click(control, charge, "full")
    assert answer.status_code == 422
    assert "already been refunded" in answer.text


def test_waiting_refund_succeeds_or_fails_by_button(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    charge = charge_of(client, paid(client, control, "4000000000007726")).id
    for amount in ("10", "20"):
        click(control, charge, "part", amount=amount)
    second, first = client.v1.refunds.list({"charge": charge}).data
    text = read(control, charge)
    assert "pending, insufficient funds" in text
    click(control, charge, "advance", of=first.id)
    click(control, charge, "fail", of=second.id)
    ended: Any = [client.v1.refunds.retrieve(r.id) for r in (first, second)]
    assert [r.status for r in ended] == ["succeeded", "failed"]
    assert "failure_balance_transaction" not in ended[1]
    assert charge_of(client, str(first.payment_intent)).amount_refunded == 1000


@pytest.mark.parametrize(
    ("play", "status", "reason"),
    [
        ("fraud", "needs_response", "fraudulent"),
        ("missing", "needs_response", "product_not_received"),
        ("inquiry", "warning_needs_response", "fraudulent"),
    ],
)
def test_any_paid_charge_is_disputed_by_button(
    client: stripe.StripeClient, control: SandboxControl, charge: str, play: str, status: str, reason: str
) -> None:  # fmt: skip
    assert click(control, charge, play).status_code == 303
    (dispute,) = client.v1.disputes.list({"charge": charge}).data
    assert (dispute.status, dispute.reason) == (status, reason)
    assert "Answer until" in read(control, charge)


@pytest.mark.parametrize(
    ("opened", "moves", "end"),
    [
        ("fraud", ("answer",), "under_review"),
        ("fraud", ("answer", "won"), "won"),
        ("missing", ("lost",), "lost"),
        ("inquiry", ("answer",), "warning_under_review"),
        ("inquiry", ("drop",), "warning_closed"),
        ("inquiry", ("escalate",), "needs_response"),
    ],
)
def test_dispute_moves_by_button(
    client: stripe.StripeClient, control: SandboxControl, charge: str, opened: str, moves: tuple[str, ...], end: str
) -> None:  # fmt: skip
    click(control, charge, opened)
    (dispute,) = client.v1.disputes.list({"charge": charge}).data
    for play in moves:
        assert click(control, charge, play, of=dispute.id).status_code == 303
    assert client.v1.disputes.retrieve(dispute.id).status == end
    shown = read(control, charge)
    assert ("Close as won" in shown) == (end in {"under_review", "needs_response"})


@pytest.mark.parametrize(("play", "end"), [("comes", "paid"), ("stays_away", "unpaid")])
def test_money_on_its_way_ends_by_button(
    client: stripe.StripeClient, control: SandboxControl, play: str, end: str
) -> None:
    session = open_later(client)
    intent = control.pay(session.id, account=ACH)["session"]["payment_intent"]
    charge = charge_of(client, intent).id
    assert "The money is on its way" in read(control, charge)
    assert click(control, charge, play).status_code == 303
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == end
    text = read(control, charge)
    assert "on its way" not in text
    assert ("Not paid." in text) == (play == "stays_away")
    assert click(control, charge, play).status_code == 422


def test_nonsense_is_refused(
    client: stripe.StripeClient, control: SandboxControl, charge: str
) -> None:
    other = control.dispute(paid(client, control))["id"]
    assert click(control, charge, "explode").status_code == 400
    assert click(control, charge, "comes").status_code == 400
    assert click(control, charge, "won", of=other).status_code == 404
    assert click(control, charge, "fail", of="re_nobody").status_code == 404
    assert click(control, "ch_nobody", "full").status_code == 404


def test_home_pays_out(own: Sandbox) -> None:
    client = own.client()
    paid(client, own.control)
    for play, made in (("available", 0), ("early", 1)):
        answer = requests.post(f"{own.url}/payouts", {"play": play}, timeout=5)
        assert answer.status_code == 200
        assert len(client.v1.payouts.list().data) == made
    assert "$893.02, in transit" in answer.text


def test_busy_button_answers_429_three_times(own: Sandbox) -> None:
    client = own.client(retries=0)
    assert requests.post(f"{own.url}/busy", timeout=5).status_code == 200
    for _ in range(3):
        with pytest.raises(stripe.RateLimitError):
            client.v1.balance.retrieve()
    assert client.v1.balance.retrieve().object == "balance"


def test_pages_of_an_empty_account(own: Sandbox) -> None:
    text = requests.get(own.url, timeout=5).text
    assert "Nothing was paid yet." in text
    own.client().v1.checkout.sessions.create(order())
    assert requests.get(own.url, timeout=5).status_code == 200
