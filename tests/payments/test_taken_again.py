"""A place that was given up late is taken again: what was promised comes back by itself, once."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.kernel.db import db
from regsys.payments import jobs
from regsys.payments.models import Promise
from regsys.payments.services import keep_promise
from regsys.registration.queries import due
from tests.cast import sign_in
from tests.payments.shop import Placed, Shop
from tests.payments.test_leaving import bought, people, refunds, said
from tests.payments.test_moving import letters
from tests.support.books import verified
from tests.support.together import booking, raise_unexpected, together
from tests.support.typist import Typist

LATE = {"refilled": {"percent": 100, "minus": 7500}}


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    return Typist(client)


def keep(shop: Shop) -> None:
    """Run the job, as a worker does that has read nothing before."""
    shop.fresh()
    jobs.keep_promises({})


def gives_up(typist: Typist, order: Placed) -> str:
    page = typist.get(f"/o/{order.token}/cancel?who={order.registrations[0]}")
    assert typist.send(page, {}, names=["mark"]).status == 303
    return said(page)


def takes(shop: Shop, event_id: int) -> Placed:
    order = shop.order(event_id)
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    return order


def test_what_was_kept_comes_back_when_somebody_is_confirmed_on_the_place(
    shop: Shop, typist: Typist
) -> None:
    order = bought(shop, rules=LATE)
    shown = gives_up(typist, order)
    assert "Today nothing comes back." in shown
    assert (
        "If somebody takes the place before it begins, $845.00 more comes back by itself." in shown
    )
    (letter,) = letters("order_left")
    assert "$845.00 more comes back by itself" in letter.text.replace("\u00a0", " ")
    sign_in(typist.client)
    assert "$845.00, Person" in said(typist.get("/organize/money"))
    held = shop.order(order.event_id)
    keep(shop)
    assert refunds(shop) == [], "a place that is held is not taken yet"
    session = shop.open(held)
    shop.pay(session)
    shop.deliver_all(session)
    keep(shop)
    keep(shop)
    assert refunds(shop) == [("succeeded", 84500)]
    assert (due(order.id).total, due(order.id).net) == (7500, 7500)
    assert verified() == []
    (told,) = letters("payment_refilled")
    assert "$845.00 goes back to the card" in told.text.replace("\u00a0", " ")
    assert "$845.00, Person" not in said(typist.get("/organize/money"))
    db.session.rollback()


def test_two_places_and_one_taker_keep_one_promise_and_a_chain_keeps_both(
    shop: Shop, typist: Typist, app: Flask
) -> None:
    first = bought(shop, rules=LATE)
    second = shop.order(first.event_id)
    session = shop.open(second)
    shop.pay(session)
    shop.deliver_all(session)
    people(second)[0].policy_id = people(first)[0].policy_id
    db.session.commit()
    gives_up(typist, second)
    gives_up(typist, first)
    taker = takes(shop, first.event_id)
    keep(shop)
    assert refunds(shop) == [("succeeded", 84500)]
    kept = db.session.query(Promise).filter(Promise.kept_at.is_not(None)).one()
    assert kept.registration_id == first.registrations[0], (
        "the lowest chair is the first to be taken"
    )
    assert kept.taken_by_id == taker.registrations[0]
    takes(shop, first.event_id)
    (row,) = db.session.query(Promise).filter(Promise.kept_at.is_(None)).all()
    promise_id, now = row.id, shop.clock.now
    db.session.remove()
    works = [lambda: booking(app, lambda: len(keep_promise(promise_id, now=now)))] * 4
    results = together(works)
    raise_unexpected(results)
    assert sorted(r for r in results if isinstance(r, int)) == [0, 0, 0, 1]


@pytest.mark.once
def test_the_same_person_and_whoever_comes_after_the_beginning_take_no_place_again(
    shop: Shop, typist: Typist
) -> None:
    order = bought(shop, rules=LATE)
    gives_up(typist, order)
    again = takes(shop, order.event_id)
    people(again)[0].email_key = people(order)[0].email_key
    db.session.commit()
    keep(shop)
    assert refunds(shop) == []
    people(again)[0].email_key = "somebody.else@example.org"
    people(again)[0].confirmed_at = datetime(2027, 4, 23, tzinfo=UTC)
    db.session.commit()
    keep(shop)
    assert refunds(shop) == []
