"""Money asked for, taken and given back at the same moment: each door in a process of its own, on both databases."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from regsys.kernel import clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.errors import Busy, Refused
from regsys.payments import services
from regsys.payments.jobs import poll
from regsys.payments.queries import Seen
from regsys.payments.settle import execute_refund, settle
from tests.payments.shop import Placed, Shop
from tests.support import rawsql
from tests.support.books import reconciled, verified
from tests.support.processes import Raised, at_once

TIMES = 3
pytestmark = pytest.mark.own_stripe


@pytest.fixture
def url(database: Any) -> str:
    """Return the address of the database, to count around the product."""
    return str(database.url)


def _paid(shop: Shop) -> tuple[Placed, str]:
    """Return an order that was paid at Stripe's page, of which nobody has heard."""
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    return order, session


def _patiently(work: Callable[[], Any]) -> Any:
    """Do what a door does, again where a lock was not had."""
    for _ in range(20):
        try:
            return work()
        except Busy:
            continue
    raise AssertionError("the lock was never had")


def _committed(verb: Callable[[], Any]) -> Any:
    with transaction():
        return verb()


def _count(url: str, order: Placed, sql: str) -> int:
    return rawsql.number(url, sql, order.id)


def _refunds_in_rows(url: str, order: Placed) -> int:
    query = (
        "SELECT count(*) FROM refund r JOIN payment p ON p.id = r.payment_id WHERE p.order_id = ?"
    )
    return _count(url, order, query)


def _confirmations(url: str, order: Placed) -> int:
    query = (
        "SELECT count(*) FROM message m JOIN registration r ON r.id = m.registration_id"
        " WHERE r.order_id = ? AND m.key LIKE 'confirm:%'"
    )
    return _count(url, order, query)


def test_five_doors_settle_one_payment_once(app: Flask, shop: Shop, url: str) -> None:
    """Stripe tells twice, the payer comes back, the organizer asks, and the poller does."""
    for _ in range(TIMES):
        order, session = _paid(shop)
        [event] = shop.told(session, "checkout.session.completed")
        shop.clock.move(minutes=4)

        def tell(event: Any = event) -> int:
            return shop.deliver(event)

        def come_back(order: Placed = order, session: str = session) -> int:
            return shop.come_back(order, session).status_code

        def ask(session: str = session) -> Any:
            return _patiently(lambda: settle(session_id=session).state)

        results = at_once(app, [tell, tell, come_back, ask, lambda: _patiently(lambda: poll({}))])
        assert [r for r in results if isinstance(r, Raised)] == []
        poll({})
        assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1), results
        paid = "SELECT count(*) FROM payment WHERE order_id = ?"
        assert (_count(url, order, paid), _confirmations(url, order)) == (1, 1)
    assert (verified(), reconciled()) == ([], [])


def test_two_refunds_at_once_never_give_back_more_than_was_paid(
    app: Flask, shop: Shop, url: str
) -> None:
    for _ in range(TIMES):
        order, session = _paid(shop)
        assert shop.deliver_all(session) == [200]
        [payment] = [p.id for p in shop.payment_rows(order)]

        def give_back(payment: int = payment, order: Placed = order) -> Any:
            refund = _patiently(
                lambda: _committed(
                    lambda: services.give_back(
                        order.id, [payment], amount=60000, seen=Seen(0, 0), reason=f"asked {os.getpid()}",
                        actor=SYSTEM, now=clock.now(),
                    )
                )
            )  # fmt: skip
            return [_patiently(lambda r=r: execute_refund(r)) for r in refund]

        results = at_once(app, [give_back, give_back, give_back])
        refused = [r for r in results if isinstance(r, Raised)]
        assert [r.kind for r in refused] == [Refused, Refused], results
        assert (len(shop.refunds_at_stripe(order)), _refunds_in_rows(url, order)) == (1, 1)
    assert (verified(), reconciled()) == ([], [])


def test_cancelling_against_the_webhook_leaves_one_truth(app: Flask, shop: Shop, url: str) -> None:
    """Either the money was heard of first, and goes back; or the cancelling waits for what the page brings."""
    for _ in range(TIMES):
        order, session = _paid(shop)
        [event] = shop.told(session, "checkout.session.completed")

        def cancel(order: Placed = order) -> Any:
            return _committed(
                lambda: services.cancel_person(
                    order.registrations[0], event_id=order.event_id, amount=92000,
                    reason="asked", actor=SYSTEM, now=clock.now(),
                )
            )  # fmt: skip

        def tell(event: Any = event) -> int:
            return shop.deliver(event)

        told, cancelled = at_once(app, [tell, lambda cancel=cancel: _patiently(cancel)])
        assert told in (200, 500), told
        poll({})
        if isinstance(cancelled, Raised):
            assert cancelled.kind is Refused, cancelled
            shop.clock.move(minutes=4)
            poll({})
            assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1)
            cancelled = cancel()
        for refund in cancelled:
            execute_refund(refund)
        assert shop.states(order) == ["cancelled"]
        assert (len(shop.refunds_at_stripe(order)), _refunds_in_rows(url, order)) == (1, 1)
        assert shop.claims(order) == []
        assert _confirmations(url, order) == 1
    assert (verified(), reconciled()) == ([], [])
