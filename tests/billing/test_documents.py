"""Receipts and credit notes: what they say, their numbers, and that nobody changes them."""

import hashlib
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from regsys.billing import jobs, services
from regsys.billing.sheets import SHEETS
from regsys.kernel.actors import STRIPE, SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.paths import root
from regsys.ledger import queries
from regsys.ledger import services as ledger
from regsys.ledger.models import Document, Method, Payment
from regsys.ledger.states import RefundState
from regsys.outbox.models import Message
from regsys.registration.models import LineKind, Order, OrderLine
from tests.cast import a_person, list_people, make_confirmed, make_event, make_order, sign_in
from tests.conftest import Clock
from tests.support.together import booking, together
from tests.support.typist import Typist

pytestmark = pytest.mark.usefixtures("db")
# What was printed once is printed the same again: never change this sheet, add the next one.
FIRST_SHEET = "74f276f4ee301a4cff66c1ea541aa96519646196fdbb95764dc9bb41e75f3a8a"


def pay(order: Order, amount: int, clock: Clock, method: Method = Method.CARD) -> int:
    with transaction():
        return ledger.record_payment(
            order.id, amount=amount, currency=order.currency, method=method, actor=STRIPE,
            now=clock.now, reference=f"pi_{order.id}_{amount}",
        ).id  # fmt: skip


def write(order_id: int, clock: Clock) -> list[Document]:
    with transaction():
        services.write_receipts(order_id, now=clock.now)
    return queries.documents_of([order_id])


def said(d: Document) -> tuple[str, list[tuple[str, int]]]:
    return d.name, [(line.what, line.amount) for line in d.lines]


def give(payment_id: int, amount: int, state: RefundState, clock: Clock) -> int:
    with transaction():
        refund = ledger.request_refund(
            payment_id, amount=amount, reason="for the books", actor=SYSTEM, now=clock.now
        )
        ledger.move_refund(refund.id, RefundState.SUBMITTED, actor=SYSTEM, now=clock.now)
        ledger.move_refund(refund.id, state, actor=SYSTEM, now=clock.now)
        return refund.id


def test_every_amount_that_moves_gets_its_paper_once(clock: Clock) -> None:
    order = make_order(make_event(types={"Standard": 92000}), [a_person("Una Nettlefold")])
    first = pay(order, 15000, clock)
    (one,) = write(order.id, clock)
    place = ("Standard: Una Nettlefold", 92000)
    assert said(one) == ("R-2026-0001", [place, ("Still to pay", -77000)])
    assert one.total == 15000
    assert one.content["stamp"] == ""

    pay(order, 77000, clock, Method.CHEQUE)
    two = write(order.id, clock)[-1]
    assert said(two) == ("R-2026-0002", [place, ("Paid before", -15000)])
    assert two.content["stamp"] == "Paid in full"
    assert [s["amount"] for s in two.content["sums"]] == ["$920.00", "-$150.00", "$770.00"]

    refund = give(first, 5000, RefundState.SUCCEEDED, clock)
    note = write(order.id, clock)[-1]
    assert said(note) == ("CN-2026-0001", [("Given back of receipt R-2026-0001", 5000)])
    assert "for the books" not in str(note.content)
    with transaction():
        ledger.move_refund(refund, RefundState.FAILED, actor=SYSTEM, now=clock.now)
    back = write(order.id, clock)[-1]
    assert (back.name, back.total, back.corrects_id) == ("R-2026-0003", 5000, note.id)
    assert len(write(order.id, clock)) == 4


def test_the_worker_writes_and_tells_the_payer_once(clock: Clock) -> None:
    order = make_confirmed(make_event(), [a_person("Una"), a_person("Osric")])
    old = make_confirmed(make_event(), [a_person("Zoe")])
    with transaction():
        db.session.execute(
            Payment.__table__.update()
            .where(Payment.order_id == old.id)
            .values(received_at=clock.now - timedelta(days=40), noted_at=None)
        )
    jobs.write({})
    jobs.write({})
    assert [d.order_id for d in db.session.scalars(select(Document))] == [order.id]
    letters = db.session.scalars(select(Message).where(Message.kind == "receipt")).all()
    assert [m.subject for m in letters] == ["Your receipt R-2026-0001"]


@pytest.mark.parametrize(("currency", "shown"), [("JPY", "¥92,000"), ("KWD", "KWD92.000")])
@pytest.mark.once
def test_amounts_have_the_decimals_of_their_currency(
    clock: Clock, currency: str, shown: str
) -> None:
    order = make_confirmed(make_event(types={"Standard": 92000}, currency=currency))
    (one,) = write(order.id, clock)
    assert one.content["rows"][0]["amount"] == one.content["sums"][-1]["amount"] == shown


