"""The organizer's page about money: what is odd, one button that gives it back, and how Stripe's messages arrive."""

import re
import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.events.models import Event
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method, Payment, Refund
from regsys.ledger.queries import sums_of
from regsys.ledger.states import Problem
from regsys.registration.models import Order
from tests.cast import sign_in
from tests.payments.shop import Placed, Shop
from tests.support.counting import counted

MONEY = "/organize/money"


def desk(shop: Shop, role: str = "treasurer", event_id: int | None = None) -> FlaskClient:
    """Return the browser of somebody who is signed in."""
    client = shop.client
    event = db.session.get(Event, event_id) if event_id else None
    sign_in(client, role, event=event)
    return client


def odd(shop: Shop, *, card: str | None = None, **more: Any) -> tuple[Placed, Payment]:
    """Return an order with a payment that needs a person, and the payment."""
    order = shop.order(**more)
    session = shop.open(order)
    shop.pay(session, **({"card": card} if card else {}))
    shop.deliver_all(session)
    [payment] = shop.payment_rows(order)
    with transaction():
        ledger.mark_problem(payment.id, Problem.DOUBLE, actor=SYSTEM, now=shop.clock.now)
    shop.fresh()
    return order, payment


def refunds(shop: Shop) -> list[tuple[str, int, str | None]]:
    shop.fresh()
    rows = db.session.scalars(select(Refund).order_by(Refund.id))
    return [(str(r.state), r.amount, r.stripe_id) for r in rows]


def test_nothing_odd_is_said_in_words(shop: Shop) -> None:
    page = desk(shop).get(MONEY).text
    assert "None. Money that comes twice, too late or in a wrong amount would stand here." in page
    assert "None has come yet." in page


def test_an_odd_payment_is_red_and_offers_to_give_it_back(shop: Shop) -> None:
    _, payment = odd(shop)
    page = desk(shop).get(MONEY).text
    assert 'class="state state--full state--bad">Paid twice<' in page
    assert "$920.00, Lysander Saltmarsh, lysander@example.org" in page
    assert "Introductory Intensive" in page
    assert f'href="/organize/payments/{payment.id}/refund">Refund $920.00 in full<' in page


def test_the_preview_says_what_happens_and_does_nothing(shop: Shop) -> None:
    _, payment = odd(shop)
    before = len(shop.control.calls())
    page = desk(shop).get(f"/organize/payments/{payment.id}/refund").text
    assert "Stripe sends $920.00 back to the same card" in page
    assert ">Refund $920.00 in full</button>" in page
    assert payment.reference in page
    assert refunds(shop) == []
    assert len(shop.control.calls()) == before


def test_the_button_gives_everything_back_through_stripe(shop: Shop) -> None:
    order, payment = odd(shop)
    client = desk(shop)
    answer = shop.press(client, f"/organize/payments/{payment.id}/refund")
    assert (answer.status_code, answer.location) == (303, MONEY)
    [(state, amount, stripe_id)] = refunds(shop)
    assert (state, amount) == ("succeeded", 92000)
    assert shop.refunds_at_stripe(order) == [stripe_id]
    page = client.get(MONEY).text
    assert "$920.00 are given back." in page
    assert "None. Money that comes twice" in page
    assert "Given back" in page
    sums = sums_of([order.id])[order.id]
    assert (sums.paid, sums.refunded, sums.quarantined) == (0, 0, 0)
    assert shop.states(order) == ["confirmed"]


def test_who_gave_it_back_is_written_down(shop: Shop) -> None:
    _, payment = odd(shop)
    shop.press(desk(shop), f"/organize/payments/{payment.id}/refund")
    shop.fresh()
    query = select(AuditEntry).where(AuditEntry.subject_kind == "payment")
    entries = db.session.scalars(query.order_by(AuditEntry.id)).all()
    assert [(e.action, e.actor_kind) for e in entries] == [
        ("payment.received", "stripe"),
        ("payment.set_aside", "system"),
        ("refund.requested", "user"),
        ("refund.submitted", "user"),
        ("refund.succeeded", "user"),
    ]
    assert entries[2].reason == "Paid twice"


def test_two_clicks_at_once_are_one_refund(shop: Shop) -> None:
    order, payment = odd(shop)
    path = f"/organize/payments/{payment.id}/refund"
    clients = [desk(shop) for _ in range(3)]
    codes: list[int] = []

    def click(client: FlaskClient) -> None:
        codes.append(shop.press(client, path).status_code)

    threads = [threading.Thread(target=click, args=(c,)) for c in clients]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert codes == [303, 303, 303]
    assert len(refunds(shop)) == 1
    assert len(shop.refunds_at_stripe(order)) == 1
    assert shop.press(clients[0], path).status_code == 303
    assert len(shop.refunds_at_stripe(order)) == 1


