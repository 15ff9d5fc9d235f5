"""An event is called off: everybody is told once, and everything that was paid goes back once. Rule 39."""

from collections import Counter

import pytest
from sqlalchemy import select

from regsys.capacity import services as capacity
from regsys.events.models import Event
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method, Payment, Refund
from regsys.ledger.states import Problem
from regsys.outbox.models import Message
from regsys.payments import cancelling, queries, services
from regsys.payments.jobs import HANDLERS
from regsys.payments.queries import Seen
from regsys.payments.settle import execute_refund
from regsys.registration import queries as registrations
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from tests.payments.shop import Placed, Shop
from tests.payments.test_organizer import desk
from tests.payments.test_refund_pages import paid
from tests.support.typist import Typist


def call_off(shop: Shop, event_id: int) -> None:
    with transaction():
        services.start_cancellation(
            event_id, reason="The house is closed.", actor=SYSTEM, now=shop.clock.now
        )


def work(shop: Shop) -> None:
    shop.fresh()
    HANDLERS["payments.call_off"]({})
    shop.fresh()


def refunds(shop: Shop) -> list[tuple[str, int]]:
    shop.fresh()
    return [
        (str(r.state), r.amount) for r in db.session.scalars(select(Refund).order_by(Refund.id))
    ]


def letters(shop: Shop) -> Counter[str]:
    """Count the letters that tell of the end, by address."""
    shop.fresh()
    kinds = ("event_cancelled", "order_cancelled")
    query = select(Message.to_email).where(Message.kind.in_(kinds))
    return Counter(db.session.scalars(query))


def is_finished(event_id: int) -> bool:
    found = queries.find_cancellation(event_id)
    return found is not None and found.finished_at is not None


def add_person(shop: Shop, order: Placed, event_id: int) -> int:
    """Put somebody of another event into a placed order, as a mixed cart would."""
    with transaction():
        row = db.session.get_one(Order, order.id)
        made = shop._register(row, db.session.get_one(Event, event_id))
        pool = shop.events[event_id][1]
        capacity.claim([(made, [pool])], now=shop.clock.now, until=None)
    order.registrations.append(made)
    return made


def test_rule_39_open_pages_are_ended_everybody_is_told_and_repaid(shop: Shop) -> None:
    event_id = shop.event(size=8)
    done = [paid(shop, event_id=event_id) for _ in range(2)]
    opened = [shop.order(event_id) for _ in range(3)]
    sessions = [shop.open(o) for o in opened]
    waiting = shop.order(event_id)
    call_off(shop, event_id)
    work(shop)
    for order in (*done, *opened, waiting):
        assert shop.states(order) == ["cancelled"]
        assert shop.claims(order) == []
    client = shop.sandbox.client()
    states = [client.v1.checkout.sessions.retrieve(s).status for s in sessions]
    assert states == ["expired"] * 3
    assert refunds(shop) == [("succeeded", 92000)] * 2
    assert [len(shop.refunds_at_stripe(o)) for o in done] == [1, 1]
    people = db.session.scalars(select(Registration.email)).all()
    told = letters(shop)
    assert {told[p] for p in people} == {1}
    assert told["lysander@example.org"] == 6
    assert is_finished(event_id)


def test_rule_39_it_is_sold_no_more_at_once(shop: Shop) -> None:
    event_id = shop.event()
    order = shop.order(event_id)
    call_off(shop, event_id)
    answer = shop.click_pay(order)
    assert answer.status_code == 409
    assert "This event will not take place." in answer.text
    assert db.session.get_one(Event, event_id).state == "cancelled"


def test_rule_39_paid_in_the_meantime_is_settled_and_goes_back(shop: Shop) -> None:
    event_id = shop.event()
    order = shop.order(event_id)
    session = shop.open(order)
    call_off(shop, event_id)
    shop.pay(session)
    work(shop)
    assert shop.states(order) == ["cancelled"]
    assert shop.attempt_states(order) == ["paid"]
    assert refunds(shop) == [("succeeded", 92000)]
    assert shop.deliver_all(session) == [200]
    work(shop)
    assert len(shop.refunds_at_stripe(order)) == 1


def test_rule_39_a_second_run_changes_nothing(shop: Shop) -> None:
    event_id = shop.event()
    order = paid(shop, event_id=event_id, people=2)
    call_off(shop, event_id)
    call_off(shop, event_id)
    work(shop)
    before = (refunds(shop), letters(shop), shop.refunds_at_stripe(order))
    work(shop)
    cancelling.call_off([event_id])
    assert (refunds(shop), letters(shop), shop.refunds_at_stripe(order)) == before
    assert [r[1] for r in before[0]] == [92000, 92000]
    assert registrations.due(order.id).net == 0


