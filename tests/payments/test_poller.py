"""The poller: payments do not depend on Stripe's events. The numbers are those of payments.md."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import UpstreamFailed
from regsys.kernel.states import move
from regsys.ledger import services as ledger
from regsys.ledger.models import Refund
from regsys.ledger.states import Problem
from regsys.payments import queries
from regsys.payments.jobs import HANDLERS, PERIODIC, catch_up, poll
from regsys.payments.models import PaymentAttempt
from regsys.payments.settle import execute_refund
from regsys.payments.states import AttemptState
from regsys.registration.models import Order
from tests.payments.shop import Placed, Shop

PAID = (["confirmed"], ["paid"], [(92000, None)], 1)


def asked(shop: Shop) -> int:
    return len(shop.control.calls("get_session"))


def test_rule_06_an_event_that_never_comes_is_not_needed(shop: Shop) -> None:
    order = shop.order()
    shop.pay(shop.open(order))
    shop.clock.move(minutes=2)
    poll({})
    assert shop.attempt_states(order) == ["open"]
    shop.clock.move(minutes=1)
    poll({})
    assert shop.outcome(order) == PAID
    poll({})
    assert shop.outcome(order) == PAID


def test_rule_06_open_attempts_are_asked_about_once_a_minute(shop: Shop) -> None:
    shop.open(shop.order())
    shop.clock.move(minutes=3)
    before = asked(shop)
    poll({})
    poll({})
    assert asked(shop) == before + 1
    shop.clock.move(minutes=1)
    poll({})
    assert asked(shop) == before + 2


def test_rule_06_what_is_over_frees_its_place_and_is_asked_no_more(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    shop.clock.move(minutes=36)
    poll({})
    assert shop.attempt_states(order) == ["expired"]
    assert shop.claims(order) == []
    before = asked(shop)
    shop.clock.move(minutes=5)
    poll({})
    assert asked(shop) == before


def test_rule_06_a_session_that_was_never_recorded_is_found(shop: Shop) -> None:
    order = shop.order()
    shop.control.fail("create_session", "drop", times=3)
    shop.click_pay(order)
    shop.clock.move(minutes=5)
    poll({})
    [attempt] = shop.attempts(order)
    assert attempt.state == "open"
    shop.pay(attempt.session_id or "")
    shop.clock.move(minutes=1)
    poll({})
    assert shop.outcome(order) == PAID


def test_rule_06_a_session_that_was_never_made_is_given_up(shop: Shop) -> None:
    order = shop.order()
    shop.control.fail("create_session", "drop-before", times=3)
    shop.click_pay(order)
    shop.clock.move(minutes=5)
    poll({})
    assert shop.attempt_states(order) == ["abandoned"]
    assert [c.until for c in shop.claims(order)] == [shop.clock.now + timedelta(minutes=10)]
    assert shop.open(order)


def test_rule_06_one_that_cannot_be_settled_does_not_stop_the_others(shop: Shop) -> None:
    broken, sound = shop.order(), shop.order()
    shop.pay(shop.open(broken))
    shop.pay(shop.open(sound))
    break_order(broken)
    shop.clock.move(minutes=3)
    poll({})
    assert shop.outcome(sound) == PAID
    [attempt] = shop.attempts(broken)
    assert attempt.state == "open"
    assert "NoResultFound" in (attempt.error or "")
    assert [c.until for c in shop.claims(broken)] == [None]


def break_order(order: Placed) -> None:
    """Let this order's payment be unwritable: another row has its attempt already."""
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO payment (order_id, attempt_id, method, amount, currency, reference,"
                " received_at, note) SELECT order_id, NULL, 'card', 1, 'USD', 'x',"
                " created_at, '' FROM payment_attempt WHERE order_id = :o"
            ),
            {"o": order.id},
        )
        connection.execute(
            text("UPDATE payment_attempt SET payment_intent = 'x' WHERE order_id = :o"),
            {"o": order.id},
        )
        connection.execute(text("CREATE UNIQUE INDEX one_each ON payment (order_id)"))


