"""The process dies at a named point, as in a power cut; what comes after finds everything as it must be."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from regsys.payments import services
from regsys.payments.jobs import call_off, poll
from regsys.payments.settle import execute_refund, start_checkout
from tests.payments.shop import Placed, Shop
from tests.payments.test_late_and_double import two_sessions
from tests.support import rawsql
from tests.support.processes import Work, dies

PAID = (["confirmed"], ["paid"], [(92000, None)], 1)
Die = Callable[[str, Work], None]


@pytest.fixture
def die(app: Flask, shop: Shop, settings: Settings) -> Die:
    """Do something in a process of its own, which must die at the point."""

    def die(point: str, work: Work) -> None:
        assert dies(app, point, work, folder=settings.DATA_DIR)
        shop.fresh()

    return die


def test_killed_between_the_attempt_and_the_call_the_payer_tries_again(
    shop: Shop, die: Die
) -> None:
    order = shop.order()
    before = shop.control.count("checkout.session")
    die("attempt-committed", lambda: start_checkout(order.id))
    assert shop.attempt_states(order) == ["created"]
    assert shop.control.count("checkout.session") == before
    assert [c.until for c in shop.claims(order)] == [None]
    session = shop.open(order)
    assert shop.attempt_states(order) == ["open"]
    assert shop.control.count("checkout.session") == before + 1
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == PAID


def test_killed_between_the_attempt_and_the_call_and_nobody_comes_back(
    shop: Shop, die: Die
) -> None:
    order = shop.order()
    die("attempt-committed", lambda: start_checkout(order.id))
    shop.clock.move(minutes=5)
    poll({})
    assert shop.attempt_states(order) == ["abandoned"]
    assert [c.until is None for c in shop.claims(order)] == [False]


def test_killed_between_the_call_and_its_record_the_payer_gets_the_same_session(
    shop: Shop, die: Die
) -> None:
    order = shop.order()
    before = shop.control.count("checkout.session")
    die("session-created", lambda: start_checkout(order.id))
    assert shop.attempt_states(order) == ["created"]
    assert shop.control.count("checkout.session") == before + 1
    session = shop.open(order)
    assert shop.control.count("checkout.session") == before + 1
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    assert shop.outcome(order) == PAID


def test_killed_between_the_call_and_its_record_the_poller_adopts_the_session(
    shop: Shop, die: Die
) -> None:
    order = shop.order()
    die("session-created", lambda: start_checkout(order.id))
    shop.clock.move(minutes=5)
    poll({})
    [attempt] = shop.attempts(order)
    assert attempt.state == "open"
    shop.pay(attempt.session_id or "")
    shop.clock.move(minutes=1)
    poll({})
    assert shop.outcome(order) == PAID


@pytest.mark.parametrize("by", ["the worker", "Stripe"])
def test_killed_between_the_event_and_its_effects_they_are_made_later(
    shop: Shop, die: Die, by: str
) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    [event] = shop.told(session)
    die("event-committed", lambda: shop.deliver(event))
    [row] = shop.inbox()
    assert (row.id, row.processed_at) == (event["id"], None)
    assert shop.outcome(order) == (["awaiting_payment"], ["open"], [], 0)
    if by == "Stripe":
        assert shop.deliver(event) == 200
    else:
        shop.clock.move(minutes=2)
        poll({})
    assert shop.outcome(order) == PAID
    assert shop.inbox()[0].outcome == "paid"


# ---- money that goes back


REFUNDS = (
    "SELECT r.state, r.amount FROM refund r JOIN payment p ON p.id = r.payment_id"
    " WHERE p.order_id = ? ORDER BY r.id"
)


def _letters(shop: Shop, order: Placed, prefix: str) -> int:
    return sum(key.startswith(prefix) for key, _ in shop.letters_of(order))


def _bought(shop: Shop) -> Placed:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    return order


REFUND_POINTS = pytest.mark.parametrize(
    ("point", "made", "state"),
    [("refund-requested", 0, "requested"), ("refund-made", 1, "submitted")],
)


@REFUND_POINTS
def test_killed_at_a_refund_of_one_who_is_cancelled_it_is_made_once(
    shop: Shop, die: Die, database: Any, point: str, made: int, state: str
) -> None:
    order = _bought(shop)

    def cancel() -> None:
        with transaction():
            refunds = services.cancel_person(
                order.registrations[0], event_id=order.event_id, amount=92000,
                reason="asked", actor=SYSTEM, now=shop.clock.now,
            )  # fmt: skip
        for refund in refunds:
            execute_refund(refund)

    die(point, cancel)
    assert rawsql.rows(database.url, REFUNDS, order.id) == [(state, 92000)]
    assert len(shop.refunds_at_stripe(order)) == made
    for _ in range(2):
        shop.clock.move(minutes=2)
        poll({})
    assert rawsql.rows(database.url, REFUNDS, order.id) == [("succeeded", 92000)]
    assert len(shop.refunds_at_stripe(order)) == 1
    assert _letters(shop, order, "cancelled:") == 1


@REFUND_POINTS
def test_killed_at_the_refund_of_a_second_payment_it_is_made_once(
    shop: Shop, die: Die, database: Any, point: str, made: int, state: str
) -> None:
    order, lost, known = two_sessions(shop)
    shop.pay(known)
    shop.pay(lost)
    shop.deliver_all(known)
    [told] = shop.told(lost, "checkout.session.completed")
    die(point, lambda: shop.deliver(told))
    assert rawsql.rows(database.url, REFUNDS, order.id) == [(state, 92000)]
    assert len(shop.refunds_at_stripe(order)) == made
    shop.clock.move(minutes=2)
    poll({})
    assert shop.deliver(told) == 200
    assert rawsql.rows(database.url, REFUNDS, order.id) == [("succeeded", 92000)]
    assert len(shop.refunds_at_stripe(order)) == 1
    assert _letters(shop, order, "money-back:") == 1
    assert shop.states(order) == ["confirmed"]


def test_killed_between_the_end_of_an_order_and_its_effects_all_of_them_are_made_once(
    shop: Shop, die: Die, database: Any
) -> None:
    """An event is called off; whoever works on it dies after one order is ended, and then at each refund."""
    event_id = shop.event()
    orders = [shop.order(event_id) for _ in range(3)]
    for order in orders:
        session = shop.open(order)
        shop.pay(session)
        shop.deliver_all(session)
    with transaction():
        services.start_cancellation(
            event_id, reason="The house is closed.", actor=SYSTEM, now=shop.clock.now
        )
    for point in ("cancellation-committed", "refund-requested", "refund-made"):
        die(point, lambda: call_off({}))
        assert rawsql.number(database.url, "SELECT count(*) FROM refund") < 4
    assert call_off({}) is None
    for order in orders:
        assert rawsql.rows(database.url, REFUNDS, order.id) == [("succeeded", 92000)]
        assert len(shop.refunds_at_stripe(order)) == 1
        assert _letters(shop, order, "cancelled:") == 1
    finished = "SELECT count(*) FROM cancellation WHERE finished_at IS NOT NULL"
    assert rawsql.number(database.url, finished) == 1
