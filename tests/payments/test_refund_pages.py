"""An organizer gives money back, with a preview: of a payment, for a person, or with the place."""

import threading
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method, Refund
from regsys.outbox.models import Message
from regsys.payments.jobs import poll
from regsys.registration import queries as registrations
from regsys.registration.models import OrderLine
from tests.payments.shop import Placed, Shop
from tests.payments.test_leaving import bought, said
from tests.payments.test_organizer import desk
from tests.support.typist import Typist


def paid(shop: Shop, *, card: str | None = None, people: int = 1, event_id: int = 0) -> Placed:
    """Return an order that is paid and confirmed."""
    order = shop.order(event_id or None, people=people)
    session = shop.open(order)
    shop.pay(session, **({"card": card} if card else {}))
    assert shop.deliver_all(session) == [200]
    return order


def page_of(order: Placed, what: str, person: int = 0) -> str:
    return f"/organize/events/{order.event_id}/registrations/{order.registrations[person]}/{what}"


def payment_page(shop: Shop, order: Placed) -> str:
    return f"/organize/payments/{shop.payment_rows(order)[0].id}/back"


def refunds(shop: Shop) -> list[tuple[str, int, int | None]]:
    shop.fresh()
    rows = db.session.scalars(select(Refund).order_by(Refund.id))
    return [(str(r.state), r.amount, r.registration_id) for r in rows]


def letters(shop: Shop, kind: str) -> list[Message]:
    shop.fresh()
    return list(
        db.session.scalars(select(Message).where(Message.kind == kind).order_by(Message.id))
    )


def give(typist: Typist, path: str, amount: str, reason: str = "asked for it") -> int:
    """Walk through form, preview and button; return the last status."""
    own = {"how": "own"} if path.endswith("cancel-paid") else {}
    check = typist.send(path, {"amount": amount, "reason": reason, **own}, names=["amount"])
    assert check.status == 200, check.text
    return typist.send(check, {}, "confirm", names=["amount"]).status


def test_a_part_of_a_payment_goes_back_and_nobody_owes_it_again(shop: Shop) -> None:
    order = paid(shop)
    typist = Typist(desk(shop))
    path = payment_page(shop, order)
    check = typist.send(path, {"amount": "100", "reason": "late train"}, names=["amount"])
    assert "Stripe sends $100.00 back to the card that paid" in check.text
    assert "After it $820.00 can still be given back." in check.text
    assert refunds(shop) == []
    answer = typist.send(check, {}, "confirm", names=["amount"])
    assert (answer.status, answer.headers["Location"]) == (303, "/organize/money")
    assert refunds(shop) == [("succeeded", 10000, None)]
    assert len(shop.refunds_at_stripe(order)) == 1
    balance = registrations.due(order.id)
    assert (balance.total, balance.net, balance.due, balance.over) == (82000, 82000, 0, 0)
    assert shop.states(order) == ["confirmed"]


def test_the_preview_can_be_changed_and_keeps_what_was_typed(shop: Shop) -> None:
    order = paid(shop)
    typist = Typist(desk(shop))
    check = typist.send(
        payment_page(shop, order), {"amount": "100", "reason": "late"}, names=["amount"]
    )
    again = typist.send(check, {}, "change", names=["amount"])
    assert again.status == 200
    assert 'value="100"' in again.text
    assert 'value="late"' in again.text
    assert refunds(shop) == []


@pytest.mark.in_turn
@pytest.mark.parametrize("amount", ["", "x", "0", "-5", "920.01", "1e9", "9" * 40])
def test_more_than_is_left_and_nonsense_are_refused_with_all_kept(shop: Shop, amount: str) -> None:
    order = paid(shop)
    typist = Typist(desk(shop))
    path = payment_page(shop, order)
    answer = typist.send(path, {"amount": amount, "reason": "kept words"}, names=["amount"])
    assert answer.status == 422
    assert 'value="kept words"' in answer.text
    assert refunds(shop) == []


def test_a_reason_is_needed(shop: Shop) -> None:
    order = paid(shop)
    answer = Typist(desk(shop)).send(
        payment_page(shop, order), {"amount": "5", "reason": ""}, names=["amount"]
    )
    assert answer.status == 422
    assert "Say why, in a few words." in answer.text


def test_rule_24_two_tabs_and_a_second_click_are_one_refund(shop: Shop) -> None:
    order = paid(shop)
    typist = Typist(desk(shop))
    path = payment_page(shop, order)
    values = {"amount": "920", "reason": "asked"}
    one = typist.send(path, values, names=["amount"])
    two = typist.send(path, values, names=["amount"])
    assert typist.send(one, {}, "confirm", names=["amount"]).status == 303
    assert typist.send(one, {}, "confirm", names=["amount"]).status == 303
    assert typist.send(two, {}, "confirm", names=["amount"]).status == 303
    assert refunds(shop) == [("succeeded", 92000, None)]
    assert len(shop.refunds_at_stripe(order)) == 1


