"""The hosted page: pay, decline, go back, press twice, come too late."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from regsys.sandbox.cards import CARDS, GOOD
from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl
from tests.sandbox.receiver import Receiver

FORM = {
    "email": "lysander.saltmarsh@example.org",
    "number": "4242 4242 4242 4242",
    "exp": "12 / 34",
    "cvc": "123",
    "holder": "Lysander Saltmarsh",
    "zip": "99163",
    "deliver": "normally",
    "play": "pay",
}


def press(session: Any, **changes: str) -> requests.Response:
    return requests.post(session.url, FORM | changes, allow_redirects=False, timeout=10)


def test_page_shows_bill_banner_and_filled_form(session: Any) -> None:
    answer = requests.get(session.url, timeout=5)
    for text in (
        "TEST", "$920.00", "Leadership Training Intensive, Spokane 2027", "early price · Lysander Saltmarsh",
        'value="lysander.saltmarsh@example.org"', 'value="4242 4242 4242 4242"', "EBC-1007", "No card is charged",
    ):  # fmt: skip
        assert text in answer.text
    assert "<script" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://site.test;" in policy


def test_pay_goes_back_with_the_session(client: stripe.StripeClient, session: Any) -> None:
    answer = press(session)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://site.test/paid?session_id={session.id}"
    paid: Any = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details.name == "Lysander Saltmarsh"
    assert paid.payment_intent.latest_charge.payment_method_details.card.last4 == "4242"


@pytest.mark.parametrize(
    "number", [n for n, card in CARDS.items() if card.code and not card.asks_back]
)
def test_declined_card_keeps_the_page_open(
    client: stripe.StripeClient, session: Any, number: str
) -> None:
    answer = press(session, number=number)
    assert answer.status_code == 402
    message = CARDS[number].message.replace("'", "&#39;")
    assert message in answer.text
    tried: Any = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (tried.status, tried.payment_status) == ("open", "unpaid")
    error = tried.payment_intent.last_payment_error
    assert error.code == CARDS[number].code
    assert getattr(error, "decline_code", None) == CARDS[number].decline_code
    assert press(session).status_code == 303


@pytest.mark.parametrize(
    ("number", "code", "decline"),
    [
        ("4242424242424241", "incorrect_number", None),
        ("4111111111111111", "card_declined", "test_mode_live_card"),
    ],
)
def test_number_that_is_no_test_card_is_declined(
    control: SandboxControl, session: Any, number: str, code: str, decline: str | None
) -> None:
    assert press(session, number=number).status_code == 402
    charge = control.events("charge.failed")[-1]["data"]["object"]
    assert charge["failure_code"] == code
    assert charge["outcome"]["reason"] == (decline or code)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "nobody", "email is incomplete"),
        ("number", "4242", "number is incomplete"),
        ("exp", "13/34", "expiration date is incomplete"),
        ("exp", "01/20", "expiration date is in the past"),
        ("cvc", "12", "security code is incomplete"),
    ],
)
def test_unfinished_form_is_shown_again(
    control: SandboxControl, session: Any, field: str, value: str, sentence: str
) -> None:
    before = control.count("charge")
    answer = press(session, **{field: value})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{value}"' in answer.text
    assert control.count("charge") == before


def test_sixteen_presses_pay_once(control: SandboxControl, session: Any) -> None:
    before = control.count("charge", "succeeded")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: press(session), range(16)))
    assert {a.headers["Location"] for a in answers} == {
        f"http://site.test/paid?session_id={session.id}"
    }
    assert control.count("charge", "succeeded") == before + 1


@pytest.mark.parametrize(
    ("play", "code"), [("decline", "generic_decline"), ("funds", "insufficient_funds")]
)
def test_trouble_buttons_decline(
    control: SandboxControl, session: Any, play: str, code: str
) -> None:
    assert press(session, play=play).status_code == 402
    assert control.events("charge.failed")[-1]["data"]["object"]["outcome"]["reason"] == code


def test_closed_tab_pays_and_does_not_return(client: stripe.StripeClient, session: Any) -> None:
    answer = press(session, play="close")
    assert answer.status_code == 200
    assert "Paid, and the tab is closed" in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_going_back_leaves_the_session_open(client: stripe.StripeClient, session: Any) -> None:
    answer = press(session, play="abandon")
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://site.test/back")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_expired_session_shows_the_generic_page(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    client.v1.checkout.sessions.expire(session.id)
    charges = control.count("charge")
    for answer in (requests.get(session.url, timeout=5), press(session)):
        assert answer.status_code == 410
        assert "You are all done here" in answer.text
    assert control.count("charge") == charges


def test_unknown_page_is_not_found(session: Any) -> None:
    assert requests.get(session.url + "x", timeout=5).status_code == 404


@pytest.mark.parametrize("number", ["4000002500003155", "4000002760003184"])
def test_bank_asks_back_then_paid(client: stripe.StripeClient, session: Any, number: str) -> None:
    asked = press(session, number=number)
    assert (asked.status_code, "Your bank asks back" in asked.text) == (200, True)
    deep: Any = {"expand": ["payment_intent.latest_charge"]}
    waiting: Any = client.v1.checkout.sessions.retrieve(session.id, deep)
    assert (waiting.status, waiting.payment_intent.status) == ("open", "requires_action")
    assert press(session, number=number, play="confirm").status_code == 303
    paid: Any = client.v1.checkout.sessions.retrieve(session.id, deep)
    proof = paid.payment_intent.latest_charge.payment_method_details.card.three_d_secure
    assert (paid.payment_intent.id, proof.result) == (waiting.payment_intent.id, "authenticated")


def test_bank_asks_back_then_refused(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    charges = control.count("charge")
    answer = press(session, number="4000002500003155", play="refuse")
    assert answer.status_code == 402
    assert "unable to authenticate" in answer.text
    tried: Any = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    error = tried.payment_intent.last_payment_error
    assert (tried.status, error.code) == ("open", "payment_intent_authentication_failure")
    assert control.count("charge") == charges
    assert press(session).status_code == 303


def test_bank_asks_back_then_has_too_little(client: stripe.StripeClient, session: Any) -> None:
    number = "4000008260003178"
    assert "Your bank asks back" in press(session, number=number).text
    assert press(session, number=number, play="confirm").status_code == 402
    tried: Any = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert tried.payment_intent.last_payment_error.decline_code == "insufficient_funds"
    assert tried.status == "open"


def test_asking_back_can_run_out_of_time(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    number = "4000002500003155"
    press(session, number=number)
    control.expire(session.id)
    for play in ("confirm", "refuse"):
        assert press(session, number=number, play=play).status_code == 410
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


@pytest.mark.parametrize(
    ("play", "number"), [("asks", "4000 0025 0000 3155"), ("asks_funds", "4000 0082 6000 3178")]
)
def test_buttons_make_the_bank_ask(session: Any, play: str, number: str) -> None:
    answer = press(session, play=play, number="")
    assert f'name="number" value="{number}"' in answer.text


@pytest.mark.parametrize(
    ("play", "last4"),
    [("refund_waits", "7726"), ("refund_fails", "5126"), ("disputed", "0259"), ("busy", "4242")],
)
def test_buttons_pay_with_trouble_to_come(
    own: Sandbox, own_receiver: Receiver, play: str, last4: str
) -> None:
    client = own.client(retries=0)
    session = client.v1.checkout.sessions.create(order())
    assert press(session, play=play).status_code == 303
    own_receiver.wait("checkout.session.completed")
    if play == "busy":
        for _ in range(3):
            with pytest.raises(stripe.RateLimitError):
                client.v1.checkout.sessions.retrieve(session.id)
    (charge,) = client.v1.charges.list().data
    card: Any = charge.payment_method_details
    assert card.card.last4 == last4
    assert charge.disputed is (play == "disputed")


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("jpy", 9200, "¥9,200"), ("kwd", 92000, "92.000"), ("isk", 920000, "9,200")],
)
def test_money_is_shown_in_its_own_decimals(
    client: stripe.StripeClient, currency: str, amount: int, shown: str
) -> None:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Place"}}
    session = client.v1.checkout.sessions.create(
        order(line_items=[{"quantity": 1, "price_data": price}])
    )
    assert shown in requests.get(str(session.url), timeout=5).text


def test_text_from_the_product_is_escaped(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(order(client_reference_id="<b>x</b>"))
    text = requests.get(str(session.url), timeout=5).text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x</b>" not in text


def test_receipt_can_be_read(
    client: stripe.StripeClient, control: SandboxControl, session: Any
) -> None:
    control.pay(session.id, card=GOOD)
    url = control.events("charge.succeeded")[-1]["data"]["object"]["receipt_url"]
    assert "$920.00" in requests.get(url, timeout=5).text
    assert requests.get(url + "x", timeout=5).status_code == 404


def test_home_lists_and_delivers_again(control: SandboxControl, session: Any) -> None:
    control.pay(session.id)
    event = control.events("checkout.session.completed")[-1]["id"]
    control.wait_delivered(event)
    base = control.url
    assert "EBC-1007" in requests.get(base, timeout=5).text
    answer = requests.post(f"{base}/events/{event}/redeliver", timeout=5, allow_redirects=False)
    assert answer.status_code == 303
    assert len(control.deliveries(event)) == 2
