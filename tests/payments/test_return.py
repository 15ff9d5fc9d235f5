"""The payer comes back from Stripe. The numbers are those of payments.md."""

import re
from datetime import timedelta

import pytest

from tests.faults.test_trouble import full_disk, write_lock
from tests.payments.shop import Shop

PAID = (["confirmed"], ["paid"], [(92000, None)], 1)


def test_rule_08_the_payer_is_back_before_the_event(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    answer = shop.come_back(order, session)
    assert (answer.status_code, answer.location) == (303, f"/o/{order.token}")
    assert shop.outcome(order) == PAID
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == PAID
    assert shop.come_back(order, session).status_code == 303
    assert shop.outcome(order) == PAID


def test_rule_08_the_page_grants_nothing_by_itself(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    answer = shop.come_back(order, session)
    assert answer.status_code == 200
    assert "Confirming your payment" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert shop.outcome(order) == (["awaiting_payment"], ["open"], [], 0)


def test_rule_08_the_page_looks_again_by_itself_for_a_minute(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    answer = shop.come_back(order, session)
    seconds, address = answer.headers["Refresh"].split("; url=")
    assert int(seconds) == 4
    assert address in answer.text.replace("&amp;", "&")
    shop.clock.move(seconds=4)
    shop.pay(session)
    assert shop.client.get(address).status_code == 303
    assert shop.outcome(order) == PAID


def test_rule_08_after_a_minute_it_stops_and_says_so(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    answer = shop.come_back(order, session, look=15)
    assert answer.status_code == 200
    assert "Refresh" not in answer.headers
    assert "You may close this page." in answer.text


def test_rule_08_stripe_does_not_answer_and_the_payer_waits_quietly(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    shop.control.fail("get_session", "500", times=3)
    answer = shop.come_back(order, session)
    assert (answer.status_code, "Refresh" in answer.headers) == (200, True)
    shop.clock.move(seconds=4)
    assert shop.come_back(order, session).status_code == 303
    assert shop.outcome(order) == PAID


@pytest.mark.once
@pytest.mark.parametrize("trouble", ["busy", "full"])
def test_rule_08_the_database_takes_nothing_and_the_payer_waits_quietly(
    shop: Shop, trouble: str
) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    url = str(shop.app.config["SQLALCHEMY_DATABASE_URI"])
    with write_lock(url) if trouble == "busy" else full_disk(shop.app, url):
        answer = shop.come_back(order, session)
        paying = shop.click_pay(order) if trouble == "busy" else None
    assert (answer.status_code, "Confirming your payment" in answer.text) == (200, True)
    assert "charged" not in answer.text
    if paying:
        # Whether anything was paid in another window is not known here, so it is neither said nor denied.
        assert paying.status_code == 503
        assert "do not pay again: your order shows it" in paying.text
        assert "charged" not in paying.text
    assert shop.outcome(order) == (["awaiting_payment"], ["open"], [], 0)
    assert shop.come_back(order, session).status_code == 303
    assert shop.outcome(order) == PAID


def test_stripe_is_not_asked_with_every_push_of_the_reload_button(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    before = len(shop.control.calls("get_session"))
    for _ in range(5):
        shop.come_back(order, session)
    assert len(shop.control.calls("get_session")) == before + 1
    shop.clock.move(seconds=3)
    shop.come_back(order, session)
    assert len(shop.control.calls("get_session")) == before + 2


@pytest.mark.parametrize("forged", ["", "cs_test_of_nobody", "{CHECKOUT_SESSION_ID}", "%00"])
def test_rule_09_a_forged_session_is_not_found(shop: Shop, forged: str) -> None:
    order = shop.order()
    shop.open(order)
    before = len(shop.control.calls())
    assert shop.come_back(order, forged).status_code == 404
    assert len(shop.control.calls()) == before
    assert shop.outcome(order) == (["awaiting_payment"], ["open"], [], 0)


def test_rule_09_another_orders_session_is_not_found(shop: Shop) -> None:
    mine, theirs = shop.order(), shop.order()
    shop.open(mine)
    session = shop.open(theirs)
    shop.pay(session)
    assert shop.come_back(mine, session).status_code == 404
    for order in (mine, theirs):
        assert shop.outcome(order) == (["awaiting_payment"], ["open"], [], 0)


def test_rule_09_without_the_secret_of_the_order_nothing_is_found(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    answer = shop.client.get("/o/nobody/paid", query_string={"session_id": session})
    assert answer.status_code == 404


def test_rule_37_the_confirmation_goes_to_the_attendee_whoever_pays(shop: Shop) -> None:
    """Another address at Stripe's page and a new one of the payer change nothing for the person who attends."""
    order = shop.order()
    session = shop.open(order)
    shop.change_payer(order, "new@example.org")
    shop.pay(session, email="card.holder@example.org")
    assert shop.come_back(order, session).status_code == 303
    assert shop.states(order) == ["confirmed"]
    told = dict(shop.letters_of(order))
    assert told[f"confirm:{order.registrations[0]}"].startswith("person")
    assert "card.holder@example.org" not in told.values()
    assert told[f"order-confirmed:{order.id}:{order.registrations[0]}"] == "new@example.org"


def test_a_session_that_is_over_leads_to_the_order(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.clock.move(minutes=36)
    answer = shop.come_back(order, session)
    assert (answer.status_code, answer.location) == (303, f"/o/{order.token}")
    assert shop.states(order) == ["expired"]


def test_money_that_was_set_aside_is_told_kindly(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.control.fail("pay", "wrong-amount", amount=100)
    shop.pay(session)
    answer = shop.come_back(order, session)
    assert answer.status_code == 200
    assert "Your payment needs a person" in answer.text
    assert "Please do not pay again." in answer.text


def test_the_secret_address_is_not_passed_on(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    answer = shop.come_back(order, session)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"https?://(?!127\.0\.0\.1)", answer.text.split("<body")[1])


def test_the_place_is_kept_while_the_bank_thinks(shop: Shop) -> None:
    """Cards do not do this; a delayed method that was switched on at Stripe would."""
    order = shop.order()
    session = shop.open(order)
    shop.control.edit(session, status="complete", payment_status="unpaid", url=None)
    assert shop.come_back(order, session).status_code == 303
    assert shop.attempt_states(order) == ["processing"]
    shop.clock.move(hours=12)
    assert [c.until for c in shop.claims(order)] == [None]
    assert shop.click_pay(order).location == f"/o/{order.token}"
    shop.control.edit(session, payment_status="paid")
    shop.clock.to(shop.clock.now + timedelta(minutes=1))
    shop.come_back(order, session)
    assert shop.outcome(order) == PAID