def test_a_pending_refund_says_so(shop: Shop) -> None:
    _, payment = odd(shop, card="4000000000007726")
    client = desk(shop)
    shop.press(client, f"/organize/payments/{payment.id}/refund")
    assert [r[0] for r in refunds(shop)] == ["pending"]
    page = client.get(MONEY).text
    assert "The refund of $920.00 is on its way." in page
    assert "It waits until our balance at Stripe is enough." in page


def test_stripe_is_away_and_the_refund_waits(shop: Shop) -> None:
    order, payment = odd(shop)
    client = desk(shop)
    shop.control.fail("create_refund", "500", times=3)
    assert shop.press(client, f"/organize/payments/{payment.id}/refund").status_code == 303
    assert [r[0] for r in refunds(shop)] == ["submitted"]
    page = client.get(MONEY).text
    assert "is written down, and tried again every minute" in page
    assert shop.press(client, f"/organize/payments/{payment.id}/refund").status_code == 303
    assert [r[0] for r in refunds(shop)] == ["succeeded"]
    assert len(shop.refunds_at_stripe(order)) == 1


def test_what_was_given_back_in_the_dashboard_is_not_given_back_again(shop: Shop) -> None:
    order, payment = odd(shop)
    made = shop.sandbox.client().v1.refunds.create({"payment_intent": payment.reference or ""})
    client = desk(shop)
    shop.press(client, f"/organize/payments/{payment.id}/refund")
    assert [r[0] for r in refunds(shop)] == ["failed"]
    assert shop.refunds_at_stripe(order) == [made.id]
    page = client.get(MONEY).text
    assert "Stripe refused to give $920.00 back" in page
    assert "already been refunded" in page


