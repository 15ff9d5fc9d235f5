"""Money that went back by cheque or transfer: written down with a preview, once, and taken back as a mistake."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method, Refund
from regsys.ledger.rules import Balance
from regsys.ledger.states import RefundState
from regsys.payments import queries, services
from regsys.payments.jobs import HANDLERS
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.services import Person
from tests.payments.shop import Placed, Shop
from tests.payments.test_cancelling import call_off, work
from tests.payments.test_organizer import MONEY, desk, odd
from tests.payments.test_refund_pages import paid
from tests.support.books import verified
from tests.support.typist import Page, Typist

CHEQUE = {"method": "cheque", "reason": "cheque 4711, the card is closed"}
SURE = ["amount", "method"]


def failed(shop: Shop) -> Placed:
    """Return an order of an event that was called off, whose refund did not arrive."""
    order = paid(shop)
    call_off(shop, order.event_id)
    work(shop)
    [refund] = rows(shop)
    with transaction():
        ledger.move_refund(
            refund.id, RefundState.FAILED, actor=SYSTEM, now=shop.clock.now, error="declined"
        )
    shop.fresh()
    return order


def rows(shop: Shop) -> list[Refund]:
    shop.fresh()
    return list(db.session.scalars(select(Refund).order_by(Refund.id)))


def balance_of(shop: Shop, order: Placed) -> Balance:
    shop.fresh()
    return registrations.due(order.id)


def path_of(shop: Shop, order: Placed) -> str:
    return f"/organize/payments/{shop.payment_rows(order)[0].id}/by-hand"


def check(typist: Typist, path: str, **values: str) -> Page:
    return typist.send(path, {**CHEQUE, **values}, names=SURE)


def write_down(typist: Typist, path: str, **values: str) -> Page:
    """Walk through form, preview and button."""
    seen = check(typist, path, **values)
    assert seen.status == 200, seen.text
    return typist.send(seen, {}, "confirm", names=SURE)


def test_rule_22_a_failed_refund_that_went_by_cheque_needs_nobody_any_more(shop: Shop) -> None:
    order = failed(shop)
    typist = Typist(desk(shop))
    page = typist.get(MONEY).text
    assert "Refunds that did not arrive" in page
    assert "More money than the order costs" not in page
    path = path_of(shop, order)
    assert f'href="{path}"' in page
    seen = check(typist, path)
    assert "$920.00 went back by cheque on" in seen.text
    assert "No money moves by this" in seen.text
    before = len(shop.control.calls())
    done = typist.send(seen, {}, "confirm", names=SURE)
    assert (done.status, done.headers["Location"]) == (303, MONEY)
    assert typist.send(seen, {}, "confirm", names=SURE).status == 303
    assert len(shop.control.calls()) == before
    assert [(str(r.state), r.amount, str(r.method)) for r in rows(shop)] == [
        ("failed", 92000, "card"),
        ("succeeded", 92000, "cheque"),
    ]
    balance = balance_of(shop, order)
    assert (balance.total, balance.net, balance.over, balance.due) == (0, 0, 0, 0)
    page = typist.get(MONEY).text
    assert "Refunds that did not arrive" not in page
    assert "by cheque" in page
    file = typist.get("/organize/treasurer/payments.csv").text
    assert [line.split(",")[5] for line in file.splitlines()[1:]] == ["card", "card", "cheque"]
    [entry] = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "refund.by_hand"))
    assert (entry.order_id, entry.reason) == (order.id, CHEQUE["reason"])
    assert entry.actor_label
    assert (entry.after or {})["method"] == "cheque"


def test_a_mistake_is_taken_back_and_the_refund_needs_somebody_again(shop: Shop) -> None:
    order = failed(shop)
    typist = Typist(desk(shop))
    write_down(typist, path_of(shop, order))
    page = typist.get(MONEY)
    done = typist.send(page, {}, action="take-back")
    assert done.status == 303
    assert balance_of(shop, order).over == 92000
    page = typist.follow(done)
    assert "Refunds that did not arrive" in page.text
    assert "It was written down by mistake, and taken back." in page.text
    assert "take-back" not in page.text
    again = shop.press(desk(shop), f"/organize/refunds/{rows(shop)[-1].id}/take-back")
    assert again.status_code == 409


def test_what_was_not_too_much_comes_off_the_price_and_a_mistake_puts_it_back(shop: Shop) -> None:
    order = paid(shop)
    typist = Typist(desk(shop))
    write_down(typist, path_of(shop, order), amount="100")
    balance = balance_of(shop, order)
    assert (balance.total, balance.net, balance.due) == (82000, 82000, 0)
    assert shop.states(order) == ["confirmed"]
    typist.send(MONEY, {}, action="take-back")
    balance = balance_of(shop, order)
    assert (balance.total, balance.net, balance.due) == (92000, 92000, 0)


def test_a_mistake_is_put_back_on_the_places_that_still_stand(shop: Shop) -> None:
    """Of two people one leaves and one hands the place on: each stands as if the mistake had never been made."""
    order, now = paid(shop, people=2), shop.clock.now
    write_down(Typist(desk(shop)), path_of(shop, order), amount="100")
    leaves, stays = order.registrations
    heir = Person("Undine", "Nutkin", "undine@example.org")
    with transaction():
        services.cancel_person(
            leaves, event_id=order.event_id, amount=87000, reason="ill",
            actor=SYSTEM, now=now,
        )  # fmt: skip
    with transaction():
        new = registration.hand_over_for(
            order.id, stays, heir, reason="ill", actor=SYSTEM, now=now
        ).id
    mistake = rows(shop)[0]
    with transaction():
        services.take_back(order.id, mistake.id, actor=SYSTEM, now=now)
    shop.fresh()
    assert registrations.costs_of([leaves, stays, new]) == {leaves: 0, stays: 0, new: 92000}
    balance = balance_of(shop, order)
    assert (balance.total, balance.net, balance.over) == (92000, 97000, 5000)
    assert verified() == []


def test_after_everybody_has_left_a_mistake_is_owed_and_costs_nobody(shop: Shop) -> None:
    order = paid(shop)
    write_down(Typist(desk(shop)), path_of(shop, order), amount="100")
    [mistake] = rows(shop)
    with transaction():
        services.cancel_person(
            order.registrations[0], event_id=order.event_id, amount=50000,
            reason="ill", actor=SYSTEM, now=shop.clock.now,
        )  # fmt: skip
    # What was kept goes back, too, and that was a mistake as well: then it is kept as before.
    write_down(Typist(desk(shop)), path_of(shop, order), amount="320", reason="kindness")
    assert (balance_of(shop, order).total, balance_of(shop, order).over) == (0, 0)
    for refund_id in (mistake.id, rows(shop)[-1].id):
        with transaction():
            services.take_back(order.id, refund_id, actor=SYSTEM, now=shop.clock.now)
    balance = balance_of(shop, order)
    assert (balance.total, balance.net, balance.over) == (32000, 42000, 10000)
    assert verified() == []


def test_after_two_weeks_it_is_no_mistake_any_more(shop: Shop) -> None:
    order = paid(shop)
    write_down(Typist(desk(shop)), path_of(shop, order), amount="100")
    shop.clock.to(shop.clock.now + timedelta(days=15))
    client = desk(shop)
    assert "take-back" not in client.get(MONEY).text
    answer = shop.press(client, f"/organize/refunds/{rows(shop)[0].id}/take-back")
    assert answer.status_code == 409
    assert balance_of(shop, order).total == 82000


def test_money_of_an_odd_payment_goes_by_transfer_and_lowers_no_price(shop: Shop) -> None:
    order, payment = odd(shop)
    typist = Typist(desk(shop))
    write_down(typist, f"/organize/payments/{payment.id}/by-hand", method="bank_transfer")
    assert [(r.amount, r.lowered, str(r.method)) for r in rows(shop)] == [
        (92000, 0, "bank_transfer")
    ]
    assert balance_of(shop, order).total == 92000
    assert "None. Money that comes twice" in typist.get(MONEY).text


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"day": "2099-01-01"}, "This day is to come."),
        ({"day": "2020-01-01"}, "The money had not come yet on that day."),
        ({"day": "x"}, "Write a day, such as 2027-02-28."),
        ({"method": ""}, "Choose how it went back."),
        ({"amount": "920.01"}, "At most $920.00 can be given back."),
        ({"reason": ""}, "Say why, in a few words."),
    ],
)
@pytest.mark.once
def test_bad_input_is_said_at_its_field_and_nothing_is_written(
    shop: Shop, values: dict[str, str], sentence: str
) -> None:
    path = path_of(shop, paid(shop))
    typist = Typist(desk(shop))
    answer = typist.send(
        path, {"reason": "kept words", "method": "cash", **values}, names=["amount"]
    )
    assert answer.status == 422
    assert sentence in answer.text
    assert values.get("reason") == "" or 'value="kept words"' in answer.text
    assert rows(shop) == []


def test_an_order_with_too_much_money_is_listed_with_both_ways_back(shop: Shop) -> None:
    order = paid(shop)
    with transaction():
        ledger.record_payment(
            order.id, amount=5000, currency="USD", method=Method.CHEQUE, actor=SYSTEM,
            now=shop.clock.now,
        )  # fmt: skip
    shop.fresh()
    [row] = queries.list_owed()
    assert (row.owed, row.by_card, str(row.payment.method)) == (5000, 5000, "card")
    page = desk(shop).get(MONEY).text
    assert "More money than the order costs" in page
    assert f"/organize/payments/{row.payment.id}/back" in page
    assert f"/organize/payments/{row.payment.id}/by-hand" in page


def test_what_is_contested_is_not_owed(shop: Shop) -> None:
    order = paid(shop)
    intent = shop.payment_rows(order)[0].reference or ""
    shop.control.dispute(intent)
    HANDLERS["payments.poll"]({})
    shop.fresh()
    call_off(shop, order.event_id)
    work(shop)
    assert rows(shop) == []
    assert queries.list_owed() == []
    path = path_of(shop, order)
    answer = check(Typist(desk(shop)), path, amount="1")
    assert answer.status == 422


@pytest.mark.once
def test_only_those_with_the_money_write_it_down(shop: Shop) -> None:
    order = paid(shop)
    other = shop.event()
    path = path_of(shop, order)
    who: list[tuple[Any, int]] = [
        (shop.client, 303),
        (desk(shop, "leader"), 403),
        (desk(shop, "registrar", other), 404),
        (desk(shop, "registrar", order.event_id), 200),
    ]
    assert [client.get(path).status_code for client, _ in who] == [code for _, code in who]


def test_a_card_that_pays_after_the_cheque_goes_back(shop: Shop) -> None:
    order = shop.order(shop.event())
    session = shop.open(order)
    now = shop.clock.now
    for _click in range(2):
        with transaction():
            services.receive_by_hand(
                order.id, amount=92000, method=Method.CHEQUE, received_at=now, reference="1187",
                seen=0, actor=SYSTEM, now=now,
            )  # fmt: skip
    assert shop.states(order) == ["confirmed"]
    shop.pay(session)
    shop.deliver_all(session)
    assert shop.payments(order) == [(92000, None), (92000, "double")]
    assert balance_of(shop, order) == Balance(92000, paid=92000)
    assert [(r.amount, r.method) for r in rows(shop)] == [(92000, Method.CARD)]
