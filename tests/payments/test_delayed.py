"""Banks that take days (rule 19), and orders that change while a payment page is open (rule 38)."""

from datetime import timedelta

import pytest

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refused
from regsys.payments import gateway
from regsys.payments.jobs import poll
from regsys.payments.settle import end_checkout
from regsys.registration import services as registration
from regsys.registration.models import LineKind, OrderLine
from tests.payments.shop import Placed, Shop

ACCOUNT = "000123456789"


@pytest.fixture
def bank(shop: Shop) -> Shop:
    """Return a shop in which bank accounts can be debited."""
    known = shop.app.extensions["regsys.settings"]
    methods = ("us_bank_account", "sepa_debit")
    shop.app.extensions["regsys.settings"] = known.replace(STRIPE_DELAYED_METHODS=methods)
    return shop


def debited(shop: Shop) -> tuple[Placed, str]:
    """Return an order that was paid from a bank account, and its session; Stripe has told us."""
    order = shop.order()
    session = shop.open(order)
    shop.pay(session, account=ACCOUNT)
    assert shop.deliver_all(session) == [200]
    return order, session


def letters(shop: Shop, order: Placed) -> list[str]:
    return sorted(key.split(":")[0] for key, _to in shop.letters_of(order))


def test_rule_19_a_debit_keeps_the_place_and_confirms_nobody(bank: Shop) -> None:
    order, session = debited(bank)
    assert bank.outcome(order) == (["awaiting_payment"], ["processing"], [], 0)
    assert [c.until for c in bank.claims(order)] == [None]
    assert letters(bank, order) == ["processing"]
    bank.clock.move(hours=30)
    poll({})
    assert bank.attempt_states(order) == ["processing"]
    assert [c.until for c in bank.claims(order)] == [None]
    assert bank.click_pay(order).location == f"/o/{order.token}"
    assert bank.come_back(order, session).status_code == 303
    assert letters(bank, order) == ["processing"]


@pytest.mark.parametrize("how", ["event", "poll"])
def test_rule_19_the_money_comes_days_later_and_confirms(bank: Shop, how: str) -> None:
    order, session = debited(bank)
    bank.clock.move(days=5)
    bank.control.finish_delayed(session, True)
    if how == "event":
        [event] = bank.told(session, "checkout.session.async_payment_succeeded")
        assert bank.deliver(event) == 200
    else:
        poll({})
    assert bank.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1)


@pytest.mark.parametrize("how", ["event", "poll"])
def test_rule_19_the_bank_says_no_and_the_place_waits_for_another_try(bank: Shop, how: str) -> None:
    order, session = debited(bank)
    bank.clock.move(days=5)
    bank.control.finish_delayed(session, False)
    if how == "event":
        [event] = bank.told(session, "checkout.session.async_payment_failed")
        assert bank.deliver(event) == 200
        assert bank.deliver(event) == 200
    else:
        poll({})
    assert bank.outcome(order) == (["awaiting_payment"], ["failed"], [], 0)
    assert [c.until for c in bank.claims(order)] == [bank.clock.now + timedelta(hours=24)]
    assert letters(bank, order) == ["payment-failed", "processing"]
    again = bank.open(order)
    bank.pay(again)
    assert bank.deliver_all(again) == [200]
    assert bank.outcome(order) == (["confirmed"], ["failed", "paid"], [(92000, None)], 1)


def test_rule_19_by_card_only_unless_it_is_switched_on(shop: Shop) -> None:
    shop.open(shop.order())
    [attempt] = shop.all_attempts()
    assert attempt.params["allowed_payment_method_types"] == ["card"]


def test_rule_38_an_order_that_changed_ends_the_old_page_first(shop: Shop) -> None:
    order = shop.order(people=2)
    old = shop.open(order)
    with transaction():
        db.session.add(
            OrderLine(
                order_id=order.id, registration_id=order.registrations[0],
                kind=LineKind.DISCOUNT, reason="Less", amount=-10000,
            )
        )  # fmt: skip
    new = shop.open(order)
    assert new != old
    assert gateway.retrieve_session(old).status == "expired"
    assert gateway.retrieve_session(new).amount_total == 174000
    assert shop.attempt_states(order) == ["expired", "open"]


def test_rule_38_people_cannot_be_taken_off_while_a_page_is_open_and_can_after_it(
    shop: Shop,
) -> None:
    order = shop.order(people=2)
    session = shop.open(order)

    def take_off() -> None:
        with transaction():
            registration.remove_person(
                order.id, order.registrations[1], actor=SYSTEM, now=shop.clock.now
            )

    with pytest.raises(Refused) as refused:
        take_off()
    assert refused.value.refusal.name == "PaymentOpen"
    end_checkout(order.id)
    assert gateway.retrieve_session(session).status == "expired"
    take_off()
    assert shop.states(order) == ["awaiting_payment", "cancelled"]
    again = shop.open(order)
    assert gateway.retrieve_session(again).amount_total == 92000


def test_rule_38_a_page_that_was_paid_meanwhile_is_settled_instead(shop: Shop) -> None:
    order = shop.order()
    shop.pay(shop.open(order))
    settled = end_checkout(order.id)
    assert settled is not None
    assert settled.state == "paid"
    assert shop.states(order) == ["confirmed"]
    assert end_checkout(order.id) is None
