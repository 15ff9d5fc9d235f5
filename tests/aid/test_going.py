"""Help is for one person: what becomes of it when a place is handed on, moved, given up, or partly given back."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.aid import rules, services
from regsys.aid.states import RequestState as A
from regsys.discounts import services as discounts
from regsys.discounts.services import Plan as Half
from regsys.events.models import Event
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.payments import queries as money
from regsys.payments import services as paying
from regsys.policies.rules import Leaving
from regsys.registration import services as registering
from regsys.registration.queries import adjusted_of, costs_of, due
from regsys.registration.states import RegistrationState as R
from tests import cast
from tests.aid.giving import (
    an_event,
    award,
    differences,
    helped,
    left,
    make_fund,
    pay,
    place_of,
    silent,
    state,
    sweep,
    told,
)
from tests.conftest import Clock
from tests.reports.desk import signed_in, text_of

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


@pytest.mark.parametrize(
    ("amount", "price", "cost", "serves", "along"),
    [
        (59000, 92000, 33000, True, 59000),
        (59000, 92000, 33000, False, 0),
        # Dearer: no more than was given. Cheaper: only what it costs more than was paid, and nothing in money.
        (59000, 99900, 33000, True, 59000),
        (59000, 50000, 33000, True, 17000),
        (59000, 20000, 33000, True, 0),
        (92000, 50000, 0, True, 50000),
        (92000, 0, 0, True, 0),
    ],
)
def test_what_goes_along_to_another_event(
    amount: int, price: int, cost: int, serves: bool, along: int
) -> None:
    assert rules.carried(amount, price=price, cost=cost, serves=serves) == along


def test_help_does_not_go_to_a_colleague_who_never_hears_of_it(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    fund_id = make_fund(clock)
    order_id, request_id = helped(clock, 59000)
    first = place_of(order_id)
    token, order_token = first.token, first.order.token
    for path in (f"/r/{token}/hand-over", f"/o/{order_token}/hand-over?who={first.id}"):
        page = text_of(client.get(path))
        assert "is for one person alone, so it cannot be handed on by a link" in page, path
        assert silent(page), path
    desk = signed_in(app, "registrar")
    path = f"/organize/events/{first.event_id}/registrations/{first.id}/hand-over"
    page = text_of(desk.get(path))
    assert "Whoever takes it over has the whole price, so $590.00 more is then to pay" in page
    assert silent(page)
    second = cast.a_person("Second Nutkin")
    with transaction():
        registering.hand_over_for(
            order_id, first.id, second, reason="ill", actor=SYSTEM, now=clock.now
        )
    sweep()
    assert state(request_id) == (A.RETURNED, R.TRANSFERRED)
    assert left(fund_id) == 100000
    new = place_of(order_id)
    assert (new.price, costs_of([first.id, new.id])) == (92000, {first.id: 0, new.id: 92000})
    assert due(order_id).due == 59000
    for text in (told("second.nutkin@example.org"), text_of(client.get(f"/r/{new.token}"))):
        assert silent(text)
        assert "adjusted" not in text.lower()
    assert "$590.00 is to pay now: the price until now was for Una" in told(
        "una.nettlefold@example.org"
    )
    assert "gone back to the fund" in text_of(client.get(f"/r/{token}/help"))
    assert pay(order_id, clock) == 59000
    assert differences(clock) == []


def move(
    order_id: int, to: Event, clock: Clock, *, by_organizer: bool = False
) -> tuple[int, int, int]:
    """Move the newest place of an order as its page shows it; return what is to pay, comes back, and drops."""
    old, ticket = place_of(order_id).id, to.ticket_types[0].id
    found = money.get_moves(order_id, old, now=clock.now, by_organizer=by_organizer)
    way = found.find(ticket)
    assert way, found.refusal
    shown = (way.move.to_pay, way.move.back, way.move.dropped)
    more = {"mark": found.mark(way), "actor": SYSTEM, "now": clock.now}
    with transaction():
        if by_organizer:
            paying.move_for(order_id, old, ticket, spare=False, reason="", **more)
        else:
            paying.move_place(order_id, old, ticket, **more)
    return shown


def test_help_goes_along_where_its_fund_serves_and_back_where_not(clock: Clock) -> None:
    here, there, beyond = (an_event(p, clock=clock) for p in (92000, 95000, 92000))
    fund_id = make_fund(clock, event_ids=(here.id, there.id))
    order_id, request_id = helped(clock, 59000, event=here)
    assert move(order_id, there, clock) == (3000, 0, 0)
    sweep()
    assert state(request_id) == (A.USED, R.CONFIRMED), "not paid yet: the old place stays"
    pay(order_id, clock)
    sweep()
    new = place_of(order_id)
    assert (state(request_id), left(fund_id)) == ((A.USED, R.CONFIRMED), 41000)
    assert (new.event_id, new.price, adjusted_of(new.id)) == (there.id, 36000, 59000)
    assert differences(clock) == []
    shown = move(order_id, beyond, clock, by_organizer=True)
    assert shown == (56000, 0, 59000), "the whole difference"
    pay(order_id, clock)
    sweep()
    assert state(request_id) == (A.RETURNED, R.TRANSFERRED)
    assert (left(fund_id), due(order_id).net, due(order_id).due) == (100000, 92000, 0)
    assert differences(clock) == []


def test_a_cheaper_event_gives_the_rest_to_the_fund_and_never_money(clock: Clock) -> None:
    fund_id = make_fund(clock)
    order_id, request_id = helped(clock, 59000)
    assert move(order_id, an_event(50000, clock=clock), clock) == (0, 0, 42000)
    sweep()
    new = place_of(order_id)
    assert (new.price, adjusted_of(new.id), left(fund_id)) == (33000, 17000, 83000)
    shown = move(order_id, an_event(20000, clock=clock), clock, by_organizer=True)
    assert shown == (0, 13000, 17000)
    sweep()
    assert (state(request_id)[0], left(fund_id)) == (A.RETURNED, 100000)
    assert differences(clock) == []


@pytest.mark.parametrize("how", ["self", "organizer", "called off"])
def test_only_what_was_paid_comes_back_and_the_rest_is_the_funds(how: str, clock: Clock) -> None:
    fund_id = make_fund(clock)
    order_id, request_id = helped(clock, 59000)
    r = place_of(order_id)
    r_id, event_id, paid = r.id, r.event_id, due(order_id).net
    assert paid == 33000
    with transaction():
        if how == "self":
            parting = money.get_parting(order_id, [r_id], now=clock.now)
            assert parting.amount == paid // 2
            paying.leave(
                order_id, [r_id], mark=parting.mark, reason="", actor=SYSTEM, now=clock.now
            )
        elif how == "organizer":
            back = Leaving(r_id, paid=paid, by_hand=paid)
            registering.cancel_paid(
                r_id, event_id=event_id, money=back, reason="", actor=SYSTEM, now=clock.now
            )
        else:
            paying.start_cancellation(event_id, reason="Snow", actor=SYSTEM, now=clock.now)
            paying.cancel_order(event_id, order_id, actor=SYSTEM, now=clock.now)
    sweep()
    assert (state(request_id), left(fund_id)) == ((A.RETURNED, R.CANCELLED), 100000)
    assert due(order_id).over == (paid // 2 if how == "self" else paid)


def test_some_money_given_back_leaves_the_help_as_it_is(clock: Clock) -> None:
    fund_id = make_fund(clock)
    order_id, request_id = helped(clock, 59000)
    with transaction():
        registering.lower_price(order_id, place_of(order_id).id, 10000, reason="No dinner")
    sweep()
    assert (state(request_id)[0], left(fund_id)) == (A.USED, 41000)
    with transaction():
        parting = money.get_parting(order_id, [place_of(order_id).id], now=clock.now)
    assert parting.amount <= 33000
    assert differences(clock) == []


def test_a_code_beside_help_takes_off_what_is_left_and_no_more(clock: Clock) -> None:
    event = an_event(clock=clock)
    make_fund(clock)
    with transaction():
        order_id = registering.add_by_hand(
            event.id, cast.a_person("Una Nettlefold"), ticket_type_id=event.ticket_types[0].id,
            to_pay=True, reason="", actor=SYSTEM, now=clock.now,
        ).order_id  # fmt: skip
    cast.make_answers(place_of(order_id))
    with transaction():
        request_id = services.ask(place_of(order_id).id, "Help", asked_amount=None, now=clock.now)
    award(request_id, 60000, clock)
    with transaction():
        half = Half(code="half", percent=5000, event_ids=[event.id])
        discounts.make_code(half, scope=None, actor=SYSTEM, now=clock.now)
        registering.apply_code(order_id, "half", actor=SYSTEM, now=clock.now)
    assert (place_of(order_id).price, due(order_id).due) == (0, 0)
    with transaction():
        registering.drop_code(order_id, actor=SYSTEM, now=clock.now)
    assert due(order_id).due == 32000
