"""Money that comes late or twice: never lost, never a place too many. The numbers are those of payments.md."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from regsys.capacity import services as capacity
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger.models import Method
from regsys.ledger.services import record_payment
from regsys.payments import gateway, services
from regsys.payments.jobs import poll
from regsys.payments.settle import settle
from regsys.registration import services as registration
from tests.payments.shop import Placed, Shop


def lose(shop: Shop, order: Placed) -> str:
    """Open a session, then believe that Stripe never had it; return the session."""
    session = shop.open(order)
    [attempt] = shop.attempts(order)
    with transaction():
        services.abandon(attempt.id, "lost", now=shop.clock.now)
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE payment_attempt SET session_id = NULL, url = NULL WHERE id = :id"),
            {"id": attempt.id},
        )
    return session


def let_lapse(shop: Shop, order: Placed) -> None:
    shop.clock.move(minutes=11)
    with transaction():
        registration.expire_lapsed(order.id, now=shop.clock.now)


def test_rule_10_late_money_that_finds_a_free_place_confirms(shop: Shop) -> None:
    order = shop.order(size=1)
    session = lose(shop, order)
    let_lapse(shop, order)
    assert shop.states(order) == ["expired"]
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1)
    assert len(shop.claims(order)) == 1


def test_rule_10_late_money_without_a_place_is_set_aside_and_nobody_is_put_out(
    shop: Shop,
) -> None:
    late = shop.order(size=1)
    session = lose(shop, late)
    let_lapse(shop, late)
    buyer = shop.order(late.event_id)
    paid = shop.open(buyer)
    shop.pay(paid)
    shop.deliver_all(paid)
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(late) == (["expired"], ["quarantined"], [(92000, "no_place")], 0)
    assert shop.outcome(buyer) == (["confirmed"], ["paid"], [(92000, None)], 1)
    assert (len(shop.claims(late)), len(shop.claims(buyer))) == (0, 1)
    assert shop.deliver_all(session) == [200]
    assert shop.payments(late) == [(92000, "no_place")]


def test_rule_10_a_place_is_not_let_go_before_stripe_says_so(shop: Shop) -> None:
    order = shop.order(size=1)
    session = shop.open(order)
    shop.clock.move(hours=3)
    with transaction():
        assert registration.expire_lapsed(order.id, now=shop.clock.now) == 0
    shop.control.fail("get_session", "500", times=3)
    with pytest.raises(gateway.Unreachable):
        settle(session_id=session)
    assert [c.until for c in shop.claims(order)] == [None]
    settle(session_id=session)
    assert shop.claims(order) == []


def test_rule_10_money_after_stripe_said_it_was_over_is_still_written_down(shop: Shop) -> None:
    """Stripe does not do this; if it ever did, the money would not be lost."""
    order = shop.order()
    session = shop.open(order)
    [attempt] = shop.attempts(order)
    with transaction():
        expired = gateway_session(shop, session, "expired", "unpaid")
        services.apply_session(
            attempt.id, expired, actor=SYSTEM, now=attempt.expires_at + timedelta(minutes=1)
        )
    assert shop.states(order) == ["expired"]
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1)


def gateway_session(shop: Shop, session: str, status: str, payment: str) -> gateway.Session:
    [attempt] = [a for a in shop.all_attempts() if a.session_id == session]
    return gateway.Session(
        session, status, payment, attempt.amount, "usd", livemode=False, mode="payment",
        tag=attempt.key,
    )  # fmt: skip


def test_rule_11_paid_between_our_decision_and_our_call_is_settled(shop: Shop) -> None:
    """We decide to end a session; the payer is faster. Stripe refuses to end it, and the money counts."""
    order = shop.order()
    session = shop.open(order)
    shop.clock.move(minutes=31)
    shop.pay(session)
    refused = len([c for c in shop.control.calls("expire_session") if c["status"] == 400])
    answer = shop.click_pay(order)
    assert answer.location == f"/o/{order.token}"
    calls = [c for c in shop.control.calls("expire_session") if c["status"] == 400]
    assert len(calls) == refused + 1
    assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1)


def two_sessions(shop: Shop) -> tuple[Placed, str, str]:
    """Force two payable sessions for one order: one that we had given up, and the one in our books."""
    order = shop.order()
    lost = lose(shop, order)
    return order, lost, shop.open(order)


def test_rule_14_the_second_payment_is_set_aside_and_the_order_stays_paid(shop: Shop) -> None:
    order, lost, known = two_sessions(shop)
    shop.pay(known)
    shop.pay(lost)
    assert shop.deliver_all(known) == [200]
    assert shop.deliver_all(lost) == [200]
    assert shop.states(order) == ["confirmed"]
    assert shop.attempt_states(order) == ["quarantined", "paid"]
    assert shop.payments(order) == [(92000, None), (92000, "double")]
    assert shop.confirmations(order) == 1


def test_rule_14_it_does_not_matter_which_of_the_two_is_heard_of_first(shop: Shop) -> None:
    order, lost, known = two_sessions(shop)
    shop.pay(known)
    shop.pay(lost)
    assert shop.deliver_all(lost) == [200]
    assert shop.deliver_all(known) == [200]
    assert shop.states(order) == ["confirmed"]
    assert shop.attempt_states(order) == ["paid", "quarantined"]
    assert shop.payments(order) == [(92000, None), (92000, "double")]
    assert shop.confirmations(order) == 1


def test_rule_14_the_other_session_is_ended_as_soon_as_one_is_paid(shop: Shop) -> None:
    order, lost, known = two_sessions(shop)
    shop.pay(lost)
    assert shop.deliver_all(lost) == [200]
    assert shop.attempt_states(order) == ["paid", "expired"]
    assert gateway.retrieve_session(known).status == "expired"
    assert shop.states(order) == ["confirmed"]
    assert len(shop.claims(order)) == 1


def test_rule_14_the_other_session_cannot_be_ended_now_and_the_poller_does_it(
    shop: Shop,
) -> None:
    order, lost, known = two_sessions(shop)
    shop.pay(lost)
    shop.control.fail("expire_session", "500", times=3)
    assert shop.deliver_all(lost) == [200]
    assert shop.attempt_states(order) == ["paid", "open"]
    shop.clock.move(minutes=3)
    poll({})
    assert gateway.retrieve_session(known).status == "expired"
    assert shop.attempt_states(order) == ["paid", "expired"]
    assert shop.states(order) == ["confirmed"]


def test_rule_14_a_given_up_session_that_turns_up_open_is_ended(shop: Shop) -> None:
    order, lost, known = two_sessions(shop)
    opened = shop.control.emit("checkout.session.completed", lost)
    assert shop.deliver(opened) == 200
    assert gateway.retrieve_session(lost).status == "expired"
    assert gateway.retrieve_session(known).status == "open"
    assert shop.attempt_states(order) == ["expired", "open"]
    assert [c.until for c in shop.claims(order)] == [None]


def test_a_session_for_what_was_paid_otherwise_is_ended(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    with transaction():
        record_payment(
            order.id, amount=92000, currency="USD", method=Method.CHEQUE, actor=SYSTEM,
            now=shop.clock.now,
        )  # fmt: skip
        registration.confirm_paid(order.id, actor=SYSTEM, now=shop.clock.now)
    settle(session_id=session)
    assert gateway.retrieve_session(session).status == "expired"
    assert shop.attempt_states(order) == ["expired"]
    assert shop.states(order) == ["confirmed"]
    assert len(shop.claims(order)) == 1


def test_several_people_are_confirmed_by_one_payment(shop: Shop) -> None:
    order = shop.order(people=3)
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    assert shop.outcome(order) == (["confirmed"] * 3, ["paid"], [(276000, None)], 3)
    [payment] = shop.payment_rows(order)
    assert (payment.fee, payment.currency) == (8034, "USD")
    assert (payment.reference or "").startswith("pi_")


@pytest.mark.parametrize(
    ("currency", "price"), [("JPY", 92000), ("KWD", 92000), ("ISK", 92000), ("UGX", 50000)]
)
def test_rule_28_other_currencies_come_back_whole(shop: Shop, currency: str, price: int) -> None:
    order = shop.order(price=price, currency=currency)
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    assert shop.payments(order) == [(price, None)]
    assert shop.states(order) == ["confirmed"]


def test_rule_10_money_takes_again_only_what_it_is_enough_for(shop: Shop) -> None:
    """Of a host's order seats lapse one by one: who pays for one seat must not bring the others back unpaid."""
    order = shop.order(people=2)
    lapsing, staying = order.registrations
    with transaction():
        now = shop.clock.now
        capacity.extend([lapsing], until=now + timedelta(minutes=1), now=now)
    shop.clock.move(minutes=2)
    with transaction():
        registration.expire_lapsed(order.id, now=shop.clock.now)
    assert shop.states(order) == ["expired", "awaiting_payment"]
    session = shop.open(order)
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == (["expired", "confirmed"], ["paid"], [(92000, None)], 1)
    assert [c.registration_id for c in shop.claims(order)] == [staying]


def test_rule_10_a_cheque_for_a_part_brings_no_place_back(shop: Shop) -> None:
    order = shop.order()
    shop.clock.move(minutes=31)
    with transaction():
        registration.expire_lapsed(order.id, now=shop.clock.now)
    for seen, amount in ((0, 10000), (1, 92000)):
        with transaction():
            services.receive_by_hand(
                order.id, amount=amount, method=Method.CHEQUE, received_at=shop.clock.now,
                reference=f"{amount}", seen=seen, actor=SYSTEM, now=shop.clock.now,
            )  # fmt: skip
        if amount == 10000:
            assert shop.outcome(order) == (["expired"], [], [(10000, "no_place")], 0)
    assert shop.states(order) == ["confirmed"]
    assert shop.payments(order) == [(10000, "no_place"), (92000, None)]