def test_rule_39_of_a_mixed_cart_only_this_event_goes_back(shop: Shop) -> None:
    event_id, other = shop.event(price=50000), shop.event(price=30000)
    order = shop.order(event_id)
    add_person(shop, order, other)
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    assert shop.states(order) == ["confirmed", "confirmed"]
    call_off(shop, event_id)
    work(shop)
    assert shop.states(order) == ["cancelled", "confirmed"]
    assert refunds(shop) == [("succeeded", 50000)]
    balance = registrations.due(order.id)
    assert (balance.total, balance.net, balance.due, balance.over) == (30000, 30000, 0, 0)
    assert is_finished(event_id)


def test_rule_39_what_was_kept_or_given_back_before_is_not_given_twice(shop: Shop) -> None:
    event_id = shop.event()
    order = paid(shop, event_id=event_id, people=2)
    [payment] = shop.payment_rows(order)
    with transaction():
        services.give_back(
            order.id, [payment.id], amount=10000, seen=Seen(0, 0), reason="late", actor=SYSTEM,
            now=shop.clock.now, registration_id=order.registrations[0],
        )  # fmt: skip
    call_off(shop, event_id)
    work(shop)
    assert [amount for _, amount in refunds(shop)] == [10000, 82000, 92000]
    assert {state for state, _ in refunds(shop)} == {"succeeded"}


def test_rule_39_stripe_is_away_and_it_goes_on_later(shop: Shop) -> None:
    event_id = shop.event()
    order, opened = paid(shop, event_id=event_id), shop.order(event_id)
    shop.open(opened)
    call_off(shop, event_id)
    shop.control.fail("create_refund", "500", times=6)
    shop.control.fail("expire_session", "500", times=3)
    shop.control.fail("get_session", "500", times=3)
    again = cancelling.call_off([event_id])
    assert again is not None
    assert not is_finished(event_id)
    assert shop.states(order) == ["cancelled"]
    shop.control.clear_faults()
    shop.clock.to(again)
    work(shop)
    assert shop.states(opened) == ["cancelled"]
    assert refunds(shop) == [("succeeded", 92000)]
    assert len(shop.refunds_at_stripe(order)) == 1
    assert is_finished(event_id)


def test_a_cart_that_nobody_placed_is_let_go(shop: Shop) -> None:
    event_id = shop.event()
    order = shop.order(event_id)
    with transaction():
        db.session.get_one(Order, order.id).placed_at = None
    call_off(shop, event_id)
    work(shop)
    assert shop.states(order) == ["cancelled"]
    assert shop.claims(order) == []
    lines = db.session.scalars(select(OrderLine.kind)).all()
    assert LineKind.RETURN not in lines


def test_the_organizer_sees_what_will_happen_and_then_how_far_it_is(shop: Shop) -> None:
    event_id = shop.event()
    order = paid(shop, event_id=event_id, people=2)
    shop.open(shop.order(event_id))
    typist = Typist(desk(shop, "registrar"))
    preview = typist.get(f"/organize/events/{event_id}/preview")
    path = f"/organize/events/{event_id}/call-off"
    assert f'href="{path}"' in preview.text
    assert typist.send(path, {"reason": ""}, names=["reason"]).status == 422
    check = typist.send(path, {"reason": "The house is closed."}, names=["reason"])
    assert "3 registrations are cancelled, 2 confirmed and 1 not paid" in check.text
    assert "$1,840.00 in all goes back" in check.text
    assert "One payment page is open now" in check.text
    assert shop.states(order) == ["confirmed", "confirmed"]
    done = typist.send(check, {}, "confirm", names=["reason"])
    assert done.status == 303
    page = typist.follow(done)
    assert page.headers["Refresh"] == "4"
    assert "0 of 3 registrations are cancelled." in page.text
    again = typist.send(check, {}, "confirm", names=["reason"])
    assert again.status == 303
    work(shop)
    page = typist.follow(done)
    assert "Refresh" not in page.headers
    assert "3 of 3 registrations are cancelled." in page.text
    assert "$1,840.00" in page.text
    shown = db.session.get_one(Event, event_id).slug
    assert "The house is closed." in shop.client.get(f"/events/{shown}").text


def test_failed_refunds_are_shown_with_what_to_do(shop: Shop) -> None:
    event_id = shop.event()
    order = paid(shop, event_id=event_id)
    shop.sandbox.client().v1.refunds.create(
        {"payment_intent": shop.payment_rows(order)[0].reference or ""}
    )
    call_off(shop, event_id)
    work(shop)
    page = desk(shop, "registrar").get(f"/organize/events/{event_id}/calling-off").text
    assert "Refunds that failed" in page
    assert "It went back another way" in page
    assert is_finished(event_id)


