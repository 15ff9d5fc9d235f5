"""Money asked for, taken and given back at the same moment: on both databases, each door in a thread of its own."""

from typing import Any

from flask import Flask

from regsys.kernel import clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.errors import Busy, Refused
from regsys.ledger import services as ledger
from regsys.payments import services
from regsys.payments.jobs import poll
from regsys.payments.settle import execute_refund, settle
from tests.payments.shop import Placed, Shop
from tests.support.together import booking, errors, inside, raise_unexpected, together


def _paid(shop: Shop) -> tuple[Placed, str]:
    """Return an order that was paid at Stripe's page, of which nobody has heard."""
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    return order, session


def _patiently(app: Flask, work: Any) -> Any:
    """Do what a door does, again where a lock was not had."""
    for _ in range(20):
        try:
            return inside(app, work)
        except Busy:
            continue
    raise AssertionError("the lock was never had")


def test_four_doors_settle_one_payment_once(app: Flask, shop: Shop) -> None:
    for _ in range(5):
        order, session = _paid(shop)
        [event] = shop.told(session, "checkout.session.completed")
        clients = [app.test_client() for _ in range(4)]
        shop.clock.move(minutes=4)
        results = together(
            [
                lambda c=clients[0], e=event: shop.deliver(e, client=c),
                lambda c=clients[1], e=event: shop.deliver(e, client=c),
                lambda c=clients[2], o=order, s=session: (
                    c.get(f"/o/{o.token}/paid", query_string={"session_id": s}).status_code
                ),
                lambda s=session: _patiently(app, lambda: settle(session_id=s).state),
                lambda: _patiently(app, lambda: poll({})),
            ]
        )
        raise_unexpected(results)
        poll({})
        assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1), results


def test_two_refunds_at_once_never_give_back_more_than_was_paid(app: Flask, shop: Shop) -> None:
    for _ in range(5):
        order, session = _paid(shop)
        assert shop.deliver_all(session) == [200]
        [payment] = shop.payment_rows(order)
        payment_id, now = payment.id, clock.now()

        def ask(payment_id: int = payment_id, now: Any = now) -> int:
            return ledger.request_refund(
                payment_id, amount=60000, reason="asked", actor=SYSTEM, now=now
            ).id

        def give_back(ask: Any = ask) -> Any:
            refund = booking(app, ask)
            return _patiently(app, lambda: execute_refund(refund))

        results = together([give_back, give_back])
        raise_unexpected(results, Refused)
        assert len(errors(results)) == 1
        assert len(shop.refunds_at_stripe(order)) == 1


def test_cancelling_against_the_webhook_leaves_one_truth(app: Flask, shop: Shop) -> None:
    """Either the money was heard of first, and goes back; or the cancelling waits for what the page brings."""
    for _ in range(5):
        order, session = _paid(shop)
        [event] = shop.told(session, "checkout.session.completed")
        [registration] = order.registrations
        now, client = clock.now(), app.test_client()

        def cancel(order: Placed = order, registration: int = registration, now: Any = now) -> Any:
            return services.cancel_person(
                registration, event_id=order.event_id, amount=92000,
                reason="asked", actor=SYSTEM, now=now,
            )  # fmt: skip

        results = together(
            [
                lambda e=event, c=client: shop.deliver(e, client=c),
                lambda cancel=cancel: booking(app, cancel),
            ]
        )
        raise_unexpected(results, Refused)
        poll({})
        if errors(results):
            assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1)
            with transaction():
                refunds = cancel()
        else:
            refunds = results[1]
        for refund in refunds:
            execute_refund(refund)
        assert shop.states(order) == ["cancelled"]
        assert len(shop.refunds_at_stripe(order)) == 1
        assert shop.claims(order) == []
        assert [k.split(":")[0] for k, _ in shop.letters_of(order)].count("confirm") == 1
