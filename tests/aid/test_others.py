"""Asking by one's own link where somebody else pays, who learns no more than that the price is lower."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.aid import services
from regsys.aid.models import AidRequest
from regsys.aid.states import RequestState as A
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db as session
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.registration.models import Order
from regsys.registration.queries import due
from regsys.registration.rules import CART
from regsys.registration.states import RegistrationState as R
from tests import cast
from tests.aid.giving import (
    WORDS,
    an_event,
    award,
    differences,
    left,
    make_fund,
    pay,
    place_of,
    silent,
    state,
    sweep,
    told,
    without_secrets,
)
from tests.conftest import Clock
from tests.reports.desk import signed_in, text_of
from tests.support.typist import Typist
from tests.support.visitor import Page

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
PAYER = cast.a_person("Desk Fennimore", "desk@clinic.example.org")


def an_order(clock: Clock, *names: str) -> Order:
    """Let an employer place an order for these people, and let them be asked first."""
    order = cast.make_order(an_event(clock=clock), [cast.a_person(n) for n in names], payer=PAYER)
    with transaction():
        services.invite(order.id, actor=SYSTEM, now=clock.now)
    for r in cast.list_people(order):
        cast.make_answers(r)
    return order


def ask(place_id: int, clock: Clock) -> int:
    with transaction():
        return services.ask(place_id, WORDS, asked_amount=None, now=clock.now)


def test_the_payer_lets_the_others_be_asked_and_sees_a_lower_price_only(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    fund_id = make_fund(clock)
    event = an_event(clock=clock)
    people = [cast.a_person("Una Nettlefold"), cast.a_person("Osric Thistle")]
    order = cast.make_cart(event, quantities={"Standard": 2})
    cast.fill_cart(order, people, payer=PAYER)
    order_id, path = order.id, f"/o/{order.token}"
    una = cast.list_people(order)[0].token
    with client.session_transaction() as browser:
        browser[CART] = order.token
    payer = Typist(client)
    review = payer.get("/cart/review")
    assert "Ask the others first" in review.text
    assert silent(review.text)
    first = _place(client, review)
    assert first == f"{path}/help"
    offer = payer.get(first)
    assert "goes to each of Una Nettlefold, Osric Thistle" in text_of(client.get(first))
    assert silent(offer.text)
    assert payer.send(offer, {}, action="/help").headers["Location"] == path
    until = clock.now + timedelta(days=3 + 14 + 7)
    assert place_of(order_id).order.held_until == until
    assert silent(payer.get(path).text)
    for address in ("una.nettlefold@example.org", "osric.thistle@example.org"):
        assert "Open your own page" in told(address)
        assert "Desk Fennimore has put you down" in told(address)

    clock.move(days=2)
    guest = app.test_client()
    page = Typist(guest)
    own = page.get(f"/r/{una}")
    assert f"/r/{una}/help" in own.text
    assert "Please answer your questions first" in page.get(f"/r/{una}/help").text
    about = {"profession": "Nurse", "credentials": "RN", "workplace": "Copperline Clinic"}
    assert page.send(own, about, names=["profession"]).status == 303
    before = without_secrets(client, path)
    form = page.get(f"/r/{una}/help")
    assert "Your place costs $920.00" in text_of(guest.get(f"/r/{una}/help"))
    assert "deleted on" in form.text
    assert page.send(form, {"words": WORDS}, action="").status == 303
    assert "The committee reads it now" in page.get(f"/r/{una}/help").text
    assert without_secrets(client, path) == before, "the payer sees no difference"
    assert told(PAYER.email) == ""
    (request_id,) = session.session.scalars(select(AidRequest.id))
    blind = text_of(signed_in(app, "committee").get(f"/organize/help/{request_id}"))
    for secret in ("Una", "Nettlefold", "Copperline", "Fennimore", "clinic.example"):
        assert secret not in blind, secret

    award(request_id, 59000, clock)
    shown = text_of(client.get(path))
    assert "In all $1,250.00" in shown
    assert "Adjusted by the society." in shown
    assert silent(shown)
    assert "$1,250.00 is to pay now" in told(PAYER.email)
    assert (
        "Your place costs $330.00 now. Desk Fennimore has a letter that less is to pay"
        in text_of(guest.get(f"/r/{una}/help"))
    )
    assert "$1,250" not in guest.get(f"/r/{una}/help").text, (
        "what others cost is not theirs to know"
    )
    assert "help with the fee" not in text_of(guest.get(f"/r/{una}/hand-over")).lower()
    assert pay(order_id, clock) == 125000
    sweep()
    assert (state(request_id), left(fund_id)) == ((A.USED, R.CONFIRMED), 41000)
    assert silent(told(PAYER.email))
    assert silent(client.get(path).text)
    assert "Una" not in told("osric.thistle@example.org")
    assert differences(clock) == []


def _place(client: FlaskClient, review: Page) -> str:
    secret = dict(review.form("csrf_token").pairs({}))["csrf_token"]
    placed = client.post("/cart/place", data={"csrf_token": secret, "pay": "help"})
    return placed.headers["Location"]


def test_asking_moves_no_hold_that_another_one_sees_and_two_can_ask(clock: Clock) -> None:
    fund_id = make_fund(clock, 200000)
    order = an_order(clock, "Una Nettlefold", "Osric Thistle")
    order_id, (una, osric) = order.id, [r.id for r in cast.list_people(order)]
    until = clock.now + timedelta(days=24)

    def held() -> object:
        session.session.rollback()
        return session.session.get_one(Order, order_id).held_until

    with transaction():
        services.invite(order_id, actor=SYSTEM, now=clock.now)
    assert held() == until, "asked once more, the hold is as long as before"
    first = ask(una, clock)
    assert held() == until
    with transaction():
        services.withdraw(una, now=clock.now)
    assert (held(), state(first)[0]) == (until, A.WITHDRAWN)
    second = ask(osric, clock)
    assert award(second, 92000, clock) is False, "the rest of the order is not paid"
    assert (held(), due(order_id).due) == (until, 92000)
    pay(order_id, clock)
    sweep()
    assert (state(second), left(fund_id)) == ((A.USED, R.CONFIRMED), 108000)
    assert differences(clock) == []


def test_nobody_asks_when_there_is_no_time_for_an_answer_or_it_is_paid(clock: Clock) -> None:
    make_fund(clock)
    order = an_order(clock, "Una Nettlefold", "Osric Thistle")
    una, osric = (r.id for r in cast.list_people(order))
    request_id = ask(una, clock)
    clock.move(days=21, minutes=1)
    with pytest.raises(Refused, match="not held long enough"):
        ask(osric, clock)
    pay(order.id, clock)
    sweep()
    assert state(request_id) == (A.WITHDRAWN, R.CONFIRMED)
    with pytest.raises(Refused, match="held and not paid yet"):
        ask(osric, clock)
    alone = cast.make_order(an_event(clock=clock), [cast.a_person("Alone Nutkin")])
    with transaction(), pytest.raises(Refused, match="Nobody else waits"):
        services.invite(alone.id, actor=SYSTEM, now=clock.now)


def test_the_whole_fee_of_the_only_place_confirms_at_once(clock: Clock) -> None:
    make_fund(clock)
    order = an_order(clock, "Una Nettlefold")
    request_id = ask(place_of(order.id).id, clock)
    assert award(request_id, 92000, clock) is True
    assert state(request_id) == (A.USED, R.CONFIRMED)
    assert silent(told(PAYER.email))
    assert differences(clock) == []
