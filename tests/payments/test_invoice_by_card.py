"""Whoever pays an invoice may do it by card, from the invoice's own link: they never see the order's page."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from regsys.billing import services as billing
from regsys.billing.paper import Addressee
from regsys.capacity import services as capacity
from regsys.capacity.models import Claim
from regsys.events.kinds import InvoiceTerms
from regsys.events.models import Event
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger.models import Method
from regsys.payments import gateway
from regsys.payments.jobs import poll
from regsys.registration.models import Order
from regsys.registration.queries import due
from tests.payments.shop import Shop
from tests.support.books import verified
from tests.support.typist import Typist


@pytest.mark.once
def test_an_invoice_is_paid_by_card_from_its_own_link(shop: Shop) -> None:
    order = shop.order()
    to = Addressee("Harborview Family Practice", "500 Alder Street")
    with transaction():
        db.session.get_one(Event, order.event_id).invoices = InvoiceTerms.CONFIRMED
        token = billing.ask_for_invoice(
            order.id, to, email="ap@example.org", actor=SYSTEM, now=shop.clock.now
        ).token
    own = f"/i/{token}"
    payer = Typist(shop.client)
    page = payer.get(own)
    assert order.token not in page.text
    answer = payer.send(page, {}, action=f"{own}/pay")
    assert answer.status == 303
    session = answer.headers["Location"].rsplit("/", 1)[-1]
    assert answer.headers["Location"].startswith(shop.sandbox.url)
    shop.pay(session)
    back = payer.get(f"{own}/paid?session_id={session}")
    assert (back.status, back.headers["Location"]) == (303, own)
    assert "Thank you: it is paid." in payer.get(own).text
    shop.deliver_all(session)
    shop.fresh()
    assert (due(order.id).net, due(order.id).due) == (92000, 0)
    assert payer.send(page, {}, action=f"{own}/pay").headers["Location"] == own
    other = shop.order()
    assert payer.get(f"{own}/paid?session_id={shop.open(other)}").status == 404
    assert verified() == []


@pytest.mark.parametrize(
    ("terms", "how"),
    [
        (InvoiceTerms.HELD, "card"),
        (InvoiceTerms.CONFIRMED, "card"),
        (InvoiceTerms.HELD, "cheque"),
    ],
)
def test_an_invoice_is_paid_and_nobody_who_came_to_the_order_later(
    shop: Shop, terms: InvoiceTerms, how: str
) -> None:
    order = shop.order()
    with transaction():
        db.session.get_one(Event, order.event_id).invoices = terms
        token = billing.ask_for_invoice(
            order.id, Addressee("H"), email="ap@example.org", actor=SYSTEM, now=shop.clock.now
        ).token
    now = shop.clock.move(minutes=5)
    with transaction():
        found = db.session.get_one(Order, order.id)
        later = shop._register(found, db.session.get_one(Event, order.event_id))
        pool = shop.events[order.event_id][1]
        capacity.claim([(later, [pool])], now=now, until=now + timedelta(hours=1))
    payer = Typist(shop.client)
    page = payer.get(f"/i/{token}")
    assert "Pay $920.00 by card" in page.text
    if how == "card":
        answer = payer.send(page, {}, action=f"/i/{token}/pay")
        session = answer.headers["Location"].rsplit("/", 1)[-1]
        assert gateway.retrieve_session(session).amount_total == 92000
        shop.pay(session)
        shop.deliver_all(session)
        assert shop.attempt_states(order) == ["paid"]
    else:
        with transaction():
            billing.receive(
                order.id, amount=92000, method=Method.CHEQUE, received_at=now, reference="1187",
                seen=0, actor=SYSTEM, now=now,
            )  # fmt: skip
    assert shop.states(order) == ["confirmed", "awaiting_payment"]
    assert (due(order.id).net, due(order.id).due) == (92000, 92000)
    query = select(Claim.until).where(Claim.registration_id == later, Claim.released_at.is_(None))
    assert db.session.scalar(query) is not None, "held until a day, as no page is open any more"
    assert "Nothing of it is open." in payer.get(f"/i/{token}").text
    shop.pay(shop.open(order))
    shop.clock.move(minutes=3)
    shop.fresh()
    poll({})
    assert (shop.states(order), due(order.id).due) == (["confirmed", "confirmed"], 0)
    assert verified() == []


@pytest.mark.once
def test_no_card_is_offered_while_a_bank_is_at_it(shop: Shop) -> None:
    known = shop.app.extensions["regsys.settings"]
    shop.app.extensions["regsys.settings"] = known.replace(
        STRIPE_DELAYED_METHODS=("us_bank_account",)
    )
    order = shop.order()
    with transaction():
        db.session.get_one(Event, order.event_id).invoices = InvoiceTerms.CONFIRMED
        token = billing.ask_for_invoice(
            order.id, Addressee("H"), email="ap@example.org", actor=SYSTEM, now=shop.clock.now
        ).token
    payer = Typist(shop.client)
    page = payer.get(f"/i/{token}")
    session = payer.send(page, {}, action=f"/i/{token}/pay").headers["Location"].rsplit("/", 1)[-1]
    shop.pay(session, account="000123456789")
    shop.deliver_all(session)
    page = payer.get(f"/i/{token}")
    assert "A payment of $920.00 is on its way." in page.text
    assert "by card" not in page.text
