"""Money that goes back: by itself, by hand, in Stripe's dashboard, and what is contested. Numbers: payments.md."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refused
from regsys.ledger import queries as ledger_queries
from regsys.ledger import services as ledger
from regsys.ledger.models import Dispute, Payment, Refund
from regsys.ledger.rules import MoneyState
from regsys.outbox.models import Message
from regsys.payments import queries
from regsys.payments.jobs import catch_up, poll
from regsys.payments.settle import execute_refund, import_dispute, import_refunds
from regsys.registration.queries import due
from tests.cast import sign_in
from tests.payments.shop import Doc, Placed, Shop
from tests.payments.test_late_and_double import let_lapse, lose, two_sessions

PENDING_CARD, FAILING_CARD = "4000000000007726", "4000000000005126"


def bought(shop: Shop, **how: Any) -> tuple[Placed, Payment]:
    """Return an order that is paid, and its payment."""
    order = shop.order()
    session = shop.open(order)
    shop.pay(session, **how)
    assert shop.deliver_all(session) == [200]
    [payment] = shop.payment_rows(order)
    return order, payment


def ask_back(shop: Shop, payment: Payment, amount: int) -> int:
    """Write a refund down and carry it out."""
    with transaction():
        refund = ledger.request_refund(
            payment.id, amount=amount, reason="asked", actor=SYSTEM, now=shop.clock.now
        ).id
    execute_refund(refund)
    return refund


def refunds(shop: Shop, order: Placed) -> list[tuple[str, int, bool]]:
    shop.fresh()
    query = select(Refund).join(Payment).where(Payment.order_id == order.id).order_by(Refund.id)
    return [(str(r.state), r.amount, r.imported) for r in db.session.scalars(query)]


def letters(shop: Shop, order: Placed, prefix: str) -> list[str]:
    return [key for key, _to in shop.letters_of(order) if key.startswith(prefix)]


def money_events(shop: Shop, payment: Payment) -> list[Doc]:
    """Return Stripe's events about refunds and disputes of a payment, oldest first."""
    kinds = ("refund.", "charge.refunded", "charge.dispute.")
    about = [e for e in shop.control.events() if e["type"].startswith(kinds)]
    return [e for e in about if payment.reference == e["data"]["object"].get("payment_intent")]


def agree(order: Placed) -> ledger_queries.Sums:
    """Return the sums of an order, which are the same however they are added up."""
    sums = ledger_queries.sums_of([order.id])[order.id]
    assert ledger_queries.sums_in(ledger_queries.payments_of([order.id])) == sums
    return sums


# ---- by itself


def sold_out(shop: Shop) -> tuple[Placed, str]:
    """Return an order whose place was sold to another, and its session, which was paid all the same."""
    late = shop.order(size=1)
    session = lose(shop, late)
    let_lapse(shop, late)
    buyer = shop.order(late.event_id)
    paid = shop.open(buyer)
    shop.pay(paid)
    shop.deliver_all(paid)
    shop.pay(session)
    return late, session


def test_rule_10_late_money_without_a_place_goes_back_once_with_a_letter(shop: Shop) -> None:
    late, session = sold_out(shop)
    assert shop.deliver_all(session) == [200]
    assert shop.deliver_all(session) == [200]
    assert refunds(shop, late) == [("succeeded", 92000, False)]
    assert len(shop.refunds_at_stripe(late)) == 1
    [payment] = shop.payment_rows(late)
    assert letters(shop, late, "money-back:") == [f"money-back:{payment.id}"]
    letter = db.session.scalars(select(Message).where(Message.key.startswith("money-back"))).one()
    for body in (letter.text, letter.html):
        assert "$920.00" in body
        assert "five to ten days" in " ".join(body.split())
    assert queries.list_problems() == []
    assert (agree(late).paid, agree(late).quarantined) == (0, 0)


def test_rule_10_stripe_is_away_and_the_poller_gives_it_back(shop: Shop) -> None:
    late, session = sold_out(shop)
    shop.control.fail("create_refund", "500", times=3)
    assert shop.deliver_all(session) == [200]
    assert refunds(shop, late) == [("submitted", 92000, False)]
    assert [row.order.id for row in queries.list_problems()] == [late.id]
    shop.clock.move(minutes=2)
    poll({})
    assert refunds(shop, late) == [("succeeded", 92000, False)]
    assert len(shop.refunds_at_stripe(late)) == 1
    assert queries.list_problems() == []