def test_rule_24_two_clicks_at_once_are_one_refund(shop: Shop) -> None:
    order = paid(shop)
    path = payment_page(shop, order)
    desks = [Typist(desk(shop)) for _ in range(3)]
    checks = [t.send(path, {"amount": "50", "reason": "x"}, names=["amount"]) for t in desks]
    codes: list[int] = []

    def click(i: int) -> None:
        codes.append(desks[i].send(checks[i], {}, "confirm", names=["amount"]).status)

    threads = [threading.Thread(target=click, args=(i,)) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert codes == [303, 303, 303]
    assert refunds(shop) == [("succeeded", 5000, None)]
    assert len(shop.refunds_at_stripe(order)) == 1


def test_another_refund_meanwhile_is_said_and_nothing_is_done(shop: Shop) -> None:
    order = paid(shop)
    typist = Typist(desk(shop))
    path = payment_page(shop, order)
    stale = typist.send(path, {"amount": "50", "reason": "x"}, names=["amount"])
    assert give(typist, path, "30", "other") == 303
    answer = typist.send(stale, {}, "confirm", names=["amount"])
    assert answer.status == 409
    assert "Money of this order was given back meanwhile." in answer.text
    assert [r[1] for r in refunds(shop)] == [3000]


@pytest.mark.parametrize("amount", ["100", "30"])
def test_tabs_about_two_payments_of_an_order_lower_its_price_once(shop: Shop, amount: str) -> None:
    """920 came by card, 100 too much by another: each tab says that 100 of it go back, and the price stays."""
    order = paid(shop)
    [one] = shop.payment_rows(order)
    with transaction():
        two = ledger.record_payment(
            order.id, amount=10000, currency="USD", method=Method.CARD, actor=SYSTEM,
            now=shop.clock.now, reference="pi_other",
        ).id  # fmt: skip
    typist, values = Typist(desk(shop)), {"amount": "100", "reason": "too much"}
    tabs = [
        typist.send(f"/organize/payments/{p}/back", v, names=["amount"])
        for p, v in ((one.id, values), (two, {**values, "amount": amount}))
    ]
    answers = [typist.send(t, {}, "confirm", names=["amount"]) for t in (*tabs, tabs[0])]
    assert [a.status for a in answers] == [303, 409, 303]
    assert "Money of this order was given back meanwhile." in answers[1].text
    assert [r[1] for r in refunds(shop)] == [10000]
    balance = registrations.due(order.id)
    assert (balance.total, balance.over, balance.due) == (92000, 0, 0)


def test_money_for_one_person_goes_back_and_the_place_stays(shop: Shop) -> None:
    order = paid(shop, people=2)
    typist = Typist(desk(shop))
    page = typist.get(page_of(order, "refund", 1))
    assert "Paid for this person" in page.text
    assert 'value="920.00"' in page.text
    assert give(typist, page_of(order, "refund", 1), "20") == 303
    assert refunds(shop) == [("succeeded", 2000, order.registrations[1])]
    assert shop.states(order) == ["confirmed", "confirmed"]
    assert registrations.due(order.id).due == 0


def test_a_paid_place_is_cancelled_with_a_refund_and_a_letter(shop: Shop) -> None:
    order = paid(shop, people=2)
    typist = Typist(desk(shop))
    check = typist.send(
        page_of(order, "cancel-paid"),
        {"how": "own", "amount": "900", "reason": "she is ill"},
        names=["amount"],
    )
    assert "it is free for somebody else at once" in check.text
    assert "Cancel the place and give $900.00 back" in check.text
    assert shop.states(order) == ["confirmed", "confirmed"]
    assert typist.send(check, {}, "confirm", names=["amount"]).status == 303
    assert shop.states(order) == ["cancelled", "confirmed"]
    assert refunds(shop) == [("succeeded", 90000, order.registrations[0])]
    assert {c.registration_id for c in shop.claims(order)} == {order.registrations[1]}
    balance = registrations.due(order.id)
    assert (balance.due, balance.over, balance.net) == (0, 0, 94000)
    kept = db.session.scalars(select(OrderLine.amount).where(OrderLine.kind == "kept")).all()
    assert kept == [2000]
    [letter] = letters(shop, "cancelled")
    assert "$900.00 goes back to the card" in letter.text
    assert "she is ill" in letter.text
    assert "STATUS:CANCELLED" in letter.attachments[0]["text"]
    [to_payer] = letters(shop, "order_cancelled")
    assert to_payer.to_email == "lysander@example.org"


def test_cancelling_twice_is_once(shop: Shop) -> None:
    order = paid(shop)
    typist = Typist(desk(shop))
    path = page_of(order, "cancel-paid")
    values = {"how": "all", "reason": "ill"}
    one = typist.send(path, values, names=["amount"])
    two = typist.send(path, values, names=["amount"])
    for check in (one, two, one):
        assert typist.send(check, {}, "confirm", names=["amount"]).status == 303
    assert len(refunds(shop)) == len(shop.refunds_at_stripe(order)) == 1
    assert len(letters(shop, "cancelled")) == 1
    assert "has ended already" in typist.get(page_of(order, "")[:-1]).text


def test_a_place_can_be_cancelled_with_nothing_back(shop: Shop) -> None:
    order = paid(shop)
    assert give(Typist(desk(shop)), page_of(order, "cancel-paid"), "0") == 303
    assert (shop.states(order), refunds(shop)) == (["cancelled"], [])
    balance = registrations.due(order.id)
    assert (balance.due, balance.over) == (0, 0)
    [letter] = letters(shop, "cancelled")
    assert "No money goes back for it." in letter.text


def test_stripe_is_away_and_the_poller_carries_on(shop: Shop) -> None:
    order = paid(shop)
    shop.control.fail("create_refund", "500", times=3)
    typist = Typist(desk(shop))
    assert give(typist, page_of(order, "cancel-paid"), "920") == 303
    assert shop.states(order) == ["cancelled"]
    assert [r[0] for r in refunds(shop)] == ["submitted"]
    assert "tried again every minute" in typist.get("/organize/money").text
    shop.clock.move(minutes=1)
    poll({})
    assert [r[0] for r in refunds(shop)] == ["succeeded"]
    assert len(shop.refunds_at_stripe(order)) == 1


def test_a_failed_refund_is_shown_with_its_reason(shop: Shop) -> None:
    order = paid(shop)
    intent = shop.payment_rows(order)[0].reference or ""
    shop.sandbox.client().v1.refunds.create({"payment_intent": intent})
    typist = Typist(desk(shop))
    assert give(typist, payment_page(shop, order), "920") == 303
    assert [r[0] for r in refunds(shop)] == ["failed"]
    page = typist.get(payment_page(shop, order)).text
    assert "$920.00: Failed" in page
    assert "already been refunded" in page
    balance = registrations.due(order.id)
    assert (balance.due, balance.over) == (0, 92000)


@pytest.mark.parametrize("what", ["refund", "cancel-paid"])
def test_somebody_for_another_event_gets_nowhere(shop: Shop, what: str) -> None:
    order, other = paid(shop), paid(shop)
    client: FlaskClient = desk(shop, "registrar", other.event_id)
    assert client.get(page_of(order, what)).status_code == 403
    foreign = page_of(order, what).replace(f"/{order.event_id}/", f"/{other.event_id}/", 1)
    assert client.get(foreign).status_code == 404
    assert client.get(payment_page(shop, order)).status_code == 404
    assert client.get(payment_page(shop, other)).status_code == 200
    assert shop.client.get(page_of(order, what)).status_code == 303
    assert desk(shop, "leader").get(page_of(order, what)).status_code == 403


def test_the_money_page_and_the_persons_page_lead_here(shop: Shop) -> None:
    order = paid(shop)
    client = desk(shop, "registrar")
    assert f'href="{payment_page(shop, order)}"' in client.get("/organize/money").text
    person = client.get(page_of(order, "").rstrip("/")).text
    assert f'href="{page_of(order, "refund")}"' in person
    assert f'href="{page_of(order, "cancel-paid")}"' in person


@pytest.mark.once
def test_after_the_end_the_rule_for_who_did_not_come_is_suggested(shop: Shop) -> None:
    rules = {"steps": [{"ahead": {}, "back": {"percent": 100}}], "no_show": {"percent": 10}}
    order = bought(shop, rules=rules)
    typist = Typist(desk(shop))
    assert "By the rules of the place: $920.00 to the card" in said(
        typist.get(page_of(order, "cancel-paid"))
    )
    shop.clock.to(datetime(2027, 4, 26, 12, 0, tzinfo=UTC))
    typist = Typist(desk(shop))
    seen = typist.get(page_of(order, "cancel-paid"))
    assert "By the rules of the place: $92.00 to the card" in said(seen)
    check = typist.send(seen, {"how": "rules", "reason": "did not come"}, names=["reason"])
    assert "For somebody who did not come: 10" in check.text


def test_a_cancelling_tab_that_does_not_know_of_a_refund_gives_nothing_back(shop: Shop) -> None:
    """Somebody gives money back for a person while another tab is about to cancel them with the same amount."""
    order = paid(shop, people=2)
    typist = Typist(desk(shop))
    stale = typist.send(
        page_of(order, "cancel-paid"),
        {"how": "own", "amount": "920", "reason": "ill"},
        names=["amount"],
    )
    path = page_of(order, "refund")
    typist.send(
        typist.send(path, {"amount": "920", "reason": "kind"}, names=["amount"]), {}, "confirm",
        names=["amount"],
    )  # fmt: skip
    answer = typist.send(stale, {}, "confirm", names=["amount"])
    assert answer.status == 409
    assert "What comes back has changed since you opened this page." in answer.text
    assert refunds(shop) == [("succeeded", 92000, order.registrations[0])]
    assert shop.states(order) == ["confirmed", "confirmed"]
