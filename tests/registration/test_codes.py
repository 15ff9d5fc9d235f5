"""Codes: their uses are places of a pool, their lines make the price, and what was decided stays."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.capacity import services as capacity
from regsys.discounts import queries as codes
from regsys.discounts import services as discounts
from regsys.discounts.rules import Place, Terms, why_not_stay
from regsys.discounts.services import Plan
from regsys.events.kinds import OptionKind
from regsys.events.models import Event
from regsys.events.queries import list_options
from regsys.events.services import OptionPlan, set_options
from regsys.kernel.actors import ANONYMOUS, SYSTEM
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.registration import queries, services
from regsys.registration.models import Order
from regsys.registration.states import RegistrationState as S
from regsys.verify import Said, examine
from tests import cast
from tests.cast import a_person, fill_cart, list_people, make_cart, make_event
from tests.registration.guest import Guest
from tests.support.together import booking, raise_unexpected, together


def make_code(event: Event, now: datetime, **changes: Any) -> int:
    plan = {"code": "spring-20", "percent": 2000, "event_ids": [event.id], **changes}
    with transaction():
        return discounts.make_code(Plan(**plan), scope=None, actor=SYSTEM, now=now)


def cart_of(event: Event, count: int = 1, tag: str = "") -> Order:
    order = make_cart(event, quantities={"Standard": count})
    return fill_cart(order, [a_person(f"P{tag}x{i} Nutkin") for i in range(count)])


def use(order_id: int, now: datetime, typed: str = "Spring-20", **more: Any) -> services.Applied:
    with transaction():
        return services.apply_code(order_id, typed, actor=ANONYMOUS, now=now, **more)


def refused(order_id: int, now: datetime, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        use(order_id, now, **more)
    return caught.value.refusal.name


def lines(order: Order) -> list[tuple[str, int]]:
    return [(str(x.kind), x.amount) for x in queries.list_lines(order.id)]


def prices(order: Order) -> list[int]:
    return [r.price for r in list_people(order)]


def uses(code_id: int, now: datetime) -> int:
    code = codes.find_by_id(code_id)
    assert code
    count = codes.count_uses(code, now=now)
    return count.held + count.settled


def test_a_code_lowers_each_place_and_is_taken_off_again(db: Any, now: datetime) -> None:
    event = make_event(types={"Standard": 99000, "Trainee": 66001})
    code_id = make_code(event, now, uses=5)
    order = fill_cart(
        make_cart(event, quantities={"Standard": 1, "Trainee": 1}),
        [a_person("Ada Nutkin"), a_person("Bo Nutkin")],
    )
    assert use(order.id, now) == services.Applied(2, short=False)
    assert use(order.id, now) == services.Applied(2, short=False)
    assert lines(order) == [
        ("place", 99000), ("place", 66001), ("discount", -19800), ("discount", -13200)
    ]  # fmt: skip
    assert prices(order) == [79200, 52801]
    assert uses(code_id, now) == 2
    with transaction():
        services.drop_code(order.id, actor=ANONYMOUS, now=now)
    assert (prices(order), uses(code_id, now)) == ([99000, 66001], 0)
    assert lines(order) == [("place", 99000), ("place", 66001)]


@pytest.mark.once
def test_a_lapsed_cart_is_taken_again_with_its_room_and_code(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    event = make_event(types={"Standard": 90000})
    plans = [OptionPlan(name=n, kind=OptionKind.ROOM, price=10000, size=1) for n in ("Blue", "Red")]
    with transaction():
        set_options(event.id, plans, version=None, actor=SYSTEM, now=clock.now)
    ids = {o.name: o.id for o in list_options([event.id])}
    make_code(event, clock.now, uses=1)
    old = cart_of(event)
    (r,) = list_people(old)
    with transaction():
        services.choose_options(
            old.id, {r.id: dict.fromkeys(ids.values(), "")}, actor=ANONYMOUS, now=clock.now
        )
    use(old.id, clock.now)
    clock.move(minutes=31)
    other = cart_of(event, tag="o")
    with transaction():
        services.choose_options(
            other.id, {list_people(other)[0].id: {ids["Red"]: ""}}, actor=ANONYMOUS, now=clock.now
        )
    guest = Guest(client)
    with client.session_transaction() as session:
        session["cart"] = old.token
    lapsed = guest.get("/cart")
    seen = guest.go(guest.send(lapsed, {}, action="/cart/again"))
    assert "this was not kept: Red." in seen.text
    product_db.session.rollback()
    newest = select(Order).order_by(Order.id.desc())
    new = product_db.session.scalars(newest).first()
    assert new
    assert lines(new) == [("place", 90000), ("option", 10000), ("discount", -18000)]


def test_uses_come_free_with_the_place_and_never_exceed_what_was_said(db: Any, clock: Any) -> None:
    event, now = make_event(), clock.now
    code_id = make_code(event, now, uses=2)
    first, second, third = cart_of(event, 1, "a"), cart_of(event, 2, "b"), cart_of(event, 1, "c")
    use(first.id, now)
    assert use(second.id, now) == services.Applied(1, short=True)
    assert prices(second) == [79200, 99000]
    assert refused(third.id, now) == "CodeUsedUp"
    clock.to(now + timedelta(minutes=31))
    with transaction():
        services.expire_lapsed(first.id, now=clock.now)
    assert uses(code_id, clock.now) == 0


def test_what_was_decided_stays_though_the_code_ends_and_prices_change(
    db: Any, now: datetime
) -> None:
    event = make_event()
    code_id = make_code(event, now)
    order = cart_of(event)
    use(order.id, now)
    with transaction():
        for price in event.ticket_types[0].prices:
            price.amount = 120000
        plan = Plan(code="SPRING-20", percent=100, event_ids=[event.id])
        discounts.change_code(code_id, plan, event_id=event.id, scope=None, actor=SYSTEM, now=now)
        discounts.end_code(code_id, event_id=event.id, scope=None, actor=SYSTEM, now=now)
    with transaction():
        placed = services.place(order.id, now=now)
    with transaction():
        facts = services.hold_for_checkout(placed.id, now=now)
    assert (facts.amount, [amount for _name, amount in facts.lines]) == (79200, [79200])


def test_all_of_the_price_makes_the_place_free(db: Any, now: datetime) -> None:
    event = make_event()
    code_id = make_code(event, now, percent=10000)
    order = cart_of(event)
    use(order.id, now)
    with transaction():
        services.place(order.id, now=now)
    (r,) = list_people(order)
    assert (r.state, r.price, uses(code_id, now)) == (S.CONFIRMED, 0, 1)
    db.session.rollback()
    assert [s.sentence for s in examine(now=now) if isinstance(s, Said) and not s.fine] == []
    with transaction():
        services.cancel_unpaid(r.id, event_id=event.id, reason="Ill", actor=SYSTEM, now=now)
    assert uses(code_id, now) == 0


@pytest.mark.parametrize(
    ("plan", "more", "name"),
    [
        ({"event_ids": []}, {}, "CodeUnknown"),
        ({}, {"typed": "else"}, "CodeUnknown"),
        ({"amount": 98960, "percent": None, "currency": "USD"}, {}, "TooLittleLeft"),
        ({"min_group": 3}, {}, "GroupTooSmall"),
        ({"min_group": 2}, {}, "WorkplaceUnsaid"),
    ],
)
@pytest.mark.once
def test_a_code_that_does_not_count_changes_nothing(
    db: Any, now: datetime, plan: Any, more: Any, name: str
) -> None:
    event = make_event()
    code_id = make_code(event, now, **plan)
    order = cart_of(event, 2 if plan.get("min_group") else 1)
    assert refused(order.id, now, **more) == name
    assert {kind for kind, _amount in lines(order)} == {"place"}
    assert uses(code_id, now) == 0


@pytest.mark.once
def test_a_group_stays_a_group_until_it_is_placed(db: Any, now: datetime) -> None:
    event = make_event()
    make_code(event, now, min_group=2)
    order = cart_of(event, 2)
    assert use(order.id, now, workplace="Copperline Clinic").places == 2
    assert {r.workplace for r in list_people(order)} == {"Copperline Clinic"}
    with transaction():
        services.remove_from_cart(order.id, list_people(order)[1].id, now=now)
    with pytest.raises(Refused) as caught, transaction():
        services.place(order.id, now=now)
    assert caught.value.refusal.name == "GroupTooSmall"


@pytest.mark.once
@pytest.mark.parametrize(
    ("workplaces", "look", "why"),
    [
        (["A", "a "], True, None),
        (["A", "B"], True, "GroupTooSmall"),
        (["A", "A", ""], True, "GroupApart"),
        (["A", "B", "B"], True, "GroupApart"),
        (["A", "B"], False, None),
        (["A"], False, "GroupTooSmall"),
    ],
)
def test_who_has_a_groups_code_is_a_group(
    workplaces: list[str], look: bool, why: str | None
) -> None:
    places = [Place(i, 54000, w) for i, w in enumerate(workplaces)]
    refusal = why_not_stay("TEAM", Terms(percent=800, min_group=2), places, look=look)
    assert (refusal.name if refusal else None) == why


@pytest.mark.once
def test_a_workplace_that_changes_counts_until_the_places_are_taken(db: Any, now: datetime) -> None:
    event = make_event()
    make_code(event, now, min_group=2)
    order = cart_of(event, 2)
    use(order.id, now, workplace="Copperline Clinic")

    def move_on(to: str) -> None:
        r = list_people(order)[0]
        about = dict.fromkeys(("credentials", "profession"), "MD") | {"workplace": to}
        with transaction():
            services.answer(order.id, r.id, about=about, values={}, kept=(), actor=SYSTEM, now=now)

    def place() -> None:
        with transaction():
            services.place(order.id, now=now)

    move_on("Riverbend")
    with pytest.raises(Refused) as caught:
        place()
    assert caught.value.refusal.name == "GroupTooSmall"
    move_on("copperline clinic ")
    place()
    move_on("Riverbend")
    assert prices(order) == [79200, 79200]
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "registration.group_left")
    ).one()
    assert (entry.after, "The price stays" in entry.reason) == ({"code": "SPRING-20"}, True)


@pytest.mark.once
def test_each_person_once_also_at_another_event(db: Any, now: datetime) -> None:
    one, two = make_event(), make_event()
    make_code(one, now, once=True, event_ids=[one.id, two.id])
    person = [a_person("Ada Nutkin")]
    first, second = fill_cart(make_cart(one), person), fill_cart(make_cart(two), person)
    use(first.id, now)
    assert refused(second.id, now) == "CodeUsedByThem"


def test_two_at_once_share_the_last_use(app: Flask, db: Any, now: datetime) -> None:
    event = make_event()
    code_id = make_code(event, now, uses=1)
    orders = [cart_of(event, 1, tag).id for tag in "abc"]
    db.session.remove()

    def use_it(order_id: int) -> services.Applied:
        return booking(
            app,
            lambda: services.apply_code(order_id, "spring-20", actor=ANONYMOUS, now=now),
        )

    found = together([partial(use_it, o) for o in orders])
    raise_unexpected(found, Refused)
    assert len([one for one in found if isinstance(one, services.Applied)]) == 1
    assert uses(code_id, now) == 1


@pytest.mark.once
def test_a_code_on_the_review_page(client: FlaskClient, db: Any, now: datetime) -> None:
    event = make_event()
    make_code(event, now)
    guest = Guest(client)
    page = guest.register(event)
    wrong = guest.send(page, {"code": "nonsense"}, names=["code"], action="/cart/code")
    assert wrong.status == 409
    assert "We do not know this code here" in wrong.text
    assert 'value="nonsense"' in wrong.text
    page = guest.go(guest.send(page, {"code": "spring-20"}, names=["code"], action="/cart/code"))
    assert "Code SPRING-20: 20% off each place." in page.text
    assert "Pay $792.00" in page.text
    page = guest.go(guest.send(page, names=["csrf_token"], action="/cart/code/drop"))
    assert "Pay $990.00" in page.text


@pytest.mark.once
def test_organizers_make_change_and_end_a_code(client: FlaskClient, db: Any, now: datetime) -> None:
    event = make_event()
    cast.sign_in(client)
    guest = Guest(client)
    prices_at = f"/organize/events/{event.id}/prices"
    assert "No codes yet" in guest.get(prices_at).text
    page = guest.get(f"{prices_at}/codes/new")
    bad = guest.send(page, {"code": "team 3", "off": "110"}, names=["code"])
    assert bad.status == 422
    assert "above 0 and up to 100" in bad.text
    made = {"code": "team-3", "off": "8", "uses": "12", "min_group": "3"}
    listed = guest.go(guest.send(page, made, names=["code"]))
    assert "TEAM-3" in listed.text
    assert "0 of 12" in listed.text
    db.session.rollback()
    code = codes.find_code("team-3")
    assert code
    assert (code.percent, code.min_group, [e.id for e in code.events]) == (800, 3, [event.id])
    again = guest.send(page, made, names=["code"])
    assert "There is a code of this name already." in again.text
    edit = guest.get(f"{prices_at}/codes/{code.id}")
    guest.go(guest.send(edit, {"uses": "20"}, names=["off"]))
    assert "0 of 20" in guest.get(prices_at).text
    ended = guest.go(guest.send(guest.get(prices_at), names=["csrf_token"], action="/end"))
    assert "Ended" in ended.text
    db.session.rollback()
    assert capacity.counts([code.pool_id], now=now)[code.pool_id].size == 20
