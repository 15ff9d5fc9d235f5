"""Holding places: the price of the moment, the difference only, once longer, and again after a lapse."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from regsys.audit.models import AuditEntry
from regsys.capacity.models import Claim
from regsys.events.kinds import Enrollment, Rate
from regsys.events.models import Event
from regsys.events.queries import places_of
from regsys.events.states import EventState
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.questions.queries import list_answers
from regsys.registration import queries, services
from regsys.registration.models import Order, OrderLine, Registration
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.cast import list_people, make_cart, make_event

EARLY = {"Standard": (92000, 99000), "Trainee": (66000, 71000)}


def prices(order: Order) -> list[tuple[str, int]]:
    return [(r.rate, r.price) for r in list_people(order)]


def reasons(order: Order) -> list[str]:
    return [line.reason for line in queries.list_lines(order.id)]


def left(event: Event, now: datetime) -> int | None:
    return places_of([event.id], now=now)[event.id].left


def claims(db: Any) -> int:
    query = select(func.count()).select_from(Claim).where(Claim.released_at.is_(None))
    return int(db.session.scalar(query))


def refused(call: Any) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.refusal.name


# ---- prices


def test_the_first_n_pay_the_early_price_and_the_next_the_regular_one(
    db: Any, now: datetime
) -> None:
    event = make_event(types=EARLY, early_places=3)
    first = make_cart(event, quantities={"Standard": 2})
    second = make_cart(event, quantities={"Standard": 1, "Trainee": 1})
    assert prices(first) == [(Rate.EARLY, 92000), (Rate.EARLY, 92000)]
    assert prices(second) == [(Rate.EARLY, 92000), (Rate.REGULAR, 71000)]
    assert reasons(second) == ["Early price: one of the first 3 places.", "Regular price."]
    assert queries.totals_of([first.id, second.id]) == {first.id: 184000, second.id: 163000}


def test_the_price_stays_when_early_places_come_free_again(db: Any, now: datetime) -> None:
    event = make_event(types=EARLY, early_places=1)
    first, second = make_cart(event), make_cart(event)
    with transaction():
        services.remove_from_cart(first.id, list_people(first)[0].id, now=now)
    assert prices(second) == [(Rate.REGULAR, 99000)]
    assert prices(make_cart(event)) == [(Rate.EARLY, 92000)]


def test_early_until_a_date(db: Any, clock: Any) -> None:
    until = clock.now + timedelta(days=1)
    event = make_event(types=EARLY, early_until=until)
    order = make_cart(event)
    assert prices(order) == [(Rate.EARLY, 92000)]
    assert "for places taken until Wed" in reasons(order)[0].replace("\u00a0", " ")
    clock.to(until)
    assert prices(make_cart(event)) == [(Rate.REGULAR, 99000)]


def test_both_limits_must_hold(db: Any, clock: Any) -> None:
    event = make_event(types=EARLY, early_places=9, early_until=clock.now + timedelta(days=1))
    assert prices(make_cart(event)) == [(Rate.EARLY, 92000)]
    clock.move(days=1)
    assert prices(make_cart(event)) == [(Rate.REGULAR, 99000)]


def test_a_free_type_says_so(db: Any, now: datetime) -> None:
    order = make_cart(make_event(types={"Free": 0}))
    assert (prices(order), reasons(order)) == ([(Rate.REGULAR, 0)], ["Nothing to pay."])


# ---- full


def test_what_is_held_is_gone_for_others_and_refusals_change_nothing(
    db: Any, now: datetime
) -> None:
    event = make_event(places=3)
    make_cart(event, quantities={"Standard": 2})
    assert refused(lambda: make_cart(event, quantities={"Standard": 2})) == "TooFewPlaces"
    make_cart(event)
    assert refused(lambda: make_cart(event)) == "Full"
    assert db.session.scalar(select(func.count()).select_from(Order)) == 2
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 3
    assert left(event, now) == 0


def test_a_type_may_run_out_before_the_event(db: Any, now: datetime) -> None:
    event = make_event(types={"Standard": 1000, "Single room": 2000}, own_places={"Single room": 1})
    make_cart(event, quantities={"Single room": 1})
    assert refused(lambda: make_cart(event, quantities={"Single room": 1})) == "Full"
    assert len(list_people(make_cart(event, quantities={"Standard": 5}))) == 5


def test_a_type_without_pools_of_its_own_still_draws_on_the_total(db: Any, now: datetime) -> None:
    event = make_event(places=1)
    with transaction():
        db.session.execute(cast.ticket_type_pool.delete())
    make_cart(event)
    assert refused(lambda: make_cart(event)) == "Full"


def test_a_lapsed_hold_is_free_for_the_next_without_any_sweep(db: Any, clock: Any) -> None:
    event = make_event(places=1)
    make_cart(event)
    clock.move(minutes=29, seconds=59)
    assert refused(lambda: make_cart(event)) == "Full"
    clock.move(seconds=1)
    assert len(list_people(make_cart(event))) == 1


# ---- refusals


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"state": EventState.CANCELLED}, "EventCancelled"),
        ({"state": EventState.CLOSED}, "EventClosed"),
        ({"enrollment": Enrollment.EXTERNAL}, "RegistersElsewhere"),
        ({"enrollment": Enrollment.CONTACT_LEADER}, "AsksTheLeader"),
        ({"enrollment": Enrollment.APPLICATION}, "ByApplication"),
        ({"opens_at": datetime.fromisoformat("2026-11-25T00:00+00:00")}, "NotOpenYet"),
        ({"closes_at": datetime.fromisoformat("2026-11-24T17:00+00:00")}, "RegistrationClosed"),
    ],
)
def test_nothing_is_held_where_nothing_is_on_sale(
    db: Any, now: datetime, changes: dict[str, Any], name: str
) -> None:
    event = make_event(**changes)
    assert refused(lambda: make_cart(event)) == name
    assert claims(db) == 0


def test_one_cart_has_one_currency(db: Any, now: datetime) -> None:
    cart = make_cart(make_event())
    euros = make_event(currency="EUR")
    assert refused(lambda: make_cart(euros, cart=cart)) == "OtherCurrency"
    assert len(list_people(cart)) == 1


def test_a_cart_has_bounds(db: Any, now: datetime) -> None:
    event, other = make_event(), make_event()
    assert refused(lambda: make_cart(event, quantities={"Standard": 0})) == "NothingChosen"
    assert refused(lambda: make_cart(event, quantities={"Standard": 11})) == "TooManyPlaces"
    cart = make_cart(event, quantities={"Standard": 6})
    assert (
        refused(lambda: make_cart(other, quantities={"Standard": 5}, cart=cart)) == "TooManyPlaces"
    )


@pytest.mark.parametrize("wanted", [{4711: 1}, {1: -1}, {1: 2, 4711: 1}])
def test_foreign_types_and_negative_numbers_are_not_there(
    db: Any, now: datetime, wanted: dict[int, int]
) -> None:
    event = make_event()
    wanted = {event.ticket_types[0].id if t == 1 else t: n for t, n in wanted.items()}
    with pytest.raises((NotFound, Refused)), transaction():
        services.put_in_cart(event.id, wanted, cart_id=None, minutes=30, now=now)
    assert claims(db) == 0


def test_a_type_of_another_event_or_off_sale_cannot_be_taken(db: Any, now: datetime) -> None:
    event, other = make_event(types={"A": 1000, "B": 2000}), make_event()
    foreign = {other.ticket_types[0].id: 1}
    with pytest.raises(NotFound), transaction():
        services.put_in_cart(event.id, foreign, cart_id=None, minutes=30, now=now)
    with transaction():
        db.session.get(Event, event.id).ticket_types[1].on_sale = False
    with pytest.raises(NotFound):
        make_cart(event, quantities={"B": 1})


# ---- the same cart again


def test_only_the_difference_is_claimed(db: Any, now: datetime) -> None:
    event = make_event(places=3, types=EARLY, early_places=3)
    cart = make_cart(event, quantities={"Standard": 2})
    before = [r.id for r in list_people(cart)]
    again = make_cart(event, quantities={"Standard": 3}, cart=cart)
    assert again.id == cart.id
    assert [r.id for r in list_people(cart)][:2] == before
    assert [r.code for r in list_people(cart)] == [f"{cart.code}-{n}" for n in (1, 2, 3)]
    assert left(event, now) == 0
    make_cart(event, quantities={"Standard": 1}, cart=cart)
    live = [r for r in list_people(cart) if r.state is S.DRAFT]
    assert [r.id for r in live] == before[:1]
    assert left(event, now) == 2
    assert queries.totals_of([cart.id])[cart.id] == 92000


def test_a_refused_change_leaves_the_cart_as_it_was(db: Any, now: datetime) -> None:
    event = make_event(places=4, types={"A": 1000, "B": 2000})
    cart = make_cart(event, quantities={"A": 2})
    make_cart(event, quantities={"A": 2})
    assert refused(lambda: make_cart(event, quantities={"A": 0, "B": 3}, cart=cart)) in (
        "Full",
        "TooFewPlaces",
    )
    assert [r.state for r in list_people(cart)] == [S.DRAFT, S.DRAFT]


def test_what_is_given_back_may_be_taken_at_once_as_another_type(db: Any, now: datetime) -> None:
    event = make_event(places=1, types={"A": 1000, "B": 2000})
    cart = make_cart(event, quantities={"A": 1})
    make_cart(event, quantities={"A": 0, "B": 1}, cart=cart)
    assert [(r.state, r.price) for r in list_people(cart)] == [(S.CANCELLED, 1000), (S.DRAFT, 2000)]


def test_several_events_share_one_hold(db: Any, clock: Any) -> None:
    first, second = make_event(), make_event()
    cart = make_cart(first)
    ends = queries.get_held(cart.id, now=clock.now).ends_at
    clock.move(minutes=10)
    make_cart(second, cart=cart)
    held = queries.get_held(cart.id, now=clock.now)
    assert set(held.ends.values()) == {ends}
    assert [r.event_id for r in held.people] == [first.id, second.id]


def test_a_placed_order_is_no_cart_any_more(db: Any, now: datetime) -> None:
    event = make_event()
    placed = cast.make_order(event)
    cart = make_cart(event, cart=placed)
    assert cart.id != placed.id
    assert cart.email == ""


# ---- longer, once


def test_a_hold_is_made_longer_once(db: Any, clock: Any) -> None:
    cart = make_cart(make_event())
    clock.move(minutes=29)
    with transaction():
        until = services.extend_hold(cart.id, now=clock.now)
    assert until == clock.now + timedelta(minutes=16)
    assert queries.get_held(cart.id, now=clock.now).ends_at == until

    def again() -> None:
        with transaction():
            services.extend_hold(cart.id, now=clock.now)

    assert refused(again) == "ExtendedAlready"
    clock.to(until)
    assert refused(again) == "HoldExpired"


# ---- after a lapse


def test_places_are_taken_again_with_people_and_answers(db: Any, clock: Any) -> None:
    event = make_event(types=EARLY, early_places=2)
    cast.make_question(event, "allergy", sensitive=True)
    old = cast.fill_cart(make_cart(event, quantities={"Standard": 2}))
    cast.make_answers(list_people(old)[0], allergy="walnuts")
    clock.move(minutes=31)
    make_cart(event)  # somebody else takes one of the early places
    with transaction():
        new = services.take_again(old.id, minutes=30, now=clock.now)
    assert [r.state for r in list_people(old)] == [S.EXPIRED, S.EXPIRED]
    fresh = list_people(new)
    assert [(r.name, r.email, r.is_payer) for r in fresh] == [
        ("Lysander Saltmarsh", "lysander.saltmarsh@example.org", True),
        ("Guest2 Nutkin", "guest2.nutkin@example.org", False),
    ]
    assert (new.email, fresh[0].credentials) == ("lysander.saltmarsh@example.org", "MD")
    assert {k: a.stored for k, a in list_answers([fresh[0].id])[fresh[0].id].items()} == {
        "allergy": "walnuts"
    }
    assert [r.rate for r in fresh] == [Rate.EARLY, Rate.REGULAR]
    assert queries.get_held(new.id, now=clock.now).next_step[0] == "review"


def test_places_are_not_taken_again_where_they_are_gone(db: Any, clock: Any) -> None:
    event = make_event(places=2)
    old = cast.fill_cart(make_cart(event, quantities={"Standard": 2}))
    clock.move(minutes=31)
    make_cart(event)

    def again() -> None:
        with transaction():
            services.take_again(old.id, minutes=30, now=clock.now)

    assert refused(again) == "TooFewPlaces"
    assert [(r.state, r.first_name) for r in list_people(old)] == [
        (S.DRAFT, "Lysander"),
        (S.DRAFT, "Guest2"),
    ]


def test_a_second_click_takes_nothing_twice(db: Any, clock: Any) -> None:
    old = cast.fill_cart(make_cart(make_event(), quantities={"Standard": 2}))
    clock.move(minutes=31)

    def again() -> None:
        with transaction():
            services.take_again(old.id, minutes=30, now=clock.now)

    again()
    assert refused(again) == "TakenAgain"
    assert claims(db) == 2


def test_a_cart_that_still_holds_is_not_taken_again(db: Any, now: datetime) -> None:
    cart = make_cart(make_event())

    def again() -> None:
        with transaction():
            services.take_again(cart.id, minutes=30, now=now)

    assert refused(again) == "PlacedAlready"


def test_choosing_again_after_a_lapse_remembers_who_was_there(db: Any, clock: Any) -> None:
    event = make_event(types={"A": 1000, "B": 2000})
    old = cast.fill_cart(make_cart(event, quantities={"A": 2}))
    clock.move(minutes=31)
    new = make_cart(event, quantities={"B": 1}, cart=old)
    assert new.id != old.id
    assert [(r.first_name, r.price) for r in list_people(new)] == [("Lysander", 2000)]
    assert new.last_name == "Saltmarsh"


def test_somebody_who_is_registered_elsewhere_meanwhile_is_not_remembered(
    db: Any, clock: Any
) -> None:
    event = make_event(types={"Standard": 0})
    old = cast.fill_cart(
        make_cart(event, quantities={"Standard": 2}), [cast.a_person("A B"), cast.a_person("C D")]
    )
    clock.move(minutes=31)
    cast.make_confirmed(event, [cast.a_person("A B")])
    with transaction():
        new = services.take_again(old.id, minutes=30, now=clock.now)
    assert sorted(r.email for r in list_people(new)) == ["", "c.d@example.org"]


# ---- traces


def test_holding_places_is_written_down_once(db: Any, now: datetime) -> None:
    cart = make_cart(make_event(), quantities={"Standard": 3})
    (entry,) = db.session.scalars(select(AuditEntry))
    assert (entry.action, entry.subject_id, entry.after["places"]) == (
        "order.places_held",
        cart.id,
        3,
    )


def test_a_place_that_is_given_back_leaves_no_line(db: Any, now: datetime) -> None:
    cart = make_cart(make_event(), quantities={"Standard": 2})
    first, second = list_people(cart)
    for _twice in range(2):
        with transaction():
            services.remove_from_cart(cart.id, first.id, now=now)
    assert [line.registration_id for line in db.session.scalars(select(OrderLine))] == [second.id]
    assert [r.state for r in list_people(cart)] == [S.CANCELLED, S.DRAFT]
    assert claims(db) == 1
