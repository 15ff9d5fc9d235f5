"""The payer goes to Stripe: one attempt at a time, whatever happens on the way. Numbers are those of payments.md."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refused, UpstreamFailed
from regsys.kernel.states import can_move
from regsys.ledger.models import Method
from regsys.ledger.services import record_payment
from regsys.payments import gateway, services
from regsys.payments.models import PaymentAttempt
from regsys.payments.settle import start_checkout
from regsys.payments.states import MOVES, AttemptState
from regsys.registration.models import LineKind, Order, OrderLine
from tests import cast
from tests.payments.shop import Placed, Shop


def session_ids(shop: Shop, order: Placed) -> list[str | None]:
    return [a.session_id for a in shop.attempts(order)]


def test_pay_leads_to_stripes_page_and_holds_the_place_without_end(shop: Shop) -> None:
    order = shop.order(people=2)
    session = shop.open(order)
    [attempt] = shop.attempts(order)
    assert (attempt.state, attempt.session_id) == (AttemptState.OPEN, session)
    assert (attempt.amount, attempt.currency, attempt.livemode) == (184000, "USD", False)
    assert [c.until for c in shop.claims(order)] == [None, None]
    assert shop.states(order) == ["awaiting_payment"] * 2


def test_one_click_places_the_cart_and_opens_its_payment_and_a_second_one_leads_there_too(
    shop: Shop,
) -> None:
    cart = cast.fill_cart(cast.make_cart(cast.make_event(types={"Standard": 4500})))
    client = shop.client
    with client.session_transaction() as session:
        session["cart"] = cart.token
    first, second = (shop.press(client, "/cart/place-and-pay") for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)
    assert first.location.startswith(shop.sandbox.url)
    shop.fresh()
    assert db.session.get_one(Order, cart.id).placed_at == shop.clock.now
    assert [a.state for a in shop.all_attempts()] == [AttemptState.OPEN]


def test_one_click_changes_nothing_where_the_hold_is_over(shop: Shop) -> None:
    cart = cast.fill_cart(cast.make_cart(cast.make_event(types={"Standard": 4500})))
    client = shop.client
    with client.session_transaction() as session:
        session["cart"] = cart.token
    shop.clock.move(minutes=31)
    answer = shop.press(client, "/cart/place-and-pay")
    assert (answer.status_code, answer.location) == (307, "/cart/place")
    shop.fresh()
    assert (db.session.get_one(Order, cart.id).placed_at, shop.all_attempts()) == (None, [])


def test_the_attempt_is_stored_before_stripe_is_asked(shop: Shop) -> None:
    order = shop.order()
    shop.control.fail("create_session", "500", times=3)
    assert shop.click_pay(order).status_code == 502
    [attempt] = shop.attempts(order)
    assert (attempt.state, attempt.session_id) == (AttemptState.CREATED, None)
    assert attempt.params["line_items"][0]["price_data"]["unit_amount"] == 92000


def test_the_secret_links_in_the_parameters_are_sealed(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    shop.fresh()
    raw = db.session.connection().exec_driver_sql("SELECT params, url FROM payment_attempt").one()
    assert order.token not in raw[0]
    assert shop.sandbox.url not in raw[1]
    assert order.token in shop.attempts(order)[0].params["success_url"]


def test_rule_12_the_session_lives_longer_than_stripes_minimum(shop: Shop) -> None:
    """Place and session stay at 29:59, 30:00 and beyond; both end when Stripe says so."""
    order = shop.order()
    session = shop.open(order)
    for seconds in (29 * 60 + 59, 30 * 60, 34 * 60 + 50):
        shop.clock.to(shop.attempts(order)[0].created_at + timedelta(seconds=seconds))
        assert [c.until for c in shop.claims(order)] == [None]
        assert shop.come_back(order, session).status_code == 200
    assert shop.attempt_states(order) == ["open"]
    shop.clock.move(seconds=15)
    assert shop.come_back(order, session).status_code == 303
    assert shop.attempt_states(order) == ["expired"]
    assert shop.claims(order) == []
    assert shop.states(order) == ["expired"]


def test_rule_13_the_end_is_counted_from_each_attempt(shop: Shop) -> None:
    order = shop.order()
    shop.clock.move(minutes=20)
    shop.open(order)
    [attempt] = shop.attempts(order)
    assert attempt.expires_at == shop.clock.now + timedelta(minutes=35)
    assert attempt.params["expires_at"] == int(attempt.expires_at.timestamp())


def test_rule_14_two_tabs_get_the_same_page(shop: Shop) -> None:
    order = shop.order()
    first = shop.open(order)
    shop.clock.move(minutes=2)
    assert shop.open(order) == first
    assert len(shop.attempts(order)) == 1


def test_rule_14_two_clicks_at_once_make_one_session(shop: Shop) -> None:
    order = shop.order()
    got: list[tuple[int, str]] = []

    def click() -> None:
        answer = shop.click_pay(order)
        while answer.status_code == 503:  # the machine is busy: a payer is asked to press again
            answer = shop.click_pay(order)
        got.append((answer.status_code, answer.location))

    threads = [threading.Thread(target=click) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(got) == 4
    assert {status for status, _ in got} == {303}
    assert len({address for _, address in got}) == 1
    assert len(shop.attempts(order)) == 1


def test_rule_14_the_database_allows_one_open_attempt(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    with pytest.raises(IntegrityError), transaction():
        db.session.add(
            PaymentAttempt(
                order_id=order.id, state=AttemptState.CREATED, state_at=shop.clock.now, amount=1,
                currency="USD", livemode=False, key="other", params={}, created_at=shop.clock.now,
                expires_at=shop.clock.now,
            )
        )  # fmt: skip


def test_rule_14_a_session_near_its_end_is_ended_and_replaced(shop: Shop) -> None:
    order = shop.order()
    first = shop.open(order)
    shop.clock.move(minutes=31)
    second = shop.open(order)
    assert second != first
    assert shop.attempt_states(order) == ["expired", "open"]
    assert [c.until for c in shop.claims(order)] == [None]
    assert shop.states(order) == ["awaiting_payment"]
    shop.deliver_all(first)
    assert shop.attempt_states(order) == ["expired", "open"]
    assert [c.until for c in shop.claims(order)] == [None]


def test_rule_14_the_event_of_the_replaced_session_may_come_first(shop: Shop) -> None:
    """Stripe's word that the old session is over arrives before we go on: the place is kept for the new one."""
    order = shop.order()
    first = shop.open(order)
    shop.control.expire(first)
    assert shop.deliver_all(first) == [200]
    assert shop.attempt_states(order) == ["expired"]
    [claim] = shop.claims(order)
    assert claim.until == shop.clock.now + timedelta(minutes=10)
    second = shop.open(order)
    assert second != first
    assert [c.until for c in shop.claims(order)] == [None]


