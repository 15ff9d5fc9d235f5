"""One key, one effect."""

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl


def key(name: str) -> Any:
    return {"idempotency_key": name}


def test_same_key_and_parameters_give_the_saved_answer(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    before = control.count("checkout.session")
    first = client.v1.checkout.sessions.create(order(), key("replay"))
    control.expire(first.id)
    again = client.v1.checkout.sessions.create(order(), key("replay"))
    assert (again.id, again.status) == (first.id, "open")
    assert control.count("checkout.session") == before + 1
    assert [c["replayed"] for c in control.calls("create_session")[-2:]] == [False, True]


def test_replay_is_marked_and_names_the_first_request(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.api_key}", "Idempotency-Key": "marked"}
    body = (
        "mode=payment&success_url=http%3A%2F%2Fx.test&line_items[0][quantity]=1"
        "&line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]=5000"
        "&line_items[0][price_data][product_data][name]=A"
    )
    url = f"{sandbox.url}/v1/checkout/sessions"
    first, again = (requests.post(url, body, headers=headers, timeout=5) for _ in range(2))
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert again.json() == first.json()


def test_same_key_with_other_parameters_is_an_error(client: stripe.StripeClient) -> None:
    client.v1.checkout.sessions.create(order(), key("other"))
    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.checkout.sessions.create(order(client_reference_id="EBC-1008"), key("other"))
    assert refused.value.http_status == 400


def test_same_key_at_the_same_time_is_a_conflict(
    sandbox: Sandbox, control: SandboxControl, http_client: stripe.RequestsClient
) -> None:
    control.fail("create_session", "slow", seconds=0.5)
    impatient = sandbox.client(http_client, retries=0)

    def create(_: int) -> str | int | None:
        try:
            return impatient.v1.checkout.sessions.create(order(), key("twice")).id
        except stripe.APIError as e:
            return e.http_status

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(create, range(2)))
    assert 409 in said
    assert len([s for s in said if isinstance(s, str)]) == 1


def test_refused_parameters_are_not_kept(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(order(submit_type="buy"), key("mended"))
    assert client.v1.checkout.sessions.create(order(), key("mended")).status == "open"


def test_refused_refund_is_kept(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    intent = control.pay(session.id)["session"]["payment_intent"]
    ask: Any = {"payment_intent": intent, "amount": 92001}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.refunds.create(ask, key("too much"))
    assert [c["replayed"] for c in control.calls("create_refund")[-2:]] == [False, True]


def test_answers_survive_a_kill(own: Sandbox) -> None:
    first = own.client().v1.checkout.sessions.create(order(), key("killed"))
    own.stop(signal.SIGKILL)
    own.start()
    again = own.client().v1.checkout.sessions.create(order(), key("killed"))
    assert again.id == first.id
    assert own.control.count("checkout.session") == 1