@pytest.mark.parametrize("how", ["here", "in the dashboard"])
def test_what_was_given_back_before_is_not_owed_again(shop: Shop, how: str) -> None:
    """Two places, 100 given back of the payment out of goodwill; then one is cancelled and the event called off."""
    event_id = shop.event()
    order = paid(shop, event_id=event_id, people=2)
    [payment] = shop.payment_rows(order)
    if how == "here":
        with transaction():
            [made] = services.give_back(
                order.id, [payment.id], amount=10001, seen=Seen(0, 0), reason="late", actor=SYSTEM,
                now=shop.clock.now,
            )  # fmt: skip
        execute_refund(made)
    else:
        shop.control.refund_in_dashboard(payment.reference or "", 10001)
        HANDLERS["payments.poll"]({})
    assert registrations.due(order.id).total == 184000 - 10001
    with transaction():
        [made] = services.cancel_person(
            order.registrations[0], event_id=event_id, amount=92000 - 5000, reason="asked",
            actor=SYSTEM, now=shop.clock.now,
        )  # fmt: skip
    execute_refund(made)
    assert (registrations.due(order.id).due, registrations.due(order.id).over) == (0, 0)
    call_off(shop, event_id)
    work(shop)
    assert [n for _, n in refunds(shop)] == [10001, 87000, 92000 - 5001]
    assert registrations.due(order.id).net == 0
    assert queries.list_over() == []


@pytest.mark.parametrize("what", ["call-off", "calling-off"])
def test_nobody_else_calls_it_off(shop: Shop, what: str) -> None:
    event_id, other = shop.event(), shop.event()
    path = f"/organize/events/{event_id}/{what}"
    assert shop.client.get(path).status_code == 303
    assert desk(shop, "treasurer").get(path).status_code == 403
    assert desk(shop, "leader").get(path).status_code == 403
    assert desk(shop, "registrar", other).get(path).status_code == 403
    if what == "call-off":
        assert shop.press(desk(shop, "treasurer"), path).status_code == 403
        assert shop.press(shop.client, path).status_code == 403
    assert db.session.get_one(Event, event_id).state == "published"


def test_rule_39_the_preview_counts_what_cards_take_what_goes_by_hand_and_what_is_contested(
    shop: Shop,
) -> None:
    """The preview says to the cent what the doing then does, and the treasurer finds the rest."""
    event_id = shop.event()
    card, contested = paid(shop, event_id=event_id), paid(shop, event_id=event_id)
    cheque, odd = paid(shop, event_id=event_id), paid(shop, event_id=event_id)
    shop.control.dispute(shop.payment_rows(contested)[0].reference or "")
    HANDLERS["payments.poll"]({})
    ids = [shop.payment_rows(o)[0].id for o in (odd, cheque)]
    with transaction():
        ledger.mark_problem(ids[0], Problem.MISMATCH, actor=SYSTEM, now=shop.clock.now)
        by_cheque = db.session.get_one(Payment, ids[1])
        by_cheque.method, by_cheque.reference = Method.CHEQUE, "4711"
        by_cheque.attempt_id = by_cheque.charge = None
    shop.fresh()
    typist = Typist(desk(shop, "registrar"))
    path = f"/organize/events/{event_id}/call-off"
    page = typist.get(path).text
    assert "$920.00 in all goes back to the cards" in page
    assert "$920.00 cannot go back to a card" in page
    assert "$920.00 is contested by card holders" in page
    assert "One payment is set aside" in page
    call_off(shop, event_id)
    work(shop)
    assert refunds(shop) == [("succeeded", 92000)]
    assert [len(shop.refunds_at_stripe(o)) for o in (card, contested)] == [1, 0]
    page = typist.get(f"/organize/events/{event_id}/calling-off").text
    assert "Still to go back" in page
    assert "Contested, and not touched" in page
    money = desk(shop).get("/organize/money").text
    assert "More money than the order costs" in money
    assert "Not the amount that we asked for" in money
    told = {o.id: letter_to(shop, o) for o in (card, contested, cheque)}
    assert "$920.00 goes back to the card with which it was paid" in told[card.id]
    assert "No money goes back for it." in told[contested.id]
    assert "$920.00 was not paid by card: we send it back to you" in told[cheque.id]


def letter_to(shop: Shop, order: Placed) -> str:
    """Return what the one person of an order was written."""
    shop.fresh()
    query = select(Message.text).where(Message.key == f"cancelled:{order.registrations[0]}")
    return db.session.scalars(query).one()
