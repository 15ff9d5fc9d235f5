"""Help with the fee: asked for, decided blind, reserved together with the place, returned when nobody claims it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from regsys.aid import queries, rules, services
from regsys.aid.models import AidRequest
from regsys.aid.states import RequestState
from regsys.kernel.actors import STRIPE, SYSTEM
from regsys.kernel.db import db as database
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.outbox.models import Message
from regsys.registration import services as registering
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.queries import adjusted_of, due
from regsys.registration.rules import CART
from regsys.registration.states import RegistrationState
from tests import cast
from tests.aid.giving import WORDS, asked, award, differences, left, make_fund, pay, state, sweep
from tests.conftest import Clock
from tests.reports.desk import signed_in, text_of
from tests.support.together import booking, errors, together
from tests.support.typist import Typist

pytestmark = pytest.mark.usefixtures("db")


def test_an_award_lowers_the_price_and_keeps_the_place_until_it_is_used_or_goes_back(
    clock: Clock,
) -> None:
    fund_id = make_fund(clock)
    order_id, request_id = asked(clock)
    order = database.session.get_one(Order, order_id)
    assert order.held_until == clock.now + timedelta(days=21), "two weeks to decide, one to pay"
    assert award(request_id, 59000, clock) is False
    assert (due(order_id).due, left(fund_id)) == (33000, 41000)
    assert database.session.get_one(Order, order_id).held_until == clock.now + timedelta(days=14)
    line = database.session.scalars(select(OrderLine).where(OrderLine.kind == LineKind.AWARD)).one()
    assert (line.amount, line.reason) == (-59000, "Adjusted by the society.")
    with pytest.raises(Refused):
        award(request_id, 1000, clock)
    with transaction():
        registering.confirm_owing(order_id, actor=STRIPE, now=clock.now, reason="")
    sweep()
    assert state(request_id) == (RequestState.USED, RegistrationState.CONFIRMED)
    assert differences(clock) == []
    r_id, event_id = line.registration_id, queries.get_request(request_id).registration.event_id
    with transaction():
        registering.cancel_unpaid(
            r_id or 0, event_id=event_id, reason="", actor=SYSTEM, now=clock.now
        )
    sweep()
    assert state(request_id) == (RequestState.RETURNED, RegistrationState.CANCELLED)
    assert (left(fund_id), due(order_id).total) == (100000, 0)


def test_what_is_not_claimed_goes_back_and_late_money_pays_the_whole_fee(clock: Clock) -> None:
    fund_id = make_fund(clock)
    order_id, request_id = asked(clock)
    award(request_id, 59000, clock)
    clock.move(days=14, minutes=1)
    sweep()
    assert state(request_id) == (RequestState.RETURNED, RegistrationState.EXPIRED)
    assert left(fund_id) == 100000
    assert due(order_id).total == 0
    with transaction():
        short = registering.confirm_paid(order_id, actor=STRIPE, now=clock.now)
    assert short == "no_place", "what was to pay with the help is not enough any more"
    pay(order_id, clock, 92000)
    assert adjusted_of(queries.get_request(request_id).registration_id) == 0
    assert due(order_id).total == 92000
    assert differences(clock) == []
    back, third = asked(clock, "Osric Thistle")
    with transaction():
        services.withdraw(queries.get_request(third).registration_id, now=clock.now)
    assert state(third) == (RequestState.WITHDRAWN, RegistrationState.AWAITING_PAYMENT)
    assert database.session.get_one(Order, back).held_until == clock.now + timedelta(days=7)


def test_all_of_the_fee_confirms_at_once_and_a_no_leaves_time_to_pay(clock: Clock) -> None:
    fund_id = make_fund(clock)
    _order, first = asked(clock)
    assert award(first, 92000, clock) is True
    assert state(first) == (RequestState.USED, RegistrationState.CONFIRMED)
    order_id, second = asked(clock, "Osric Thistle")
    with pytest.raises(Refused, match=r"\$80.00 left"):
        award(second, 8001, clock)
    assert state(second) == (RequestState.ASKED, RegistrationState.AWAITING_PAYMENT)
    with transaction():
        services.decline(second, scope=None, actor=SYSTEM, now=clock.now)
    assert state(second) == (RequestState.DECLINED, RegistrationState.AWAITING_PAYMENT)
    assert (due(order_id).due, left(fund_id)) == (92000, 8000)
    letters = database.session.scalars(select(Message).where(Message.kind == "place_news")).all()
    assert len(letters) == 4
    assert not [m for m in letters if "help" in (m.text + m.html + m.subject).lower()]
    assert differences(clock) == []


def test_two_decisions_at_once_never_take_a_fund_below_zero(app: Flask, clock: Clock) -> None:
    fund_id = make_fund(clock, 100000)
    ids = [asked(clock, f"Person {n}")[1] for n in "ABCD"]
    database.session.remove()

    def decide(request_id: int) -> bool:
        return services.award(request_id, 40000, scope=None, actor=SYSTEM, now=clock.now)

    results = together([lambda i=i: booking(app, lambda: decide(i)) for i in ids])  # type: ignore[misc]
    assert [type(e) for e in errors(results)] == [Refused, Refused]
    assert left(fund_id) == 20000
    lines = database.session.scalars(select(OrderLine).where(OrderLine.kind == LineKind.AWARD))
    assert [line.amount for line in lines] == [-40000, -40000]
    assert differences(clock) == []


@pytest.mark.once
def test_it_is_asked_on_the_way_to_pay_decided_blind_and_told_to_nobody(
    app: Flask, client: Any, clock: Clock
) -> None:
    fund_id = make_fund(clock)
    event = cast.make_event(types={"Standard": 92000})
    order = cast.fill_cart(cast.make_cart(event), [cast.a_person("Una Nettlefold")])
    event_id, token, order_id, order_code = event.id, order.token, order.id, order.code
    page, payer = f"/r/{order.registrations[0].token}/help", Typist(client)
    with client.session_transaction() as session:
        session[CART] = token
    review = payer.get("/cart/review")
    assert "Ask for help with the fee" in review.text
    secret = dict(review.form("csrf_token").pairs({}))["csrf_token"]
    placed = client.post("/cart/place", data={"csrf_token": secret, "pay": "help"})
    assert placed.headers["Location"] == f"/o/{token}/help"
    assert client.get(f"/o/{token}/help").headers["Location"] == page
    assert f"/o/{token}/help" in payer.get(f"/o/{token}").text
    form = payer.get(page)
    wrong = payer.send(form, {"words": "", "amount": "lots"}, action="")
    assert (wrong.status, "lots" in wrong.text) == (422, True)
    assert payer.send(form, {"words": WORDS, "amount": "500"}, action="").status == 303
    assert "committee reads it now" in payer.get(page).text
    request_id = database.session.scalars(select(AidRequest.id)).one()
    committee = Typist(signed_in(app, "committee"))
    one = committee.get(f"/organize/help/{request_id}")
    blind = one.text.replace("Fairweather", "")
    assert "only nurse on the island" in blind
    for secret in ("Una", "Nettlefold", "Copperline", "una.nettlefold", order_code):
        assert secret not in blind, secret
    refused = committee.send(one, {"amount": "950"}, action="/award")
    assert (refused.status, "More than that cannot be given" in refused.text) == (409, True)
    assert committee.send(one, {"amount": "123.45"}, action="/award").status == 303
    assert "$123.45" in text_of(client.get(page))
    r_id = database.session.scalars(
        select(Registration.id).where(Registration.order_id == order_id)
    ).one()
    registrar, treasurer = signed_in(app, "registrar"), signed_in(app, "treasurer")
    for address in (
        f"/organize/events/{event_id}/registrations/{r_id}",
        f"/organize/events/{event_id}",
        "/organize/audit",
        "/organize/messages",
    ):
        said = text_of(registrar.get(address)).lower()
        assert "help with the fee" not in said, address
        assert "award" not in said, address
    for address in ("/organize/help", f"/organize/help/{request_id}", "/organize/help/funds"):
        assert registrar.get(address).status_code == 403, address
    assert treasurer.get(f"/organize/help/{request_id}").status_code == 403
    report = text_of(treasurer.get("/organize/help/funds"))
    assert "Left $876.55" in report
    assert "fewer than 5" in report
    desk = Typist(treasurer)
    short = desk.send(desk.get(f"/organize/help/funds/{fund_id}"), {"budget": "100"}, action="")
    assert (short.status, "$123.45 is given or kept" in short.text) == (422, True)


def test_what_names_a_person_is_masked() -> None:
    known = ("Una", "Nettlefold", "", "una.n@example.org", "Copperline Clinic", "", "Bow")
    said = rules.masked(
        "I am UNA from copperline clinic in Bow, not unable; una.n@example.org", known
    )
    assert said == "I am […] from […] in […], not unable; […]"


@pytest.mark.parametrize(("n", "shown"), [(0, 0), (1, None), (4, None), (5, 5)])
def test_small_cells_are_not_shown(n: int, shown: int | None) -> None:
    assert rules.shown_count(n) == shown
    assert rules.may_show_parts([7, n]) is (shown is not None)
