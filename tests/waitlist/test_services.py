"""The verbs of the waiting list, on a real database."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from regsys.applications.rules import Decision
from regsys.audit.models import AuditEntry
from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.capacity.queries import find_pool
from regsys.events import queries as events
from regsys.events import services as event_services
from regsys.events.kinds import EventKind
from regsys.events.states import EventState
from regsys.kernel import clock as kernel_clock
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.kernel.errors import IllegalMove, Refused
from regsys.ledger.models import Payment
from regsys.outbox.models import Message
from regsys.registration import jobs as registration_jobs
from regsys.registration import services as registration
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState
from regsys.waitlist import queries, rules, services
from regsys.waitlist.models import Entry
from tests import cast
from tests.applications import desk
from tests.support.failing import as_in_life
from tests.waitlist import line
from tests.waitlist.line import ORGANIZER, full_event, states, sweep, wait


def _now() -> datetime:
    return kernel_clock.now()


def test_a_place_that_comes_free_goes_to_the_first_in_line(db: Any, now: datetime) -> None:
    event, (first, _second) = full_event()
    ada, ben = wait(event, "Ada Reed"), wait(event, "Ben Reed")
    sweep()
    assert states(event) == [("Ada", "waiting"), ("Ben", "waiting")]
    line.cancel(first)
    sweep()
    sweep()
    assert states(event) == [("Ada", "offered"), ("Ben", "waiting")]
    assert line.letters() == [("joined", "Ada"), ("joined", "Ben"), ("offer", "Ada")]
    offer = line.open_offer(ada)
    assert offer.until == now + timedelta(hours=72)
    order = line.accept(ada)
    assert line.accept(ada).id == order.id
    assert line.finish(order).state is RegistrationState.CONFIRMED
    assert states(event) == [("Ada", "taken"), ("Ben", "waiting")]
    assert db.session.scalars(select(Payment)).all() == []
    assert events.places_of([event.id], now=now)[event.id].taken == 2
    assert queries.find_live(event.id, ben.email_key) is not None


def test_the_public_comes_behind_those_who_wait(db: Any, now: datetime) -> None:
    event, (first, _second) = full_event()
    wait(event, "Ada Reed")
    line.cancel(first)
    places = events.places_of([event.id], now=now)[event.id]
    assert (places.left, places.held) == (0, 1)
    with pytest.raises(Refused) as e:
        cast.make_cart(event)
    assert e.value.refusal.name == "Full"
    sweep()
    with pytest.raises(Refused):
        cast.make_cart(event)
    with transaction():
        event_services.set_places(
            event.id, _plan(event, total=3), version=None, actor=ORGANIZER, now=now
        )
    assert events.places_of([event.id], now=now)[event.id].left == 1
    cast.make_cart(event)


def _plan(event: Any, total: int) -> Any:
    types = [
        event_services.TypePlan(id=t.id, name=t.name, regular=t.prices[0].amount)
        for t in events.get_event(event.id).ticket_types
    ]
    return event_services.PlacesPlan(currency="USD", total=total, types=types)


def test_more_places_are_offered_at_the_next_sweep(db: Any, now: datetime) -> None:
    event, _people = full_event()
    for name in ("Ada", "Ben", "Cleo"):
        wait(event, f"{name} Reed")
    with transaction():
        event_services.set_places(
            event.id, _plan(event, total=4), version=None, actor=ORGANIZER, now=now
        )
    sweep()
    assert states(event) == [("Ada", "offered"), ("Ben", "offered"), ("Cleo", "waiting")]


def test_what_nobody_answers_goes_to_the_next(db: Any, clock: Any) -> None:
    event, (first, _second) = full_event()
    ada, _ben = wait(event, "Ada Reed"), wait(event, "Ben Reed")
    line.cancel(first)
    sweep()
    clock.move(hours=72)
    with pytest.raises(Refused) as e:
        line.accept(ada)
    assert e.value.refusal is rules.OFFER_OVER
    sweep()
    assert states(event) == [("Ada", "lapsed"), ("Ben", "offered")]
    assert line.letters()[2:] == [("offer", "Ada"), ("lapsed", "Ada"), ("offer", "Ben")]
    with pytest.raises(Refused):
        line.accept(ada)
    wait(event, "Ada Reed")
    assert states(event)[2] == ("Ada", "waiting")


def test_a_no_frees_the_place_at_once(db: Any, now: datetime) -> None:
    event, (first, _second) = full_event()
    ada, _ben = wait(event, "Ada Reed"), wait(event, "Ben Reed")
    line.cancel(first)
    sweep()
    line.decline(ada)
    line.decline(ada)
    with pytest.raises(Refused):
        cast.make_cart(event)
    sweep()
    assert states(event) == [("Ada", "left"), ("Ben", "offered")]
    with pytest.raises(Refused) as e:
        line.accept(ada)
    assert e.value.refusal is rules.OFFER_ANSWERED


def test_an_accepted_place_that_is_not_finished_goes_to_the_next(db: Any, clock: Any) -> None:
    event, (first, _second) = full_event()
    ada, _ben = wait(event, "Ada Reed"), wait(event, "Ben Reed")
    line.cancel(first)
    sweep()
    line.accept(ada)
    clock.move(hours=73)
    registration_jobs.sweep({})
    sweep()
    sweep()
    assert states(event) == [("Ada", "taken"), ("Ben", "offered")]
    assert line.letters()[3:] == [("over", "Ada"), ("offer", "Ben")]


def test_a_party_is_asked_when_all_of_it_fits(db: Any, now: datetime) -> None:
    event, people = full_event(3)
    pair, _ben = wait(event, "Ada Reed", size=2), wait(event, "Ben Reed")
    line.cancel(people[0])
    sweep()
    assert states(event) == [("Ada", "waiting"), ("Ben", "offered")]
    line.cancel(people[1])
    line.cancel(people[2])
    sweep()
    assert states(event)[0] == ("Ada", "offered")
    order = line.accept(pair)
    line.finish(order)
    assert [r.state for r in cast.list_people(order)] == [RegistrationState.CONFIRMED] * 2


def test_any_of_these_types_takes_the_first_with_places(db: Any, now: datetime) -> None:
    types = {"Commuter": 0, "Single room": 0, "Shared room": 0}
    own = {"Commuter": 1, "Single room": 1, "Shared room": 1}
    event = cast.make_event(places=9, types=types, own_places=own)
    for name in types:
        seated = [cast.a_person(f"{name.split()[0]} Nutkin")]
        cast.make_confirmed(event, seated, quantities={name: 1})
    only = wait(event, "Ada Reed", types=["Single room"])
    any_ = wait(event, "Ben Reed", types=["Single room", "Shared room"])
    shared = next(r for r in _all(event) if r.ticket_type.name == "Shared room")
    line.cancel(shared)
    sweep()
    assert states(event) == [("Ada", "waiting"), ("Ben", "offered")]
    assert line.open_offer(any_).ticket_type.name == "Shared room"
    assert only.types[0].name == "Single room"


def _all(event: Any) -> list[Any]:
    query = select(Registration).where(Registration.event_id == event.id)
    return list(product_db.session.scalars(query))


def test_joining_says_nothing_about_who_is_here(db: Any, now: datetime) -> None:
    event, (first, _second) = full_event()
    wait(event, "Ada Reed")
    types = [t.id for t in event.ticket_types]
    for person in (cast.a_person("Ada Reed"), cast.a_person("X Y", first.email.upper())):
        with transaction():
            wish = services.Wish(person, "Nurse", types)
            assert services.join(event.id, wish, now=now) is rules.ON_LIST_BY_NOW
    assert [name for name, _state in states(event)] == ["Ada"]
    assert line.letters() == [("joined", "Ada"), ("joined", "Ada")]
    kinds = db.session.scalars(select(Message.kind).where(Message.kind == "existing_link")).all()
    assert kinds == ["existing_link"]


def test_nobody_waits_where_places_are_free(db: Any, now: datetime) -> None:
    event = cast.make_event(places=2)
    with pytest.raises(Refused) as e:
        wait(event, "Ada Reed")
    assert e.value.refusal is rules.PLACES_FREE


def test_the_organizer_arranges_the_line(db: Any, now: datetime) -> None:
    event, (first, second) = full_event()
    entries = {n: wait(event, f"{n} Reed") for n in ("Ada", "Ben", "Cleo", "Dora")}
    about: dict[str, Any] = {"event_id": event.id, "actor": ORGANIZER, "now": now}
    with transaction():
        services.move_entry(entries["Cleo"].id, 1, **about)
    assert [n for n, _s in states(event)] == ["Cleo", "Ada", "Ben", "Dora"]
    with transaction():
        services.skip(entries["Cleo"].id, "works with somebody who is in", **about)
    line.cancel(first)
    sweep()
    assert states(event) == [
        ("Cleo", "waiting"), ("Ada", "offered"), ("Ben", "waiting"), ("Dora", "waiting"),
    ]  # fmt: skip
    turn = queries.turns_of(events.get_event(event.id), now=now)[entries["Cleo"].id]
    assert turn.why_not
    assert (turn.why_not.name, turn.why_not.facts) == (
        "Skipped", {"note": "works with somebody who is in"},
    )  # fmt: skip
    with transaction():
        services.remove(entries["Ada"].id, "asked us to", **about)
        services.stop_skipping(entries["Cleo"].id, **about)
    line.cancel(second)
    with transaction():
        services.offer_by_hand(entries["Dora"].id, **about)
    sweep()
    assert states(event) == [
        ("Cleo", "offered"), ("Ada", "left"), ("Ben", "waiting"), ("Dora", "offered"),
    ]  # fmt: skip
    with pytest.raises(Refused) as e, transaction():
        services.offer_by_hand(entries["Ben"].id, **about)
    assert e.value.refusal.name == "Full"
    with pytest.raises(IllegalMove), transaction():
        services.skip(entries["Dora"].id, "too late", **about)
    noted = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "waitlist.skipped"))
    assert "works with" not in json.dumps([[e.before, e.after, e.reason] for e in noted])


def test_a_lapsed_offer_can_be_made_again_by_hand(db: Any, clock: Any) -> None:
    event, (first, _second) = full_event()
    ada = wait(event, "Ada Reed")
    line.cancel(first)
    sweep()
    clock.move(hours=73)
    sweep()
    about = {"event_id": event.id, "actor": ORGANIZER, "now": _now()}
    for verb, what in ((services.move_entry, 1), (services.skip, "by a stale page")):
        with pytest.raises(IllegalMove), transaction():
            verb(ada.id, what, **about)
    with transaction():
        services.offer_by_hand(ada.id, event_id=event.id, actor=ORGANIZER, now=_now())
    assert states(event) == [("Ada", "offered")]
    assert line.finish(line.accept(ada)).state is RegistrationState.CONFIRMED


def test_a_running_group_is_not_refilled(db: Any, clock: Any) -> None:
    event, (first, _second) = full_event(kind=EventKind.OPEN_ENROLLMENT_GROUP)
    ada = wait(event, "Ada Reed")
    clock.to(event.starts_at + timedelta(days=1))
    line.cancel(first)
    sweep()
    assert states(event) == [("Ada", "waiting")]
    turn = queries.turns_of(events.get_event(event.id), now=clock.now)[ada.id]
    assert turn.why_not and turn.why_not.name == "GroupRuns"  # noqa: PT018
    clock.to(event.ends_at + timedelta(hours=1))
    sweep()
    assert states(event) == [("Ada", "left")]


@pytest.mark.once
def test_an_offer_in_a_running_group_says_what_is_left_to_pay(db: Any, clock: Any) -> None:
    first = _now() + timedelta(days=2)
    meetings = [(first + timedelta(weeks=n), first + timedelta(weeks=n, hours=2)) for n in range(8)]
    event, _people = full_event(
        kind=EventKind.OPEN_ENROLLMENT_GROUP, types={"Standard": 32000}, join_meetings=3, pro_rata=True,
        starts_at=first, ends_at=meetings[-1][1], sessions=meetings,
    )  # fmt: skip
    ada = wait(event, "Ada Reed")
    clock.to(first + timedelta(weeks=2, hours=1))  # the third meeting goes on: five are left
    with transaction():
        pool = find_pool(event.id, PoolKind.TOTAL)
        capacity.resize_pool(pool.id, 3, now=_now())
    sweep()
    assert states(event) == [("Ada", "offered")]
    letter = select(Message.text).where(Message.kind == "waitlist_offer")
    assert "$200.00" in db.session.scalars(letter).one()
    (r,) = line.accept(ada).registrations
    assert r.price == 20000


@pytest.mark.once
def test_who_cannot_come_onto_a_list_is_left_alone(db: Any, clock: Any) -> None:
    calls = [desk.make_call(waitlist=listed) for listed in (True, False)]
    asked = [desk.apply(call, "Ada Reed") for call in calls]
    for a in asked:
        desk.decide(a.event, a, how=Decision.WAIT)
    assert queries.list_to_enlist(now=_now()) == [asked[0].id]
    clock.to(calls[0].starts_at)
    assert queries.list_to_enlist(now=_now()) == []


@pytest.mark.once
def test_one_that_cannot_be_written_to_keeps_no_other_from_its_turn(db: Any, clock: Any) -> None:
    event, people = full_event()
    ada = wait(event, "Ada Reed")
    wait(event, "Ben Reed")
    for r in people:
        line.cancel(r)
    sweep()
    with transaction():
        product_db.session.get(Entry, ada.id).time_zone = "No/Where"
    clock.move(hours=73)
    with as_in_life():
        sweep()
    assert states(event) == [("Ada", "offered"), ("Ben", "lapsed")]


def test_everybody_hears_that_the_event_is_called_off(db: Any, now: datetime) -> None:
    event, (first, _second) = full_event()
    wait(event, "Ada Reed")
    wait(event, "Ben Reed")
    line.cancel(first)
    sweep()
    with transaction():
        event_services.call_off_with_people(event.id, reason="flood", actor=ORGANIZER, now=now)
    sweep()
    assert states(event) == [("Ada", "left"), ("Ben", "left")]
    assert line.letters()[3:] == [("over", "Ada"), ("over", "Ben")]
    live = text("SELECT count(*) FROM claim WHERE released_at IS NULL AND registration_id IS NULL")
    assert db.session.scalar(live) == 0


def test_at_night_the_place_waits_for_them(db: Any, clock: Any) -> None:
    event, (first, _second) = full_event()
    wait(event, "Ada Reed", time_zone="Asia/Tokyo")  # 2 AM there
    line.cancel(first)
    sweep()
    assert states(event) == [("Ada", "waiting")]
    with pytest.raises(Refused):
        cast.make_cart(event)
    clock.move(hours=6)
    sweep()
    assert states(event) == [("Ada", "offered")]


def test_whoever_has_a_place_by_now_is_off_the_list(db: Any, now: datetime) -> None:
    event, (first, _second) = full_event()
    wait(event, "Ada Reed")
    wait(event, "Ben Reed")
    line.cancel(first)
    with transaction():
        registration.add_by_hand(
            event.id,
            cast.a_person("Ada Reed"),
            ticket_type_id=event.ticket_types[0].id,
            to_pay=False,
            reason="she helps",
            actor=ORGANIZER,
            now=now,
        )
    sweep()
    assert states(event) == [("Ada", "left"), ("Ben", "waiting")]


def test_offers_follow_the_published_rule_as_the_audit_tells(db: Any, clock: Any) -> None:
    event, people = full_event(8)
    with transaction():
        plan = event_services.WaitingPlan(True, 72, 1, 1)
        event_services.set_waiting(event.id, plan, actor=ORGANIZER, now=clock.now)
    professions = {
        "Ada": "Nurse", "Ben": "Family physician", "Cleo": "Psychologist", "Dora": "Nurse",
        "Egon": "Social worker",
    }  # fmt: skip
    for name, profession in professions.items():
        wait(event, f"{name} Reed", profession=profession, size=2 if name == "Dora" else 1)
    for r in people[:4]:
        line.cancel(r)
        sweep()
        clock.move(hours=80)
        sweep()
    rounds = list(
        db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "waitlist.round").order_by(AuditEntry.id)
        )
    )
    assert len(rounds) >= 3
    offered = []
    for one in rounds:
        turns = rules.take_turns(*_replayed(one), one.at)
        told = [[t.id, t.type_id, t.why_not and t.why_not.name] for t in turns]
        assert told == one.after["turns"]
        offered += [t.id for t in turns if t.type_id is not None]
    made = db.session.scalars(
        select(AuditEntry.subject_id)
        .where(AuditEntry.action == "waitlist.offered")
        .order_by(AuditEntry.id)
    )
    assert list(made) == offered


def _replayed(entry: AuditEntry) -> tuple[rules.Facts, list[rules.Waiting]]:
    """Build the facts of a round again from what the audit kept."""
    assert entry.before
    kept = entry.before["facts"]
    facts = rules.Facts(
        listed=kept["listed"],
        state=EventState(kept["state"]),
        kind=EventKind(kept["kind"]),
        starts_at=datetime.fromisoformat(kept["starts_at"]),
        pools={int(k): v for k, v in kept["pools"].items()},
        free={int(k): v for k, v in kept["free"].items()},
        total=kept["total"],
        places=kept["places"],
        mix=rules.Mix(**kept["mix"]),
        present={rules.Group(k): v for k, v in kept["present"].items()},
    )
    who = [
        rules.Waiting(**{**one, "group": rules.Group(one["group"]) if one["group"] else None})
        for one in entry.before["line"]
    ]
    return facts, who


def test_nothing_is_charged_while_somebody_waits(db: Any, now: datetime) -> None:
    event, (first, _second) = full_event(types={"Standard": 0, "Paying": 90000})
    ada = wait(event, "Ada Reed", types=["Paying"])
    line.cancel(first)
    sweep()
    owed = text("SELECT count(*) FROM orders o JOIN waitlist_entry e ON e.email = o.email")
    assert db.session.scalar(owed) == 0
    order = line.accept(ada)
    r = line.finish(order)
    assert (r.state, r.price) == (RegistrationState.AWAITING_PAYMENT, 90000)
    assert r.profession == "Physician"
    held = text("SELECT count(*) FROM claim WHERE registration_id = :r AND released_at IS NULL")
    assert db.session.scalar(held, {"r": r.id}) == 1
    assert db.session.get(Entry, ada.id).state == "taken"