def test_rule_14_an_old_page_that_was_paid_is_settled_instead_of_replaced(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.clock.move(minutes=31)
    shop.pay(session)
    answer = shop.click_pay(order)
    assert (answer.status_code, answer.location) == (303, f"/o/{order.token}")
    assert shop.attempt_states(order) == ["paid"]
    assert shop.states(order) == ["confirmed"]


def change_price(order: Placed, amount: int) -> None:
    with transaction():
        line = OrderLine(
            order_id=order.id, kind=LineKind.OTHER, reason="A correction", amount=amount
        )
        db.session.add(line)


@pytest.mark.parametrize("amount", [-10000, 10000])
def test_rule_17_another_amount_is_another_attempt_with_another_key(
    shop: Shop, amount: int
) -> None:
    order = shop.order()
    first = shop.open(order)
    change_price(order, amount)
    second = shop.open(order)
    assert second != first
    old, new = shop.attempts(order)
    assert (old.state, new.state) == (AttemptState.EXPIRED, AttemptState.OPEN)
    assert (old.amount, new.amount) == (92000, 92000 + amount)
    assert old.key != new.key
    assert [c.until for c in shop.claims(order)] == [None]


def test_rule_17_another_address_is_another_attempt(shop: Shop) -> None:
    order = shop.order()
    first = shop.open(order)
    with transaction():
        db.session.get_one(Order, order.id).email = "other@example.org"
    assert shop.open(order) != first
    assert shop.attempt_states(order) == ["expired", "open"]


def test_rule_17_a_key_that_was_used_otherwise_gives_a_new_attempt(shop: Shop) -> None:
    order = shop.order()
    shop.control.fail("create_session", "500", times=3)
    shop.click_pay(order)
    [attempt] = shop.attempts(order)
    gateway.create_session({**attempt.params, "client_reference_id": "other"}, key=attempt.key)
    assert shop.open(order)
    assert shop.attempt_states(order) == ["abandoned", "open"]
    assert "same parameters" in (shop.attempts(order)[0].error or "")


def test_rule_16_a_call_that_was_cut_off_is_repeated_and_makes_one_session(shop: Shop) -> None:
    order = shop.order()
    before = shop.control.count("checkout.session")
    shop.control.fail("create_session", "drop", times=3)
    assert shop.click_pay(order).status_code == 502
    shop.clock.move(minutes=3)
    session = shop.open(order)
    assert shop.control.count("checkout.session") == before + 1
    assert session_ids(shop, order) == [session]
    creates = [
        c for c in shop.control.calls("create_session") if c["key"] == shop.attempts(order)[0].key
    ]
    assert len(creates) >= 4
    assert [c["replayed"] for c in creates if c["status"] == 200] == [True]


def test_rule_16_after_four_minutes_the_session_is_looked_up_and_adopted(shop: Shop) -> None:
    order = shop.order()
    before = shop.control.count("checkout.session")
    shop.control.fail("create_session", "drop", times=3)
    shop.click_pay(order)
    shop.clock.move(minutes=5)
    shop.open(order)
    assert shop.control.count("checkout.session") == before + 1
    assert shop.attempt_states(order) == ["open"]


def test_rule_16_what_stripe_never_had_is_given_up_and_made_anew(shop: Shop) -> None:
    order = shop.order()
    shop.control.fail("create_session", "drop-before", times=3)
    shop.click_pay(order)
    shop.clock.move(minutes=5)
    shop.open(order)
    assert shop.attempt_states(order) == ["abandoned", "open"]


def test_rule_18_a_conflict_leaves_the_attempt_and_says_try_again(shop: Shop) -> None:
    order = shop.order()
    shop.control.fail("create_session", "409", times=3)
    answer = shop.click_pay(order)
    assert answer.status_code == 502
    assert "try again" in answer.text
    assert shop.attempt_states(order) == ["created"]
    assert shop.open(order)
    assert shop.attempt_states(order) == ["open"]


@pytest.mark.parametrize("fault", ["500", "drop-before"])
def test_rule_40_stripe_is_away_and_order_and_place_are_kept(shop: Shop, fault: str) -> None:
    order = shop.order()
    shop.control.fail("create_session", fault, times=3)
    answer = shop.click_pay(order)
    assert answer.status_code == 502
    assert "Opening it charges nothing, and your place stays held." in answer.text
    assert f'href="/o/{order.token}"' in answer.text
    assert [c.until for c in shop.claims(order)] == [None]
    assert shop.states(order) == ["awaiting_payment"]
    assert shop.open(order)


def test_rule_40_nobody_listens(shop: Shop) -> None:
    order = shop.order()
    shop.sandbox.stop()
    try:
        assert shop.click_pay(order).status_code == 502
        assert shop.attempt_states(order) == ["created"]
    finally:
        shop.sandbox.start()
        shop.control.hold()
    assert shop.open(order)


def test_rule_29_what_costs_nothing_needs_no_session(shop: Shop) -> None:
    order = shop.order(price=0)
    answer = shop.click_pay(order)
    assert (answer.status_code, answer.location) == (303, f"/o/{order.token}")
    assert shop.attempts(order) == []


def test_what_is_paid_already_is_not_paid_again(shop: Shop) -> None:
    order = shop.order()
    with transaction():
        record_payment(
            order.id, amount=92000, currency="USD", method=Method.CHEQUE, actor=SYSTEM,
            now=shop.clock.now,
        )  # fmt: skip
    assert shop.click_pay(order).location == f"/o/{order.token}"
    assert shop.attempts(order) == []


def test_rule_30_below_the_minimum_nothing_is_opened(shop: Shop) -> None:
    order = shop.order(price=49)
    answer = shop.click_pay(order)
    assert answer.status_code == 409
    assert "$0.49" in answer.text
    assert shop.attempts(order) == []
    assert [c.until is None for c in shop.claims(order)] == [False]


def test_rule_30_what_stripe_says_of_an_amount_is_heard_too(shop: Shop) -> None:
    """Limits depend on the currency of the account: where we do not know them, Stripe does."""
    order = shop.order(price=100_000_000)
    answer = shop.click_pay(order)
    assert answer.status_code == 409
    assert "$1,000,000.00" in answer.text
    assert shop.attempt_states(order) == ["abandoned"]
    assert [c.until for c in shop.claims(order)] == [shop.clock.now + timedelta(minutes=10)]


def test_the_hold_is_over_and_nothing_is_opened(shop: Shop) -> None:
    order = shop.order()
    shop.clock.move(minutes=31)
    answer = shop.click_pay(order)
    assert answer.status_code == 409
    assert "Nothing was changed by this." in answer.text
    assert shop.attempts(order) == []


def test_an_address_that_stripe_refuses_is_left_out(shop: Shop) -> None:
    order = shop.order()
    with transaction():
        db.session.get_one(Order, order.id).email = "a@b"
    assert shop.open(order)
    assert shop.attempt_states(order) == ["abandoned", "open"]
    assert "customer_email" not in shop.attempts(order)[1].params


def test_an_order_that_is_not_there_is_not_found(shop: Shop) -> None:
    assert shop.press(shop.client, "/o/nobody/pay").status_code == 404


def test_pay_needs_the_token_of_a_form(shop: Shop) -> None:
    order = shop.order()
    assert shop.client.post(f"/o/{order.token}/pay").status_code == 400
    assert shop.attempts(order) == []


def test_rule_33_with_another_key_the_old_session_is_left_and_a_new_one_made(shop: Shop) -> None:
    """The old session is unknown under the new key: the payer gets a new one, and the place is kept."""
    order = shop.order()
    shop.open(order)
    with transaction():
        [attempt] = db.session.scalars(select(PaymentAttempt)).all()
        attempt.session_id = "cs_test_of_another_account"
    session = shop.open(order)
    assert shop.attempt_states(order) == ["abandoned", "open"]
    assert session_ids(shop, order)[1] == session
    assert [c.until for c in shop.claims(order)] == [None]


def test_rule_33_a_session_of_the_other_mode_is_not_used_again(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    with transaction():
        [attempt] = db.session.scalars(select(PaymentAttempt)).all()
        attempt.livemode = True
    asked = len(shop.control.calls("get_session") + shop.control.calls("expire_session"))
    shop.open(order)
    assert shop.attempt_states(order) == ["abandoned", "open"]
    assert asked == len(shop.control.calls("get_session") + shop.control.calls("expire_session"))


def test_without_a_key_nothing_is_opened(shop: Shop) -> None:
    order = shop.order()
    known = shop.app.extensions["regsys.settings"]
    shop.app.extensions["regsys.settings"] = known.replace(
        STRIPE_SECRET_KEY="", STRIPE_API_BASE=None
    )
    answer = shop.click_pay(order)
    assert answer.status_code == 502
    assert "not set up" in answer.text
    assert shop.attempts(order) == []


def test_abandoning_is_repeatable_and_gives_the_place_an_end(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    [attempt] = shop.attempts(order)
    for _ in range(2):
        with transaction():
            services.abandon(attempt.id, "why", now=shop.clock.now)
    assert shop.attempt_states(order) == ["abandoned"]
    assert [c.until for c in shop.claims(order)] == [shop.clock.now + timedelta(minutes=10)]


def test_starting_raises_what_the_page_shows(shop: Shop) -> None:
    order = shop.order(price=49)
    with pytest.raises(Refused):
        start_checkout(order.id)
    other = shop.order()
    shop.control.fail("create_session", "500", times=3)
    with pytest.raises(UpstreamFailed):
        start_checkout(other.id)


def test_money_that_came_is_final() -> None:
    for state in AttemptState:
        assert not can_move(MOVES, AttemptState.PAID, state)
        assert not can_move(MOVES, AttemptState.QUARANTINED, state)
