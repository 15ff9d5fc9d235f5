"""The API keeps Stripe's rules, seen through the real SDK."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from regsys.sandbox.objects import API_VERSION, ENABLED_EVENTS
from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl


def line(currency: str = "usd", amount: int = 92000, **more: Any) -> list[dict[str, Any]]:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Place"}}
    return [{"quantity": 1, "price_data": price | more}]


def refusal(client: stripe.StripeClient, **changes: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(order(**changes))
    return refused.value


def test_new_session_says_what_was_asked(session: Any) -> None:
    assert (session.status, session.payment_status, session.payment_intent) == (
        "open",
        "unpaid",
        None,
    )
    assert (session.amount_total, session.currency) == (92000, "usd")
    assert session.metadata.to_dict() == {"attempt": "7"}
    assert session.payment_method_types == ["card"]
    assert session.expires_at - session.created == 24 * 3600
    assert len(session.id) == 66
    assert "/c/pay/" + session.id in session.url


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"bogus": "1"}, "bogus", "parameter_unknown"),
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        ({"ui_mode": "hosted"}, "ui_mode", None),
        ({"submit_type": "buy"}, "submit_type", None),
        ({"line_items": line(color="red")}, "line_items[0][price_data][color]", "parameter_unknown"),
        ({"line_items": line(amount="2.5")}, "line_items[0][price_data][unit_amount]", "parameter_invalid_integer"),
        ({"line_items": line(amount=-1)}, "line_items[0][price_data][unit_amount]", "parameter_invalid_integer"),
        ({"line_items": line(product_data={})}, "line_items[0][price_data][product_data]", "parameter_missing"),
        ({"line_items": line(product_data={"name": ""})}, "line_items[0]", "parameter_invalid_empty"),
        ({"line_items": None}, "line_items", "parameter_missing"),
        ({"mode": None}, "mode", "parameter_missing"),
        ({"success_url": None}, "success_url", "parameter_missing"),
        ({"success_url": "/relative"}, "success_url", "url_invalid"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", None),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"customer": "cus_1"}, "customer", None),
        ({"metadata": {"k" * 41: "v"}}, "metadata[" + "k" * 41 + "]", None),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
        ({"metadata": {str(i): "v" for i in range(51)}}, "metadata", None),
        ({"automatic_tax": {"enabled": True}}, "automatic_tax[enabled]", None),
        ({"expand": ["customer"]}, "expand", None),
        ({"allowed_payment_method_types": ["sepa_debit"]}, "allowed_payment_method_types", None),
    ],
)  # fmt: skip
def test_wrong_parameter_is_refused_by_name(
    client: stripe.StripeClient, changes: dict[str, Any], param: str, code: str | None
) -> None:
    error = refusal(client, **changes)
    assert error.http_status == 400
    assert (error.param or "").startswith(param)
    assert error.code == code
    assert error.request_id.startswith("req_")


@pytest.mark.parametrize("ahead", [30 * 60 - 2, 24 * 3600 + 2])
def test_expiry_outside_of_the_window_is_refused(client: stripe.StripeClient, ahead: int) -> None:
    assert refusal(client, expires_at=int(time.time()) + ahead).param == "expires_at"


@pytest.mark.parametrize("ahead", [30 * 60 + 2, 24 * 3600 - 2])
def test_expiry_inside_of_the_window_is_taken(client: stripe.StripeClient, ahead: int) -> None:
    at = int(time.time()) + ahead
    assert client.v1.checkout.sessions.create(order(expires_at=at)).expires_at == at


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [
        ("usd", 49, "amount_too_small"),
        ("jpy", 49, "amount_too_small"),
        ("huf", 17499, "amount_too_small"),
        ("kwd", 10001, None),
        ("isk", 50050, None),
        ("usd", 100000000, "amount_too_large"),
        ("xyz", 5000, None),
        ("USD", 5000, None),
    ],
)
def test_impossible_amount_is_refused(
    client: stripe.StripeClient, currency: str, amount: int, code: str | None
) -> None:
    error = refusal(client, line_items=line(currency, amount))
    assert (error.http_status, error.code) == (400, code)


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("usd", 50), ("jpy", 50), ("kwd", 10000), ("isk", 50000), ("jpy", 100000000)],
)
def test_possible_amount_is_taken(client: stripe.StripeClient, currency: str, amount: int) -> None:
    session = client.v1.checkout.sessions.create(order(line_items=line(currency, amount)))
    assert (session.currency, session.amount_total) == (currency, amount)


def test_lines_in_two_currencies_are_refused(client: stripe.StripeClient) -> None:
    error = refusal(client, line_items=line("usd") + line("eur"))
    assert error.param == "line_items"


@pytest.mark.parametrize(
    ("given", "said"),
    [(None, "did not provide an API key"), ("Bearer sk_test_sandbox_other", "Invalid API Key"), ("Bearer ", "did not")],
)  # fmt: skip
def test_without_the_key_nothing_is_told(sandbox: Sandbox, given: str | None, said: str) -> None:
    headers = {"Authorization": given} if given else {}
    for path in ("/v1/balance", "/v1/checkout/sessions/cs_test_1", "/_test/books"):
        answer = requests.get(sandbox.url + path, headers=headers, timeout=5)
        assert answer.status_code == 401
        assert said in answer.json()["error"]["message"]
        assert sandbox.api_key not in answer.text


def test_answer_carries_request_id_and_version(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    answer = requests.get(sandbox.url + "/v1/balance", headers=headers, timeout=5)
    assert answer.headers["Stripe-Version"] == API_VERSION
    assert answer.headers["Request-Id"].startswith("req_")
    old = requests.get(
        sandbox.url + "/v1/balance", headers=headers | {"Stripe-Version": "2017-08-15"}, timeout=5
    )
    assert old.status_code == 400


@pytest.mark.parametrize("path", ["/v1/nope", "/v1/checkout/sessions/cs_1/nope"])
def test_unknown_address_is_refused_as_stripe_does(sandbox: Sandbox, path: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    answer = requests.post(sandbox.url + path, headers=headers, timeout=5)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"Unrecognized request URL (POST: {path})."


def test_unknown_id_is_missing(client: stripe.StripeClient) -> None:
    asks = (client.v1.checkout.sessions, client.v1.payment_intents, client.v1.charges, client.v1.refunds,
            client.v1.events, client.v1.balance_transactions, client.v1.webhook_endpoints)  # fmt: skip
    for ask in asks:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            ask.retrieve("nobody_1")
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_list_pages_forth_and_back(client: stripe.StripeClient) -> None:
    made = [client.v1.checkout.sessions.create(order()).id for _ in range(5)][::-1]
    first = client.v1.checkout.sessions.list({"limit": 2})
    assert ([s.id for s in first.data], first.has_more) == (made[:2], True)
    assert [s.id for s in first.next_page().data] == made[2:4]
    back = client.v1.checkout.sessions.list({"limit": 2, "ending_before": made[3]})
    assert [s.id for s in back.data] == made[1:3]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.list({"limit": 101})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.list({"starting_after": "cs_test_nobody"})


def test_list_filters(client: stripe.StripeClient, control: SandboxControl, session: Any) -> None:
    control.pay(session.id, email="other@example.org")
    paid = client.v1.checkout.sessions.retrieve(session.id)
    lists = client.v1.checkout.sessions.list
    assert lists({"payment_intent": paid.payment_intent}).data[0].id == session.id
    assert lists({"customer_details": {"email": "other@example.org"}}).data[0].id == session.id
    assert session.id in [s.id for s in lists({"status": "complete", "limit": 100}).data]
    assert session.id not in [s.id for s in lists({"status": "open", "limit": 100}).data]
    assert session.id in [
        s.id for s in lists({"created": {"gte": session.created}, "limit": 100}).data
    ]
    assert lists({"created": {"gt": session.created + 60}}).data == []


def test_expand_reaches_the_fee(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    control.pay(session.id)
    path = "payment_intent.latest_charge.balance_transaction"
    found: Any = client.v1.checkout.sessions.retrieve(session.id, {"expand": [path, "line_items"]})
    charge = found.payment_intent.latest_charge
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (2698, 89302)
    assert found.payment_intent.metadata.to_dict() == {"attempt": "7"}
    assert found.line_items.data[0].amount_total == 92000


def test_only_an_open_session_expires(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    ended = client.v1.checkout.sessions.expire(session.id)
    assert (ended.status, ended.url) == ("expired", None)
    for id in (
        session.id,
        control.pay(client.v1.checkout.sessions.create(order()).id)["session"]["id"],
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.checkout.sessions.expire(id)
        assert refused.value.http_status == 400


def test_free_session_needs_no_payment(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    session = client.v1.checkout.sessions.create(order(line_items=line(amount=0)))
    done = control.pay(session.id)["session"]
    assert (done["payment_status"], done["payment_intent"]) == ("no_payment_required", None)


def test_endpoint_tells_status_events_and_version(
    client: stripe.StripeClient, control: SandboxControl
) -> None:
    (endpoint,) = client.v1.webhook_endpoints.list().data
    assert (endpoint.status, endpoint.api_version) == ("enabled", API_VERSION)
    assert tuple(endpoint.enabled_events) == ENABLED_EVENTS
    control.set_endpoint("disabled")
    assert client.v1.webhook_endpoints.retrieve(endpoint.id).status == "disabled"
    control.set_endpoint("enabled")


def test_events_by_type_and_delivery(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    control.pay(session.id, deliver="never")
    types = ["checkout.session.completed", "checkout.session.expired"]
    lost = client.v1.events.list({"types": types, "delivery_success": False, "limit": 5})
    assert lost.data[0].data.object["id"] == session.id
    assert lost.data[0].api_version == API_VERSION
    since = client.v1.events.list({"type": "charge.*", "created": {"gte": session.created}})
    assert {e.type.split(".")[0] for e in since.data} == {"charge"}


def test_balance_holds_what_was_paid(client: stripe.StripeClient, control: SandboxControl) -> None:
    session = client.v1.checkout.sessions.create(order(line_items=line("nzd", 10000)))
    control.pay(session.id)
    pending = {b.currency: b.amount for b in client.v1.balance.retrieve().pending}
    assert pending["nzd"] == 10000 - 290 - 30


def test_sixteen_payers_at_once(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    def one(_: int) -> str:
        made = client.v1.checkout.sessions.create(order())
        url = f"{sandbox.url}/c/pay/{made.id}"
        form = {"email": "a@b.example", "number": "4242424242424242", "exp": "12/34", "cvc": "123"}
        return requests.post(url, form, timeout=10, allow_redirects=False).headers["Location"]

    with ThreadPoolExecutor(16) as pool:
        went = list(pool.map(one, range(64)))
    assert len(set(went)) == 64
    assert all(url.startswith("http://site.test/paid?session_id=cs_test_") for url in went)