@pytest.mark.parametrize("first", ["lost", "known"])
def test_rule_14_the_later_payment_goes_back_and_the_order_stays_paid(
    shop: Shop, first: str
) -> None:
    order, lost, known = two_sessions(shop)
    shop.pay(known)
    shop.pay(lost)
    for session in (lost, known) if first == "lost" else (known, lost):
        assert shop.deliver_all(session) == [200]
    assert refunds(shop, order) == [("succeeded", 92000, False)]
    assert len(shop.refunds_at_stripe(order)) == 1
    assert shop.states(order) == ["confirmed"]
    assert due(order.id).state is MoneyState.PAID
    assert len(letters(shop, order, "money-back:")) == 1


def test_rule_15_the_duplicate_is_refunded_in_the_dashboard_and_the_order_stays_paid(
    shop: Shop,
) -> None:
    order, lost, known = two_sessions(shop)
    shop.pay(known)
    shop.pay(lost)
    shop.deliver_all(known)
    shop.control.fail("create_refund", "500", times=3)
    shop.deliver_all(lost)
    duplicate = next(p for p in shop.payment_rows(order) if p.problem == "double")
    shop.control.refund_in_dashboard(duplicate.reference or "")
    for event in money_events(shop, duplicate):
        assert shop.deliver(event) == 200
    shop.clock.move(minutes=2)
    poll({})
    assert sorted(refunds(shop, order)) == [("failed", 92000, False), ("succeeded", 92000, True)]
    assert shop.states(order) == ["confirmed"]
    assert due(order.id).state is MoneyState.PAID
    assert queries.list_failed_refunds() == []
    assert letters(shop, order, "refund-failed:") == []


# ---- by hand, and in the dashboard


def test_rule_20_several_partial_refunds_and_never_more_than_is_left(shop: Shop) -> None:
    order, payment = bought(shop)
    ask_back(shop, payment, 20000)
    ask_back(shop, payment, 30000)
    with pytest.raises(Refused) as refused:
        ask_back(shop, payment, 42001)
    assert refused.value.refusal.name == "TooMuchBack"
    ask_back(shop, payment, 42000)
    assert [r[:2] for r in refunds(shop, order)] == [
        ("succeeded", 20000), ("succeeded", 30000), ("succeeded", 42000)
    ]  # fmt: skip
    assert len(shop.refunds_at_stripe(order)) == 3
    assert agree(order).refunded == 92000


def test_rule_21_a_pending_refund_says_why_and_is_settled_by_its_event(shop: Shop) -> None:
    order, payment = bought(shop, card=PENDING_CARD)
    made = ask_back(shop, payment, 92000)
    row = db.session.get_one(Refund, made)
    assert (row.state, row.error) == ("pending", "insufficient_funds")
    shop.control.advance_refund(row.stripe_id or "")
    for event in money_events(shop, payment):
        assert shop.deliver(event) == 200
    assert refunds(shop, order) == [("succeeded", 92000, False)]


def test_rule_21_the_hourly_look_settles_a_pending_refund_without_events(shop: Shop) -> None:
    order, payment = bought(shop, card=PENDING_CARD)
    made = ask_back(shop, payment, 92000)
    shop.control.advance_refund(db.session.get_one(Refund, made).stripe_id or "")
    shop.clock.move(hours=1)
    catch_up({})
    assert refunds(shop, order) == [("succeeded", 92000, False)]


def test_rule_22_a_refund_that_fails_later_opens_its_amount_and_alerts(shop: Shop) -> None:
    order, payment = bought(shop, card=FAILING_CARD)
    made = ask_back(shop, payment, 92000)
    assert agree(order).refunded == 92000
    shop.control.advance_refund(db.session.get_one(Refund, made).stripe_id or "")
    for event in money_events(shop, payment):
        assert shop.deliver(event) == 200
    assert refunds(shop, order) == [("failed", 92000, False)]
    assert agree(order).refunded == 0
    assert [row.refund.id for row in queries.list_failed_refunds()] == [made]
    assert letters(shop, order, "refund-failed:") == [f"refund-failed:{made}"]
    client = shop.client
    sign_in(client, "treasurer")
    page = client.get("/organize/money").text
    assert "Refunds that did not arrive" in page
    assert "The card has expired or was cancelled." in page
    assert shop.states(order) == ["confirmed"]