def test_a_payment_that_counts_is_not_given_back_here(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    [payment] = shop.payment_rows(order)
    client = desk(shop)
    path = f"/organize/payments/{payment.id}/refund"
    assert client.get(path).status_code == 404
    assert shop.press(client, path).status_code == 404
    assert refunds(shop) == []


def test_a_payment_that_did_not_come_by_card_is_not_given_back_by_stripe(shop: Shop) -> None:
    _, payment = odd(shop)
    with transaction():
        db.session.get_one(Payment, payment.id).reference = None
    answer = shop.press(desk(shop), f"/organize/payments/{payment.id}/refund")
    assert answer.status_code == 409
    assert refunds(shop) == []


def test_a_payment_that_is_not_there_is_not_found(shop: Shop) -> None:
    client = desk(shop)
    assert client.get("/organize/payments/4711/refund").status_code == 404
    assert shop.press(client, "/organize/payments/4711/refund").status_code == 404
    assert shop.press(client, "/organize/attempts/4711/settle").status_code == 404


@pytest.mark.parametrize("path", [MONEY, "/organize/payments/1/refund"])
def test_visitors_are_sent_to_sign_in_and_leaders_refused(shop: Shop, path: str) -> None:
    odd(shop)
    answer = shop.client.get(path)
    assert answer.status_code == 303
    assert "/signin" in answer.location
    assert desk(shop, "leader").get(path).status_code == 403


def test_nobody_else_presses_the_buttons(shop: Shop) -> None:
    _, payment = odd(shop)
    order = shop.order()
    shop.open(order)
    [attempt] = shop.attempts(order)
    paths = (f"/organize/payments/{payment.id}/refund", f"/organize/attempts/{attempt.id}/settle")
    for path in paths:
        assert shop.press(shop.client, path).status_code == 403
        assert shop.press(desk(shop, "leader"), path).status_code == 403
        assert desk(shop).post(path).status_code == 400
    assert refunds(shop) == []


def test_somebody_for_one_event_sees_and_touches_that_event_only(shop: Shop) -> None:
    mine, own_payment = odd(shop)
    theirs, foreign_payment = odd(shop)
    shared, shared_payment = odd(shop)
    with transaction():
        order, event = (
            db.session.get_one(Order, shared.id),
            db.session.get_one(Event, mine.event_id),
        )
        shop._register(order, event)
    opened = shop.order(theirs.event_id)
    shop.open(opened)
    [attempt] = shop.attempts(opened)
    client = desk(shop, "registrar", mine.event_id)
    page = client.get(MONEY).text
    assert f"/organize/payments/{own_payment.id}/refund" in page
    assert f"/organize/payments/{foreign_payment.id}/refund" not in page
    # It is for their event, too, but all of it would go back.
    assert f"/organize/payments/{shared_payment.id}/refund" not in page
    assert client.get(f"/organize/payments/{shared_payment.id}/refund").status_code == 404
    assert "Ask Stripe now" not in page
    assert client.get(f"/organize/payments/{own_payment.id}/refund").status_code == 200
    assert client.get(f"/organize/payments/{foreign_payment.id}/refund").status_code == 404
    for path in (
        f"/organize/payments/{foreign_payment.id}/refund",
        f"/organize/payments/{shared_payment.id}/refund",
        f"/organize/attempts/{attempt.id}/settle",
    ):
        assert shop.press(client, path).status_code == 404
    assert refunds(shop) == []


def test_ask_stripe_now_settles_an_attempt(shop: Shop) -> None:
    order = shop.order()
    shop.pay(shop.open(order))
    [attempt] = shop.attempts(order)
    client = desk(shop)
    page = client.get(MONEY).text
    assert f'action="/organize/attempts/{attempt.id}/settle"' in page
    assert "Stripe’s page is open" in page
    answer = shop.press(client, f"/organize/attempts/{attempt.id}/settle")
    assert (answer.status_code, answer.location) == (303, MONEY)
    assert shop.outcome(order) == (["confirmed"], ["paid"], [(92000, None)], 1)
    assert "Stripe says: Paid." in client.get(MONEY).text
    query = select(AuditEntry.actor_kind).where(AuditEntry.action == "registration.confirmed")
    assert db.session.scalars(query).all() == ["user"]


def test_ask_stripe_now_and_stripe_is_away(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    [attempt] = shop.attempts(order)
    shop.control.fail("get_session", "500", times=3)
    answer = shop.press(desk(shop), f"/organize/attempts/{attempt.id}/settle")
    assert answer.status_code == 502
    assert "The places stay held until Stripe answers." in answer.text
    assert f'href="{MONEY}"' in answer.text


def test_attempts_past_their_end_come_first(shop: Shop) -> None:
    stuck = shop.order()
    shop.open(stuck)
    shop.clock.move(minutes=40)
    fresh = shop.order()
    shop.open(fresh)
    page = desk(shop).get(MONEY).text
    first, second = re.findall(r'<h2 id="(stuck|open)"', page)
    assert (first, second) == ("stuck", "open")
    a, b = shop.attempts(stuck)[0].id, shop.attempts(fresh)[0].id
    assert page.index(f"attempts/{a}/settle") < page.index(f"attempts/{b}/settle")


def test_rule_07_the_page_says_when_the_last_message_came_and_warns(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    page = desk(shop).get(MONEY).text
    assert "Tue\u00a024\u00a0Nov 2026, 9:00\u00a0AM\u00a0PST" in page
    assert "checkout.session.completed" in page
    assert "do not arrive" not in page
    shop.clock.move(days=4)
    other = shop.order()
    back = shop.open(other)
    shop.pay(back)
    shop.come_back(other, back)
    shop.clock.move(minutes=11)
    assert "Stripe’s messages do not arrive." in desk(shop).get(MONEY).text


def test_an_event_that_fails_is_shown(shop: Shop) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    shop.control.fail("get_session", "500", times=3)
    shop.deliver_all(session)
    page = desk(shop).get(MONEY).text
    assert "Some of them could not be carried out yet." in page
    assert "tried once" in page


def test_the_page_asks_the_database_equally_often_for_one_row_and_for_three(shop: Shop) -> None:
    client = desk(shop)
    counts = []
    for more in (1, 2):
        for _ in range(more):
            odd(shop)
            shop.open(shop.order())
        client.get(MONEY)
        with shop.counting() as statements:
            assert client.get(MONEY).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 26, statements


@pytest.mark.once
def test_payments_and_refunds_are_paged_with_a_constant_number_of_statements(shop: Shop) -> None:
    order = shop.order()

    def bring(numbers: range) -> None:
        with transaction():
            for n in numbers:
                paid = ledger.record_payment(
                    order.id, amount=100 + n, currency="USD", method=Method.CARD, actor=SYSTEM,
                    now=shop.clock.now, reference=f"pi_{n}",
                )  # fmt: skip
                ledger.request_refund(
                    paid.id, amount=50, reason=f"No. {n}.", actor=SYSTEM, now=shop.clock.now
                )
        shop.fresh()

    client = desk(shop)
    bring(range(2))
    client.get(MONEY)
    with counted(shop.app) as few:
        client.get(MONEY)
    bring(range(2, 45))
    with counted(shop.app) as many:
        first = client.get(MONEY).text
    assert len(many) == len(few)
    assert "1 to 20 of 45" in first
    assert [f"No. {n}." in first for n in (44, 25, 24)] == [True, True, False]
    last = client.get(f"{MONEY}?back=3&came=2").text
    assert "41 to 45 of 45" in last
    assert "21 to 40 of 45" in last
    assert [f"No. {n}." in last for n in (5, 4, 0)] == [False, True, True]
    assert f'href="{MONEY}?back=3&amp;came=3#came"' in last
    assert f'href="{MONEY}?back=2&amp;came=2#back"' in last