def test_stripe_is_away_and_every_place_stays_held(shop: Shop) -> None:
    orders = [shop.order(), shop.order()]
    for order in orders:
        shop.open(order)
    shop.clock.move(minutes=40)
    before = asked(shop)
    shop.control.fail("get_session", "500", times=6)
    poll({})
    assert asked(shop) == before + 6  # each with its repeats
    for order in orders:
        assert [c.until for c in shop.claims(order)] == [None]
    rows = queries.list_attention(now=shop.clock.now)
    assert [r.order.id for r in rows] == [o.id for o in orders]
    shop.clock.move(minutes=1)
    poll({})
    assert [shop.attempt_states(o) for o in orders] == [["expired"], ["expired"]]
    assert queries.list_attention(now=shop.clock.now) == []


def test_rule_02_an_event_that_failed_is_processed_later_without_stripe_sending_it_again(
    shop: Shop,
) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    shop.control.fail("get_session", "500", times=3)
    assert shop.deliver_all(session) == [500]
    assert [e.tries for e in queries.list_failed_events()] == [1]
    shop.clock.move(minutes=2)
    poll({})
    assert shop.outcome(order) == PAID
    [event] = [e for e in shop.inbox() if e.type.startswith("checkout.")]
    assert event.outcome == "paid"
    assert queries.list_failed_events() == []


def test_rule_07_the_endpoint_is_down_for_four_days_and_everything_is_found(shop: Shop) -> None:
    """Events are dropped; the poller settles all, and the silence is seen."""
    first = shop.order()
    session = shop.open(first)
    shop.pay(session)
    shop.deliver_all(session)
    assert not queries.webhooks(shop.clock.now).silent
    shop.control.set_endpoint("disabled")
    try:
        for _ in range(4):
            shop.clock.move(days=1)
            order = shop.order()
            shop.pay(shop.open(order))
            shop.clock.move(minutes=4)
            poll({})
            assert shop.outcome(order) == PAID
    finally:
        shop.control.set_endpoint("enabled")
    shop.clock.move(minutes=11)
    shop.fresh()
    state = queries.webhooks(shop.clock.now)
    assert state.silent
    assert queries.last_event_age(shop.clock.now) == timedelta(days=4, minutes=27)


