"""What goes wrong on demand, and how the SDK takes it."""

from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl
from tests.sandbox.receiver import Receiver


@pytest.fixture
def hasty(sandbox: Sandbox, http_client: stripe.RequestsClient) -> stripe.StripeClient:
    """Give the SDK without retries."""
    return sandbox.client(http_client, retries=0)


def statuses(control: SandboxControl, count: int) -> list[int]:
    return [c["status"] for c in control.calls("create_session")[-count:]]


@pytest.mark.parametrize("kind", ["409", "500"])
def test_sdk_gets_over_a_short_failure(
    client: stripe.StripeClient, control: SandboxControl, kind: str
) -> None:
    before = control.count("checkout.session")
    control.fail("create_session", kind)
    client.v1.checkout.sessions.create(order())
    assert control.count("checkout.session") == before + 1
    assert statuses(control, 2) == [int(kind), 200]


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("409", stripe.APIError, 409),
        ("429", stripe.RateLimitError, 429),
        ("500", stripe.APIError, 500),
    ],
)
def test_failure_is_said_in_stripes_way(
    hasty: stripe.StripeClient,
    control: SandboxControl,
    kind: str,
    error: type[stripe.StripeError],
    status: int,
) -> None:
    before = control.count("checkout.session")
    control.fail("create_session", kind)
    with pytest.raises(error) as failed:
        hasty.v1.checkout.sessions.create(order())
    assert failed.value.http_status == status
    assert control.count("checkout.session") == before


def test_saved_failure_comes_back_under_its_key(
    hasty: stripe.StripeClient, control: SandboxControl
) -> None:
    control.fail("create_session", "500-saved")
    key: Any = {"idempotency_key": "saved failure"}
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            hasty.v1.checkout.sessions.create(order(), key)
    assert statuses(control, 2) == [500, 500]


def test_dropped_after_creating_is_found_by_the_key(
    hasty: stripe.StripeClient, control: SandboxControl
) -> None:
    before = control.count("checkout.session")
    control.fail("create_session", "drop")
    key: Any = {"idempotency_key": "dropped"}
    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.checkout.sessions.create(order(), key)
    assert control.count("checkout.session") == before + 1
    again = hasty.v1.checkout.sessions.create(order(), key)
    assert again.status == "open"
    assert control.count("checkout.session") == before + 1


def test_dropped_before_does_nothing(hasty: stripe.StripeClient, control: SandboxControl) -> None:
    before = control.count("checkout.session")
    control.fail("*", "drop-before")
    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.checkout.sessions.create(order())
    assert control.count("checkout.session") == before


def test_slow_answer_runs_into_the_time_out(sandbox: Sandbox, control: SandboxControl) -> None:
    control.fail("get_balance", "slow", seconds=0.5)
    impatient = stripe.RequestsClient(timeout=(3, 0.2))
    with pytest.raises(stripe.APIConnectionError):
        sandbox.client(impatient, retries=0).v1.balance.retrieve()
    impatient.close()


def test_paid_and_told_before_the_answer(
    client: stripe.StripeClient, control: SandboxControl, receiver: Receiver
) -> None:
    control.fail("create_session", "pay-first")
    session = client.v1.checkout.sessions.create(order())
    assert session.status == "open"
    assert receiver.events[-1]["data"]["object"]["id"] == session.id
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_wrong_amount_and_currency(client: stripe.StripeClient, control: SandboxControl) -> None:
    control.fail("pay", "wrong-amount", amount=1, currency="eur")
    session = client.v1.checkout.sessions.create(order())
    control.pay(session.id)
    paid: Any = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (paid.amount_total, paid.currency) == (1, "eur")
    assert (paid.payment_intent.amount_received, paid.payment_intent.currency) == (1, "eur")
    right = client.v1.checkout.sessions.create(order())
    assert control.pay(right.id)["session"]["amount_total"] == 92000


def test_edited_session(client: stripe.StripeClient, control: SandboxControl, session: Any) -> None:
    control.edit(session.id, metadata={"attempt": "8"}, livemode=True)
    found = client.v1.checkout.sessions.retrieve(session.id)
    assert (found.metadata or {})["attempt"] == "8"
    assert found.livemode is True
    control.edit(session.id, livemode=False)


def test_totals_count_what_was_paid(control: SandboxControl, session: Any) -> None:
    control.pay(session.id)
    totals = control.totals()
    charged = sum(
        line["amount"]
        for line in totals["lines"]
        if (line["kind"], line["status"]) == ("charge", "succeeded")
    )
    assert charged >= 92000