@pytest.mark.parametrize("how", ["events", "poll", "call"])
def test_rule_23_refunds_of_the_dashboard_are_imported(shop: Shop, how: str) -> None:
    order, payment = bought(shop)
    shop.control.refund_in_dashboard(payment.reference or "", 10000)
    shop.control.refund_in_dashboard(payment.charge or "", 5000)
    if how == "events":
        for event in money_events(shop, payment):
            assert shop.deliver(event) == 200
    elif how == "poll":
        poll({})
    else:
        assert import_refunds(payment.reference or "")
    assert refunds(shop, order) == [("succeeded", 10000, True), ("succeeded", 5000, True)]
    assert agree(order).refunded == 15000
    assert shop.states(order) == ["confirmed"]
    # Nobody is asked to pay again what was given back.
    assert (due(order.id).total, due(order.id).due) == (77000, 0)
    assert "still to pay" not in shop.client.get(f"/o/{order.token}").text


def test_rule_23_a_payment_of_nobody_is_left_alone(shop: Shop) -> None:
    assert import_refunds("pi_of_nobody") is False


def test_rule_24_a_refund_carried_out_by_two_at_once_is_one(app: Flask, shop: Shop) -> None:
    order, payment = bought(shop)
    with transaction():
        made = ledger.request_refund(
            payment.id, amount=5000, reason="", actor=SYSTEM, now=shop.clock.now
        ).id

    def work() -> None:
        with app.app_context():
            execute_refund(made)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert refunds(shop, order) == [("succeeded", 5000, False)]
    assert len(shop.refunds_at_stripe(order)) == 1


# ---- contested


def dispute_of(shop: Shop) -> Dispute:
    shop.fresh()
    return db.session.scalars(select(Dispute)).one()


def test_rule_25_a_dispute_is_shown_with_its_deadline_and_takes_no_place(shop: Shop) -> None:
    order, payment = bought(shop)
    opened = shop.control.dispute(payment.reference or "", status="needs_response")
    for event in money_events(shop, payment):
        assert shop.deliver(event) == 200
    row = dispute_of(shop)
    assert (row.status, row.amount, row.refundable) == ("needs_response", 92000, False)
    assert row.due_by is not None
    assert row.due_by > shop.clock.now + timedelta(days=7)
    assert due(order.id).state is MoneyState.DISPUTED
    assert agree(order).disputed == 92000
    assert shop.states(order) == ["confirmed"]
    with pytest.raises(Refused) as refused:
        ask_back(shop, payment, 100)
    assert refused.value.refusal.name == "Disputed"
    client = shop.client
    sign_in(client, "treasurer")
    page = client.get("/organize/money").text
    assert "Payments that are contested" in page
    assert "Answer by" in page
    shop.control.close_dispute(opened["id"], "won")
    for event in money_events(shop, payment):
        assert shop.deliver(event) == 200
    assert dispute_of(shop).status == "won"
    assert due(order.id).state is MoneyState.PAID
    assert agree(order).disputed == 0


def test_rule_25_lost_is_written_down_and_found_without_events(shop: Shop) -> None:
    order, payment = bought(shop)
    opened = shop.control.dispute(payment.reference or "", status="needs_response")
    shop.control.close_dispute(opened["id"], "lost")
    poll({})
    assert (dispute_of(shop).status, dispute_of(shop).refundable) == ("lost", False)
    assert due(order.id).state is MoneyState.DISPUTED
    assert shop.states(order) == ["confirmed"]


def test_rule_25_an_unknown_status_is_kept_and_sends_people_to_stripe(shop: Shop) -> None:
    _order, payment = bought(shop)
    opened = shop.control.dispute(payment.reference or "", status="appeal_under_review")
    assert import_dispute(opened["id"])
    assert dispute_of(shop).status == "appeal_under_review"
    client = shop.client
    sign_in(client, "treasurer")
    assert "See Stripe" in client.get("/organize/money").text