def test_rule_33_attempts_of_the_other_mode_are_kept_until_their_end(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    shop.fresh()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE payment_attempt SET livemode = true"))
    shop.clock.move(minutes=5)
    before = asked(shop)
    poll({})
    assert [c.until for c in shop.claims(order)] == [None]
    shop.clock.move(minutes=31)
    poll({})
    assert asked(shop) == before
    assert shop.attempt_states(order) == ["abandoned"]
    assert shop.claims(order)[0].until is not None


def test_rule_33_an_unknown_session_keeps_its_place_until_its_end(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    shop.fresh()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE payment_attempt SET session_id = 'cs_test_elsewhere'"))
    shop.clock.move(minutes=5)
    poll({})
    assert shop.attempt_states(order) == ["open"]
    assert [c.until for c in shop.claims(order)] == [None]
    shop.clock.move(minutes=31)
    poll({})
    assert shop.attempt_states(order) == ["abandoned"]


def test_a_refund_that_was_cut_off_is_carried_out(shop: Shop) -> None:
    order, refund_id = give_back_later(shop)
    poll({})
    assert state_of(shop, refund_id) == "requested"
    shop.clock.move(minutes=1)
    shop.control.fail("create_refund", "drop", times=3)
    shop.control.fail("list_events", "429")
    poll({})
    assert state_of(shop, refund_id) == "submitted"
    shop.clock.move(minutes=1)
    poll({})
    assert state_of(shop, refund_id) == "succeeded"
    assert len(shop.refunds_at_stripe(order)) == 1


def give_back_later(shop: Shop) -> tuple[Placed, int]:
    """Return an order with a refund that Stripe was not asked for yet, and that is due."""
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    [payment] = shop.payment_rows(order)
    with transaction():
        ledger.mark_problem(payment.id, Problem.DOUBLE, actor=SYSTEM, now=shop.clock.now)
        refund = ledger.refund_whole(payment.id, reason="x", actor=SYSTEM, now=shop.clock.now)
        return order, refund.id


def test_payments_without_an_answer_keep_nothing_else_from_its_turn(shop: Shop) -> None:
    """Three in a row: Stripe is asked whether it is there at all, and only if it is not the round ends."""
    _order, refund_id = give_back_later(shop)
    for _ in range(4):
        shop.open(shop.order())
    shop.clock.move(minutes=3)
    before = len(shop.control.calls())
    shop.control.fail("*", "429", times=4)
    poll({})
    assert len(shop.control.calls()) == before + 4
    assert state_of(shop, refund_id) == "requested"
    shop.clock.move(minutes=1)
    before = asked(shop)
    shop.control.fail("get_session", "429", times=4)
    poll({})
    assert asked(shop) == before + 4
    assert state_of(shop, refund_id) == "succeeded"


@pytest.mark.parametrize("key", ["", "sk_live_" + "0" * 24])
def test_rule_33_a_refund_waits_for_the_key_of_its_payment(shop: Shop, key: str) -> None:
    (_order, refund_id), known = give_back_later(shop), shop.app.extensions["regsys.settings"]
    shop.clock.move(minutes=2)
    before = len(shop.control.calls("create_refund"))
    shop.app.extensions["regsys.settings"] = known.replace(
        STRIPE_SECRET_KEY=key, STRIPE_API_BASE=None, SANDBOX=False
    )
    with pytest.raises(UpstreamFailed, match="the refund waits"):
        execute_refund(refund_id)
    assert refund_id not in queries.list_refunds_to_send(livemode=True, now=shop.clock.now)
    assert state_of(shop, refund_id) == "requested"
    shop.app.extensions["regsys.settings"] = known
    assert len(shop.control.calls("create_refund")) == before
    poll({})
    assert state_of(shop, refund_id) == "succeeded"


def state_of(shop: Shop, refund_id: int) -> str:
    shop.fresh()
    return str(db.session.get_one(Refund, refund_id).state)


def test_without_a_key_nothing_is_asked(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.open(shop.order())
    shop.clock.move(minutes=5)
    known = shop.app.extensions["regsys.settings"]
    shop.app.extensions["regsys.settings"] = known.replace(
        STRIPE_SECRET_KEY="", STRIPE_API_BASE=None
    )
    before = len(shop.control.calls())
    poll({})
    assert len(shop.control.calls()) == before
    assert caplog.text == ""


def test_the_worker_finds_the_poller() -> None:
    due = {p.kind: p.every for p in PERIODIC}
    assert (due["payments.poll"], due["payments.catch_up"]) == (60, 3600)
    assert (HANDLERS["payments.poll"], HANDLERS["payments.catch_up"]) == (poll, catch_up)


def test_rule_12_places_behind_a_mailed_link_are_held_as_long_as_it_said(shop: Shop) -> None:
    """A page that never opened must not cut a week, or the day of an invoice, down to ten minutes."""
    order, promised = shop.order(), shop.clock.now + timedelta(days=7)
    with transaction():
        db.session.get_one(Order, order.id).held_until = promised
    shop.control.fail("create_session", "drop-before", times=3)
    shop.click_pay(order)
    shop.clock.move(minutes=5)
    poll({})
    assert shop.attempt_states(order) == ["abandoned"]
    assert [c.until for c in shop.claims(order)] == [promised]


def test_rule_06_what_waits_for_a_bank_keeps_no_other_payment_waiting(shop: Shop) -> None:
    slow, quick = shop.order(), shop.order()
    for order in (slow, quick):
        shop.open(order)
    now = shop.clock.move(minutes=4)
    with transaction():
        [attempt] = shop.attempts(slow)
        move(db.session.get_one(PaymentAttempt, attempt.id), AttemptState.PROCESSING, now=now)
    poll({})
    now = shop.clock.move(minutes=1)
    with transaction():
        # The one at the bank was asked about before the other, and is not due for an hour.
        db.session.get_one(PaymentAttempt, attempt.id).asked_at = now - timedelta(minutes=20)
    [open_one] = shop.attempts(quick)
    assert queries.list_to_ask(livemode=False, now=now, limit=1) == [open_one.id]
