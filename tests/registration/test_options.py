"""Rooms and meals: chosen with the place, held and let go with it, priced line by line, never more than there are."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.discounts.services import Plan, make_code
from regsys.events import queries as events
from regsys.events.kinds import OptionKind, Proof
from regsys.events.models import Event, Option, TicketType
from regsys.events.services import OptionPlan, copy_event, set_options
from regsys.kernel.actors import ANONYMOUS, STRIPE, SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.outbox.models import Message
from regsys.registration import queries, services
from regsys.registration.chosen import list_choices
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Order, Registration
from regsys.registration.services import Asked
from regsys.registration.states import RegistrationState as S
from regsys.reports.exports import AUDIENCES, make_csv
from regsys.reports.queries import Filter
from regsys.verify import Said, examine
from tests import cast
from tests.cast import a_person, fill_cart, list_people, make_cart, make_event
from tests.registration.guest import ABOUT, WHO, Guest
from tests.support.together import booking, raise_unexpected, together

SLEEP = "Where you sleep"
ROOMS = (
    OptionPlan(name="Single", choice=SLEEP, kind=OptionKind.ROOM, price=24000, size=1),
    OptionPlan(
        name="Shared", choice=SLEEP, kind=OptionKind.ROOM, price=12000, size=4, asks_wish=True
    ),
    OptionPlan(name="No room", choice=SLEEP, kind=OptionKind.ROOM, price=0),
    OptionPlan(name="Dinner", kind=OptionKind.MEAL, price=3200, size=2),
    OptionPlan(name="Parking", kind=OptionKind.OTHER, price=1000, per_order=True),
)


def make_house(now: datetime, plans: Any = ROOMS, **changes: Any) -> tuple[Event, dict[str, int]]:
    event = make_event(**changes)
    with transaction():
        set_options(event.id, plans, version=None, actor=SYSTEM, now=now)
    return event, {o.name: o.id for o in events.list_options([event.id])}


def cart_of(event: Event, count: int = 1, tag: str = "") -> Order:
    order = make_cart(event, quantities={"Standard": count})
    return fill_cart(order, [a_person(f"P{tag}x{i} Nutkin") for i in range(count)])


def choose(order: Order, now: datetime, *wanted: dict[int, str]) -> Asked | None:
    people = [r.id for r in list_people(order)]
    with transaction():
        return services.choose_options(
            order.id, dict(zip(people, wanted, strict=True)), actor=ANONYMOUS, now=now
        )


def lines(order: Order) -> list[tuple[str, str, int]]:
    return [(str(x.kind), x.reason, x.amount) for x in queries.list_lines(order.id)]


def taken(event: Event, now: datetime) -> dict[str, int]:
    options = events.list_options([event.id])
    counts = events.count_options(options, now=now)
    return {o.name: counts[o.id].held + counts[o.id].settled for o in options}


def test_what_is_chosen_is_priced_held_and_changed(db: Any, now: datetime) -> None:
    event, ids = make_house(now)
    order = cart_of(event, 2)
    single, shared, dinner = ids["Single"], ids["Shared"], ids["Dinner"]
    assert choose(order, now, {single: "", dinner: ""}, {shared: "Ada"}) is None
    assert lines(order)[2:] == [
        ("option", "Where you sleep: Single.", 24000),
        ("option", "Dinner.", 3200),
        ("option", "Where you sleep: Shared.", 12000),
    ]
    first, second = list_people(order)
    assert (first.price, first.room_part) == (99000 + 27200, 24000)
    assert (second.price, second.room_part) == (99000 + 12000, 12000)
    assert [c.wish for c in list_choices([second.id])[second.id]] == ["Ada"]
    assert taken(event, now) == {"Single": 1, "Shared": 1, "No room": 0, "Dinner": 1, "Parking": 0}
    # They swap rooms in one step: the single one never is anybody else's in between.
    assert choose(order, now, {shared: ""}, {single: ""}) is None
    assert [r.price for r in list_people(order)] == [99000 + 12000, 99000 + 24000]
    assert taken(event, now)["Dinner"] == 0


def test_prices_that_change_later_do_not_touch_what_was_chosen(db: Any, clock: Any) -> None:
    event, ids = make_house(clock.now)
    order = cart_of(event)
    choose(order, clock.now, {ids["Single"]: ""})
    with transaction():
        for option in db.session.query(Option).all():
            option.price += 5000
    choose(order, clock.now, {ids["Single"]: "", ids["Dinner"]: ""})
    assert [amount for kind, _why, amount in lines(order) if kind == "option"] == [24000, 8200]
    with transaction():
        services.place(order.id, now=clock.now)
    with transaction():
        facts = services.hold_for_checkout(order.id, now=clock.now)
    assert facts.amount == sum(amount for _name, amount in facts.lines) == 99000 + 32200


def test_rooms_come_free_with_the_place_and_come_back_with_late_money(db: Any, clock: Any) -> None:
    event, ids = make_house(clock.now)
    order = cart_of(event)
    choose(order, clock.now, {ids["Single"]: ""})
    with transaction():
        services.place(order.id, now=clock.now)
    clock.to(clock.now + timedelta(minutes=31))
    with transaction():
        services.expire_lapsed(order.id, now=clock.now)
    assert taken(event, clock.now)["Single"] == 0
    with transaction():
        ledger.record_payment(
            order.id, amount=123000, currency="USD", method=Method.CHEQUE, actor=SYSTEM,
            now=clock.now,
        )  # fmt: skip
        services.confirm_paid(order.id, actor=STRIPE, now=clock.now)
    assert taken(event, clock.now)["Single"] == 1
    assert queries.totals_of([order.id])[order.id] == 99000 + 24000
    db.session.rollback()
    said = [s.sentence for s in examine(now=clock.now) if isinstance(s, Said) and not s.fine]
    assert not [s for s in said if "Single" in s or "lines" in s], said


@pytest.mark.once
def test_everybody_chooses_one_of_a_choice(db: Any, now: datetime) -> None:
    event, ids = make_house(now)
    order = cart_of(event, 2)
    assert all(r.options_open for r in list_people(order))
    none = choose(order, now, {}, {ids["Single"]: "", ids["Shared"]: ""})
    assert none
    assert {r: {c: x.name for c, x in w.items()} for r, w in none.wrong.items()} == {
        r.id: {SLEEP: "ChooseOne"} for r in list_people(order)
    }
    with pytest.raises(Refused), transaction():
        services.place(order.id, now=now)
    # The car of the order is asked of its first person only; what is not offered is left aside.
    assert (
        choose(order, now, {ids["No room"]: ""}, {ids["No room"]: "", ids["Parking"]: ""}) is None
    )
    assert taken(event, now)["Parking"] == 0


@pytest.mark.once
def test_a_copy_of_an_event_has_the_options_and_nobody_in_them(db: Any, now: datetime) -> None:
    event, ids = make_house(now)
    choose(cart_of(event), now, {ids["Single"]: ""})
    day = (now + timedelta(days=300)).date()
    with transaction():
        new_id = copy_event(
            event.id, title="Again", first_day=day, with_leaders=False, actor=SYSTEM, now=now
        )
    options = events.list_options([new_id])
    counts = events.count_options(options, now=now)
    assert [(o.name, o.price, counts[o.id].size, counts[o.id].held) for o in options] == [
        (p.name, p.price, p.size, 0) for p in ROOMS
    ]


def test_the_last_room_goes_to_one_of_three(app: Flask, db: Any, now: datetime) -> None:
    event, ids = make_house(now)
    orders = [cart_of(event, 1, tag) for tag in "abc"]
    asked = [(o.id, {list_people(o)[0].id: {ids["Single"]: ""}}) for o in orders]
    db.session.remove()

    def take(order_id: int, wishes: Any) -> Asked | None:
        return booking(
            app,
            lambda: services.choose_options(order_id, wishes, actor=ANONYMOUS, now=now),
        )

    found = together([lambda o=o, w=w: take(o, w) for o, w in asked])
    raise_unexpected(found, Refused)
    assert found.count(None) == 1
    assert taken(event, now)["Single"] == 1


@pytest.mark.once
def test_rooms_on_the_way_to_a_place(client: FlaskClient, db: Any, now: datetime) -> None:
    event, ids = make_house(now)
    guest = Guest(client)
    page = guest.describe(guest.take(event))
    assert page.title == "What would you like with your place?"
    empty = guest.fill(page, {})
    assert empty.status == 409
    assert "Choose one." in empty.text
    other = cart_of(event, 1, "other")
    choose(other, now, {ids["Single"]: ""})
    room = next(n for n in (c.name for c in page.form("csrf_token", action="").controls)
                if n.startswith("option_"))  # fmt: skip
    wish = next(c.name for c in page.form(room, action="").controls if c.name.startswith("wish_"))
    typed = {room: str(ids["Single"]), wish: "Grace Secretwish"}
    late = guest.go(guest.send(page, typed, names=[room]))
    assert late.status == 409
    assert "is taken by now" in late.text
    assert "Grace Secretwish" in late.text
    page = guest.go(guest.send(late, {room: str(ids["Shared"])}, names=[room]))
    review = guest.fill(page, ABOUT)
    assert "Where you sleep: Shared." in review.text
    assert "Pay $1,110.00" in review.text
    cast.sign_in(client)
    query = select(Registration).where(Registration.email == WHO["email"])
    r = db.session.scalars(query).one()
    rows = "".join(make_csv(Filter([event.id]), AUDIENCES, str, bom=False)).splitlines()
    heads, mine = next(csv.reader(rows[:1])), next(csv.reader([x for x in rows if "lysander" in x]))
    shown = dict(zip(heads, mine, strict=True))
    assert [shown[k] for k in ("Single", "Shared", "Dinner", "Would share with")] == [
        "", "yes", "", "Grace Secretwish"
    ]  # fmt: skip
    sheet = guest.get(f"/organize/events/{event.id}/registrations/{r.id}")
    assert "Shared, would share with Grace Secretwish" in sheet.text


@pytest.mark.once
def test_organizers_say_what_can_be_chosen(client: FlaskClient, db: Any, now: datetime) -> None:
    event = make_event()
    cast.sign_in(client)
    guest = Guest(client)
    at = f"/organize/events/{event.id}/options"
    page = guest.get(at)
    bad = guest.send(page, {"rows-0-name": "Single", "rows-0-price": "a lot"}, names=["version"])
    assert bad.status == 422
    assert "Please write an amount" in bad.text
    good = {"rows-0-name": "Single", "rows-0-price": "240", "rows-0-size": "1"}
    guest.go(guest.send(page, good, names=["version"]))
    db.session.rollback()
    (option,) = events.list_options([event.id])
    assert (option.name, option.price, taken(event, now)) == ("Single", 24000, {"Single": 0})
    choose(cart_of(event), now, {option.id: ""})
    gone = guest.send(guest.get(at), {"rows-0-remove": "y"}, names=["version"])
    assert gone.status == 409
    assert "Somebody has taken" in gone.text


@pytest.mark.once
def test_a_trainee_says_where_and_an_organizer_accepts_it(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event = make_event(types={"Trainee": 66000})
    with transaction():
        db.session.get(TicketType, event.ticket_types[0].id).proof = Proof.TRAINEE
    guest = Guest(client)
    page = guest.describe(guest.take(event))
    assert page.title == "For the trainee’s price"
    empty = guest.fill(page, {})
    assert (empty.status, "this price is for people in training" in empty.text) == (409, True)
    name = next(c.name for c in page.form("csrf_token").controls if c.name.startswith("proof_"))
    review = guest.fill(guest.fill(page, {name: "Riverbend programme, Dr. Fenn"}), ABOUT)
    assert "Pay $660.00" in review.text
    db.session.rollback()
    r = db.session.scalars(select(Registration)).one()
    assert r.proof == {
        "kind": "trainee",
        "said": "Riverbend programme, Dr. Fenn",
        "on": "2026-11-24",
    }
    cast.sign_in(client)
    at = f"/organize/events/{event.id}/registrations/{r.id}"
    sheet = guest.get(at)
    assert "to be looked at" in sheet.text
    assert "no word about training here" in guest.get(f"{at}/proof/refuse").text
    with transaction():
        services.place(r.order_id, now=now)
    refusal = guest.get(f"{at}/proof/refuse")
    assert guest.send(refusal, {"reason": " "}, action="").status == 422
    assert "not accepted by Registrar" not in guest.get(at).text
    assert "nobody has looked at it" in guest.get("/organize").text
    refused = guest.go(guest.send(refusal, {"reason": "A letter is missing."}, action=""))
    assert "not accepted by Registrar" in refused.text
    assert "A letter is missing." in refused.text
    assert guest.send(refusal, {"reason": "Again."}, action="").status == 409
    assert "nobody has looked at it" not in guest.get("/organize").text
    kind = select(Message).where(Message.kind == "proof_refused")
    assert "A letter is missing." in db.session.scalars(kind).one().text
    seen = guest.go(guest.send(sheet, names=["csrf_token"], action="/proof"))
    assert "accepted by Registrar" in seen.text
    assert "Accept the trainee" not in seen.text


def added(event: Event, who: str, now: datetime) -> Registration:
    """Give somebody a place by hand, with nothing to pay."""
    with transaction():
        return services.add_by_hand(
            event.id, a_person(who), ticket_type_id=event.ticket_types[0].id, to_pay=False,
            reason="teaches", actor=SYSTEM, now=now,
        )  # fmt: skip


@pytest.mark.once
def test_who_was_added_by_hand_chooses_on_their_own_page(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event, ids = make_house(now)
    r, late = added(event, "Ada Nutkin", now), added(event, "Bo Nutkin", now)
    assert (r.state, r.options_open) == (S.CONFIRMED, True)
    letter = db.session.scalars(select(Message).order_by(Message.id)).first()
    assert "something to choose with your place" in " ".join(letter.text.split())
    guest = Guest(client)
    page = guest.get(f"/r/{r.token}")
    assert f"/r/{r.token}/options" in page.text
    page, slow = guest.get(f"/r/{r.token}/options"), guest.get(f"/r/{late.token}/options")
    assert "paid by Tue 8 Dec 2026" in page.text.replace("\u00a0", " ")
    room = f"option_{r.id}_{ids['Single']}"
    dinner = f"option_{r.id}_{ids['Dinner']}"
    empty = guest.send(page, {}, names=[room])
    assert (empty.status, "Choose one." in empty.text) == (409, True)
    order = guest.go(guest.send(page, {room: str(ids["Single"]), dinner: "y"}, names=[room]))
    assert "Pay $272.00" in order.text
    assert "Where you sleep: Single." in order.text
    db.session.rollback()
    db.session.refresh(r)
    assert (r.price, r.room_part, r.options_open) == (27200, 24000, False)
    assert (r.state, r.rest_at) == (S.CONFIRMED, datetime(2026, 12, 9, 8, tzinfo=UTC))
    assert taken(event, now)["Single"] == 1
    theirs = f"option_{late.id}_{ids['Single']}"
    gone = guest.send(slow, {theirs: str(ids["Single"])}, names=[theirs])
    assert (gone.status, "Taken already: Single" in gone.text) == (409, True)
    free = guest.go(guest.send(gone, {theirs: str(ids["No room"])}, names=[theirs]))
    assert free.path == f"/r/{late.token}", "nothing to pay, so back to their page"
    again = guest.send(page, {room: str(ids["Shared"])}, names=[room])
    assert (again.status, again.headers["Location"]) == (303, f"/r/{r.token}"), "they choose once"
    cast.sign_in(client)
    sheet = guest.get(f"/organize/events/{event.id}/registrations/{r.id}")
    assert "Single; Dinner" in sheet.text
    assert [s.sentence for s in examine(now=now) if isinstance(s, Said) and not s.fine] == []


@pytest.mark.once
def test_who_was_offered_a_place_chooses_and_uses_a_code(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event, ids = make_house(now)
    with transaction():
        plan = Plan(code="SPRING", percent=2000, event_ids=[event.id])
        make_code(plan, scope=None, actor=SYSTEM, now=now)
        order = services.offer_place(
            event.id,
            event.ticket_types[0].id,
            a_person("Offered Nutkin"),
            until=now + timedelta(days=2),
            source=OrderSource.APPLICATION,
            reason="",
            actor=SYSTEM,
            now=now,
        ).order
        token = order.token
    guest = Guest(client)
    page = guest.get(f"/o/{token}")
    assert "Choose what comes with the place" in page.text
    form = guest.get(f"/o/{token}/options")
    room = next(c.name for c in form.form("csrf_token").controls if c.name.startswith("option_"))
    page = guest.go(guest.send(form, {room: str(ids["Shared"])}, names=[room]))
    assert "Pay $1,110.00" in page.text
    page = guest.go(guest.send(page, {"code": "spring"}, names=["code"], action="/code"))
    assert "Pay $912.00" in page.text
    page = guest.go(guest.send(page, names=["csrf_token"], action="/code/drop"))
    assert "Pay $1,110.00" in page.text
    db.session.rollback()
    with transaction():
        facts = services.hold_for_checkout(token, now=now)
    assert (facts.amount, sum(n for _name, n in facts.lines)) == (111000, 111000)
    with transaction():
        r = services.add_by_hand(
            event.id, a_person("Rung Nutkin"), ticket_type_id=event.ticket_types[0].id, to_pay=True,
            reason="rang", actor=SYSTEM, now=now,
        )  # fmt: skip
        by_hand = r.order.token
    assert "what comes with the place" in guest.get(f"/o/{by_hand}").text
    form = guest.get(f"/o/{by_hand}/options")
    room = next(c.name for c in form.form("csrf_token").controls if c.name.startswith("option_"))
    page = guest.go(guest.send(form, {room: str(ids["Shared"])}, names=[room]))
    assert "Pay $1,110.00" in page.text
    # While somebody pays, nothing about the price changes.
    assert "I have a code" not in guest.get(f"/o/{token}").text
    assert guest.get(f"/o/{token}/options").status == 303