@pytest.mark.once
def test_help_with_the_fee_is_never_on_a_paper(clock: Clock) -> None:
    order = make_order(make_event(types={"Standard": 92000}), [a_person("Una Nettlefold")])
    (r,) = list_people(order)
    with transaction():
        for kind, reason, amount in (
            (LineKind.AWARD, "Marked award", -50000),
            (LineKind.DISCOUNT, "Code SPRING", -2000),
        ):
            db.session.add(
                OrderLine(
                    order_id=order.id, registration_id=r.id, kind=kind, reason=reason, amount=amount
                )
            )
    pay(order, 40000, clock)
    (one,) = write(order.id, clock)
    assert said(one)[1] == [("Standard: Una Nettlefold", 42000), ("Code SPRING", -2000)]
    assert "Marked" not in str(one.content)


def test_numbers_have_no_gap_whoever_comes_at_once_and_whatever_fails(
    app: Flask, clock: Clock
) -> None:
    event = make_event(places=30)
    orders = [make_confirmed(event, [a_person(f"Person {n}")]).id for n in range(8)]
    db.session.rollback()

    def issue(order_id: int, *, fails: bool) -> None:
        services.write_receipts(order_id, now=clock.now)
        if fails:
            raise ZeroDivisionError

    works = [
        lambda o=o, fails=fails: booking(app, lambda: issue(o, fails=fails))
        for o in orders
        for fails in (True, False)
    ]
    results = together(works)
    assert {type(r) for r in results if r is not None} == {ZeroDivisionError}
    found = db.session.execute(text("SELECT number, order_id FROM document ORDER BY number")).all()
    assert [number for number, _order in found] == list(range(1, 9))
    assert sorted(order for _number, order in found) == sorted(orders)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE document SET total = total + 1",
        "UPDATE document_line SET amount = 1",
        "DELETE FROM document_line",
        "UPDATE document SET billed_to = 'me'",
    ],
)
def test_the_database_refuses_to_change_a_document(clock: Clock, change: str) -> None:
    order = make_confirmed(make_event())
    write(order.id, clock)
    with pytest.raises(DBAPIError, match="never"), transaction():
        db.session.execute(text(change))


@pytest.mark.once
def test_the_same_document_is_printed_byte_for_byte(client: FlaskClient, clock: Clock) -> None:
    order = make_confirmed(make_event(), [a_person("Zoë Ångström #1 $2")])
    (one,) = write(order.id, clock)
    token, other = order.token, make_confirmed(make_event()).token
    for path in (f"/o/{token}/receipt.pdf", f"/o/{token}/documents/{one.id}.pdf"):
        answers = [client.get(f"{path}?paper=a4") for _ in range(2)]
        assert answers[0].data.startswith(b"%PDF")
        assert answers[0].data == answers[1].data
    assert client.get(f"/o/{other}/documents/{one.id}.pdf").status_code == 404
    assert client.get(f"/o/{other}/receipt.pdf").status_code == 404
    sheet = (root() / "templates" / SHEETS[1]).read_bytes()
    assert hashlib.sha256(sheet).hexdigest() == FIRST_SHEET


@pytest.mark.once
def test_a_receipt_is_made_out_to_another_name_by_a_credit_note(
    client: FlaskClient, clock: Clock
) -> None:
    order = make_confirmed(make_event())
    (one,) = write(order.id, clock)
    payer, path = Typist(client), f"/o/{order.token}/documents/{one.id}/anew"
    form = payer.get(path)
    bad = payer.send(form, {"name": "Harborview", "address": " "})
    assert bad.status == 422
    assert 'value="Harborview"' in bad.text
    typed = {"name": "Harborview", "address": "500 Alder Street\nSeattle"}
    assert payer.send(form, typed).status == 303
    assert payer.send(form, typed).status == 409
    db.session.rollback()
    names = [(d.name, d.billed_to, d.total) for d in queries.documents_of([order.id])]
    assert names == [
        ("R-2026-0001", order.payer_name, one.total),
        ("CN-2026-0001", order.payer_name, one.total),
        ("R-2026-0002", "Harborview", one.total),
    ]
    page = client.get(f"/o/{order.token}").text
    assert page.count("no longer counts") == 1
    assert page.count("Make it out to another name") == 1
    sign_in(client)
    # For wide screens and for phones.
    assert payer.get("/organize/papers").text.count("To another name") == 2
    form = payer.get(f"/organize/papers/{queries.documents_of([order.id])[-1].id}/anew")
    assert 'value="Harborview"' in form.text
    assert payer.send(form, {**typed, "name": "Harborview Health"}, action="").status == 303
    assert payer.send(form, typed, action="").status == 409
    db.session.rollback()
    assert queries.documents_of([order.id])[-1].billed_to == "Harborview Health"
    with transaction():
        assert services.write_receipts(order.id, now=clock.now) == []
