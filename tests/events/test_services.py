"""Verbs about events, and what each refuses."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from regsys.audit.models import AuditEntry
from regsys.capacity import services as capacity
from regsys.capacity.models import Pool, PoolKind
from regsys.events import queries, services
from regsys.events.kinds import (
    Enrollment,
    EventKind,
    EventMode,
    LeaderLevel,
    LeaderRole,
    PublicContact,
    Rate,
    Visibility,
)
from regsys.events.models import ticket_type_pool
from regsys.events.services import Basics, Meeting, Part, Schedule, TypePlan, VenueFacts
from regsys.events.states import EventState
from regsys.kernel import tokens
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import IllegalMove, NotFound, Refused
from tests.events import desk
from tests.events.desk import PACIFIC, REGISTRAR, at, draft, plan

pytestmark = pytest.mark.usefixtures("db")


def refused(call: Any, *args: Any, **kwargs: Any) -> str:
    """Call a verb that must refuse, and return the name of the refusal."""
    with pytest.raises(Refused) as caught, transaction():
        call(*args, actor=REGISTRAR, **kwargs)
    return caught.value.refusal.name


def do(call: Any, *args: Any, **kwargs: Any) -> Any:
    with transaction():
        return call(*args, actor=REGISTRAR, **kwargs)


def last_entry() -> AuditEntry:
    db.session.rollback()
    return db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()


def basics(**changes: Any) -> Basics:
    facts = {"title": "Introductory Intensive", "kind": EventKind.LEADERSHIP_TRAINING_INTENSIVE}
    return Basics(**{**facts, **changes})


def schedule(*meetings: Meeting, **changes: Any) -> Schedule:
    facts: dict[str, Any] = {
        "mode": EventMode.IN_PERSON,
        "time_zone": PACIFIC,
        "starts_at": at("2027-05-14T09:00"),
        "ends_at": at("2027-05-16T13:30"),
        "meetings": meetings,
    }
    return Schedule(**{**facts, **changes})


def meeting(
    day: str, title: str = "Small group", start: str = "09:00", end: str = "10:30"
) -> Meeting:
    return Meeting(starts_at=at(f"{day}T{start}"), ends_at=at(f"{day}T{end}"), title=title)


def ready(now: datetime, **changes: Any) -> int:
    """Make a draft that can be published."""
    event_id = draft(now, **changes)
    desk.set_places(event_id, now)
    return event_id


def published(now: datetime, **changes: Any) -> int:
    event_id = ready(now, **changes)
    do(services.publish_event, event_id, now=now)
    return event_id


class TestCreating:
    def test_a_new_event_is_a_draft_with_one_unlimited_pool(self, now: datetime) -> None:
        event_id = draft(now)
        event = desk.event(event_id)
        assert (event.state, event.slug, event.version) == (
            EventState.DRAFT,
            "introductory-intensive",
            1,
        )
        assert desk.sizes(event_id, now) == {"total": (None, 0)}

    def test_creating_is_written_down(self, now: datetime) -> None:
        event_id = draft(now)
        entry = last_entry()
        assert (entry.action, entry.subject_id, entry.actor_label) == (
            "event.created",
            event_id,
            "Tilda Marchbanks",
        )

    def test_a_second_event_of_the_same_title_has_another_address(self, now: datetime) -> None:
        slugs = [desk.event(draft(now)).slug for _ in range(3)]
        assert slugs == [
            "introductory-intensive",
            "introductory-intensive-2",
            "introductory-intensive-3",
        ]

    def test_a_title_without_letters_still_has_an_address(self, now: datetime) -> None:
        assert desk.event(draft(now, title="漢字")).slug == "event"

    def test_the_longest_title_leaves_room_for_a_number(self, now: datetime) -> None:
        slugs = [desk.event(draft(now, title="x" * 200)).slug for _ in range(2)]
        assert slugs == ["x" * 74, "x" * 74 + "-2"]


class TestChanging:
    def test_only_what_changed_is_written_down(self, now: datetime) -> None:
        event_id = draft(now)
        wanted = basics(title="Intensive in May", summary="Three days.")
        do(services.change_event, event_id, wanted, version=1, now=now)
        entry = last_entry()
        assert entry.before == {"title": "Introductory Intensive", "summary": ""}
        assert entry.after == {"title": "Intensive in May", "summary": "Three days."}

    def test_a_stale_version_changes_nothing(self, now: datetime) -> None:
        event_id = draft(now)
        do(services.change_event, event_id, basics(summary="First."), version=1, now=now)
        with pytest.raises(IllegalMove):
            do(services.change_event, event_id, basics(summary="Second."), version=1, now=now)
        assert desk.event(event_id).summary == "First."

    def test_a_change_beside_the_row_makes_the_version_stale_too(self, now: datetime) -> None:
        event_id = draft(now)
        desk.set_places(event_id, now)
        with pytest.raises(IllegalMove):
            do(services.change_event, event_id, basics(), version=1, now=now)

    def test_an_event_that_does_not_exist_is_not_found(self, now: datetime) -> None:
        with pytest.raises(NotFound):
            do(services.change_event, 999, basics(), version=1, now=now)

    def test_the_address_changes_while_it_is_a_draft(self, now: datetime) -> None:
        event_id = draft(now)
        do(services.change_event, event_id, basics(slug="May Intensive"), version=1, now=now)
        assert desk.event(event_id).slug == "may-intensive"

    def test_the_address_of_another_event_is_refused(self, now: datetime) -> None:
        draft(now, title="Taken")
        event_id = draft(now)
        wanted = basics(slug="taken")
        assert (
            refused(services.change_event, event_id, wanted, version=1, now=now) == "AddressTaken"
        )

    def test_the_address_of_a_published_event_stays(self, now: datetime) -> None:
        event_id = published(now)
        wanted = basics(slug="other")
        found = refused(services.change_event, event_id, wanted, version=None, now=now)
        assert found == "AddressFixed"

    def test_enrollment_stays_once_somebody_registered(self, now: datetime) -> None:
        event_id = published(now)
        desk.let_go(desk.hold(event_id, now=now), now=now)
        wanted = basics(
            enrollment=Enrollment.EXTERNAL, external_name="X", external_url="https://x.example"
        )
        assert (
            refused(services.change_event, event_id, wanted, version=None, now=now) == "PlacesUsed"
        )

    def test_a_published_event_may_not_lose_what_it_needs(self, now: datetime) -> None:
        event_id = published(now)
        wanted = basics(enrollment=Enrollment.EXTERNAL)
        assert (
            refused(services.change_event, event_id, wanted, version=None, now=now) == "NoElsewhere"
        )
        assert desk.event(event_id).enrollment is Enrollment.OPEN

    def test_the_private_key_is_compared_by_its_hash_and_not_written_down(
        self, now: datetime
    ) -> None:
        event_id = draft(now)
        first = do(services.renew_private_key, event_id, now=now)
        second = do(services.renew_private_key, event_id, now=now)
        assert first != second
        assert desk.event(event_id).private_key_hash == tokens.hash_token(second)
        assert (last_entry().before, last_entry().after) == ({"key": True}, {"key": True})


class TestScheduling:
    def test_the_event_begins_and_ends_with_its_sessions(self, now: datetime) -> None:
        event_id = draft(now)
        meetings = [meeting("2027-06-02", "Second"), meeting("2027-06-01", "First")]
        do(services.set_schedule, event_id, schedule(*meetings), version=1, now=now)
        event = desk.event(event_id)
        assert [s.title for s in event.sessions] == ["First", "Second"]
        assert (event.starts_at, event.ends_at) == (at("2027-06-01T09:00"), at("2027-06-02T10:30"))

    def test_without_sessions_the_typed_dates_count(self, now: datetime) -> None:
        event_id = draft(now)
        wanted = schedule(starts_at=at("2027-07-01T10:00"), ends_at=at("2027-07-01T12:00"))
        do(services.set_schedule, event_id, wanted, version=1, now=now)
        assert desk.event(event_id).starts_at == at("2027-07-01T10:00")

    def test_a_session_that_stays_keeps_its_id_and_others_go(self, now: datetime) -> None:
        event_id = draft(now)
        meetings = [meeting("2027-06-01", "First"), meeting("2027-06-02", "Second")]
        do(services.set_schedule, event_id, schedule(*meetings), version=None, now=now)
        first, second = desk.event(event_id).sessions
        kept = replace(meeting("2027-06-03", "Second, moved"), id=second.id)
        do(services.set_schedule, event_id, schedule(kept), version=None, now=now)
        assert [(s.id, s.title) for s in desk.event(event_id).sessions] == [
            (second.id, "Second, moved")
        ]
        assert first.id != second.id

    def test_a_session_of_another_event_is_not_taken_away_from_it(self, now: datetime) -> None:
        mine, other = draft(now), draft(now)
        do(services.set_schedule, other, schedule(meeting("2027-06-01")), version=None, now=now)
        theirs = desk.event(other).sessions[0].id
        stolen = replace(meeting("2027-06-05", "Stolen"), id=theirs)
        do(services.set_schedule, mine, schedule(stolen), version=None, now=now)
        assert [s.title for s in desk.event(other).sessions] == ["Small group"]
        assert desk.event(mine).sessions[0].id != theirs

    @pytest.mark.parametrize(
        ("change", "raised"),
        [
            ({}, 0),
            ({"ends_at": at("2027-05-16T14:00")}, 1),
            ({"mode": EventMode.HYBRID}, 1),
            ({"join_link": "https://video.example/x"}, 1),
            ({"meetings": (meeting("2027-05-14"),)}, 1),
        ],
    )
    def test_calendars_take_over_changes_of_dates_and_place(
        self, change: dict[str, Any], raised: int, now: datetime
    ) -> None:
        event_id = draft(now)
        wanted = replace(schedule(), **change)
        do(services.set_schedule, event_id, wanted, version=None, now=now)
        assert desk.event(event_id).sequence == raised

    def test_the_link_for_joining_is_not_written_down(self, now: datetime) -> None:
        event_id = draft(now)
        wanted = schedule(mode=EventMode.ONLINE, join_link="https://video.example/secret")
        do(services.set_schedule, event_id, wanted, version=None, now=now)
        assert last_entry().after == {"mode": "online", "join_link": True}
        assert desk.event(event_id).join_link == "https://video.example/secret"

    def test_in_another_zone_the_other_times_show_the_same_wall_time(self, now: datetime) -> None:
        event_id = draft(now)
        opens = at("2027-02-01T08:00")
        desk.set_places(event_id, now, plan(opens_at=opens, early_until=at("2027-03-01T00:00")))
        berlin = "Europe/Berlin"
        wanted = schedule(
            time_zone=berlin,
            starts_at=at("2027-05-14T09:00", berlin),
            ends_at=at("2027-05-16T13:30", berlin),
        )
        do(services.set_schedule, event_id, wanted, version=None, now=now)
        event = desk.event(event_id)
        assert event.opens_at == at("2027-02-01T08:00", berlin)
        assert event.early_until == at("2027-03-01T00:00", berlin)

    @pytest.mark.in_turn
    @pytest.mark.parametrize(
        ("wanted", "name"),
        [
            (schedule(time_zone="Mars/Olympus"), "NoZone"),
            (schedule(time_zone="../../etc/passwd"), "NoZone"),
            (schedule(ends_at=at("2027-05-13T09:00")), "EndsBeforeStart"),
            (
                schedule(meeting("2027-05-14", start="10:00", end="09:00")),
                "SessionEndsBeforeStart",
            ),
            (schedule(*[meeting("2027-05-14")] * 121), "TooManySessions"),
        ],
    )
    def test_impossible_schedules_are_refused(
        self, wanted: Schedule, name: str, now: datetime
    ) -> None:
        assert refused(services.set_schedule, draft(now), wanted, version=1, now=now) == name

    def test_an_unknown_venue_is_not_found(self, now: datetime) -> None:
        with pytest.raises(NotFound):
            do(services.set_schedule, draft(now), schedule(venue_id=77), version=1, now=now)

    def test_a_published_event_cannot_move_before_the_end_of_its_sale(self, now: datetime) -> None:
        event_id = ready(now)
        desk.set_places(event_id, now, plan(closes_at=at("2027-05-07T23:59")))
        do(services.publish_event, event_id, now=now)
        wanted = schedule(meeting("2027-04-01"))
        found = refused(services.set_schedule, event_id, wanted, version=None, now=now)
        assert found == "OpenAfterStart"


class TestPlaces:
    def test_types_prices_and_pools_are_made(self, now: datetime) -> None:
        event_id = draft(now)
        standard = TypePlan(name="Standard", regular=60000, early=54000)
        trainee = TypePlan(name="Trainee", regular=43000, size=8, description="In training")
        desk.set_places(event_id, now, plan(standard, trainee, early_first=16))
        event = desk.event(event_id)
        grid = {t.name: {p.rate: p.amount for p in t.prices} for t in event.ticket_types}
        assert grid == {
            "Standard": {Rate.EARLY: 54000, Rate.REGULAR: 60000},
            "Trainee": {Rate.REGULAR: 43000},
        }
        found = desk.sizes(event_id, now)
        own = f"Trainee ({event.ticket_types[1].id})"
        assert found == {"total": (24, 0), "early": (16, 0), own: (8, 0)}

    def test_each_type_draws_on_the_total_and_on_its_own(self, now: datetime) -> None:
        event_id = draft(now)
        inner = TypePlan(name="Inner", regular=0, circle=PoolKind.INNER_CIRCLE)
        outer = TypePlan(name="Outer", regular=0, circle=PoolKind.OUTER_CIRCLE)
        desk.set_places(event_id, now, plan(inner, outer, total=40, inner=8, outer=32))
        places = queries.places_of([event_id], now=now)[event_id]
        left = {t.name: places.left_by_type[t.id] for t in desk.event(event_id).ticket_types}
        assert (left, places.total) == ({"Inner": 8, "Outer": 32}, 40)

    def test_saving_the_same_again_changes_nothing(self, now: datetime) -> None:
        event_id = draft(now)
        inner = TypePlan(name="Inner", regular=0, size=6, circle=PoolKind.INNER_CIRCLE)
        desk.set_places(event_id, now, plan(inner, inner=8, early_first=4))
        kept = desk.ticket(event_id, "Inner")
        before = desk.sizes(event_id, now)
        desk.set_places(event_id, now, plan(replace(inner, id=kept.id), inner=8, early_first=4))
        assert desk.sizes(event_id, now) == before
        assert desk.ticket(event_id, "Inner").id == kept.id
        assert last_entry().after == {}

    def test_places_are_never_fewer_than_people_hold(self, now: datetime) -> None:
        event_id = ready(now)
        desk.hold(event_id, 3, now=now)
        wanted = plan(replace(_kept(event_id)), total=2)
        assert (
            refused(services.set_places, event_id, wanted, version=None, now=now) == "PlacesTaken"
        )
        desk.set_places(event_id, now, replace(wanted, total=3))
        assert desk.sizes(event_id, now)["total"] == (3, 3)

    def test_lapsed_holds_do_not_count(self, now: datetime) -> None:
        event_id = ready(now)
        desk.hold(event_id, 3, now=now, until=now + timedelta(minutes=30))
        later = now + timedelta(minutes=31)
        desk.set_places(event_id, later, plan(_kept(event_id), total=0))
        assert desk.sizes(event_id, later)["total"] == (0, 0)

    def test_a_limit_can_go_and_come_back_with_people_inside(self, now: datetime) -> None:
        event_id = ready(now)
        desk.hold(event_id, 3, now=now)
        desk.set_places(event_id, now, plan(_kept(event_id), total=None))
        assert desk.sizes(event_id, now)["total"] == (None, 3)
        desk.hold(event_id, 2, now=now)
        found = refused(
            services.set_places, event_id, plan(_kept(event_id), total=4), version=None, now=now
        )
        assert found == "PlacesTaken"
        desk.set_places(event_id, now, plan(_kept(event_id), total=5))
        assert desk.sizes(event_id, now)["total"] == (5, 5)

    def test_a_new_limit_of_a_type_counts_those_who_are_inside(self, now: datetime) -> None:
        event_id = ready(now)
        desk.hold(event_id, 2, now=now)
        desk.hold(event_id, 1, now=now, until=now + timedelta(minutes=30))
        kept = _kept(event_id)
        wanted = plan(replace(kept, size=2))
        assert (
            refused(services.set_places, event_id, wanted, version=None, now=now) == "TooFewPlaces"
        )
        desk.set_places(event_id, now, plan(replace(kept, size=4)))
        own = f"{kept.name} ({kept.id})"
        assert desk.sizes(event_id, now)[own] == (4, 3)
        later = now + timedelta(minutes=31)
        assert desk.sizes(event_id, later)[own] == (4, 2)

    def test_a_limit_that_was_lifted_goes_on_counting(self, now: datetime) -> None:
        event_id = draft(now)
        desk.set_places(event_id, now, plan(TypePlan(name="Few", regular=0, size=2)))
        desk.hold(event_id, 1, now=now, name="Few")
        few = TypePlan(name="Few", regular=0, id=desk.ticket(event_id, "Few").id)
        desk.set_places(event_id, now, plan(few))
        desk.hold(event_id, 2, now=now, name="Few")
        desk.set_places(event_id, now, plan(replace(few, size=3)))
        assert desk.sizes(event_id, now)[f"Few ({few.id})"] == (3, 3)

    def test_without_the_first_n_rule_only_the_date_decides(self, now: datetime) -> None:
        event_id = ready(now)
        until = at("2027-03-01T00:00")
        desk.set_places(event_id, now, plan(_kept(event_id), early_first=5, early_until=until))
        assert queries.places_of([event_id], now=now)[event_id].early_left == 5
        desk.set_places(event_id, now, plan(_kept(event_id), early_until=until))
        assert queries.places_of([event_id], now=now)[event_id].early_left is None

    def test_a_type_with_registrations_stays(self, now: datetime) -> None:
        event_id = ready(now)
        desk.let_go(desk.hold(event_id, now=now), now=now)
        wanted = plan(TypePlan(name="Other", regular=100))
        assert refused(services.set_places, event_id, wanted, version=None, now=now) == "TypeUsed"
        desk.set_places(event_id, now, plan(replace(_kept(event_id), on_sale=False)))
        assert desk.ticket(event_id).on_sale is False

    def test_a_type_that_nobody_took_goes(self, now: datetime) -> None:
        event_id = ready(now)
        desk.set_places(event_id, now, plan(TypePlan(name="Other", regular=100)))
        assert [t.name for t in desk.event(event_id).ticket_types] == ["Other"]

    def test_two_types_swap_their_names(self, now: datetime) -> None:
        event_id = draft(now)
        a, b = TypePlan(name="A", regular=100), TypePlan(name="B", regular=200)
        desk.set_places(event_id, now, plan(a, b))
        ids = [t.id for t in desk.event(event_id).ticket_types]
        swapped = plan(replace(a, name="B", id=ids[0]), replace(b, name="A", id=ids[1]))
        desk.set_places(event_id, now, swapped)
        assert [(t.id, t.name) for t in desk.event(event_id).ticket_types] == [
            (ids[0], "B"),
            (ids[1], "A"),
        ]

    def test_two_types_of_one_name_are_refused(self, now: datetime) -> None:
        twins = plan(TypePlan(name="One", regular=100), TypePlan(name="ONE", regular=100))
        assert refused(services.set_places, draft(now), twins, version=1, now=now) == "NameTwice"

    @pytest.mark.parametrize(
        ("currency", "amount", "name"),
        [
            ("USD", 49, "PriceNotChargeable"),
            ("JPY", 49, "PriceNotChargeable"),
            ("KWD", 1001, "PriceNotRound"),
        ],
    )
    def test_what_no_card_can_be_charged_with_is_refused(
        self, currency: str, amount: int, name: str, now: datetime
    ) -> None:
        event_id = draft(now)
        for wrong in (
            TypePlan(name="One", regular=amount),
            TypePlan(name="One", regular=0, early=amount),
        ):
            wanted = plan(wrong, currency=currency)
            assert refused(services.set_places, event_id, wanted, version=1, now=now) == name

    def test_the_currency_stays_once_somebody_registered(self, now: datetime) -> None:
        event_id = ready(now)
        desk.set_places(event_id, now, plan(_kept(event_id), currency="EUR"))
        desk.let_go(desk.hold(event_id, now=now), now=now)
        wanted = plan(_kept(event_id), currency="CAD")
        found = refused(services.set_places, event_id, wanted, version=None, now=now)
        assert found == "CurrencyFixed"

    def test_a_type_with_registrations_stays_in_its_circle(self, now: datetime) -> None:
        event_id = draft(now)
        one = TypePlan(name="One", regular=0, circle=PoolKind.INNER_CIRCLE)
        desk.set_places(event_id, now, plan(one, inner=8, outer=8))
        kept = replace(one, id=desk.ticket(event_id, "One").id, circle=PoolKind.OUTER_CIRCLE)
        desk.set_places(event_id, now, plan(kept, inner=8, outer=8))
        desk.hold(event_id, now=now, name="One")
        assert desk.sizes(event_id, now)["outer circle"] == (8, 1)
        back = plan(replace(kept, circle=PoolKind.INNER_CIRCLE), inner=8, outer=8)
        assert refused(services.set_places, event_id, back, version=None, now=now) == "CircleUsed"

    def test_a_published_event_keeps_a_price(self, now: datetime) -> None:
        event_id = published(now)
        off = plan(replace(_kept(event_id), on_sale=False))
        assert refused(services.set_places, event_id, off, version=None, now=now) == "NoPrice"


def _kept(event_id: int) -> TypePlan:
    """Return the plan that leaves the usual ticket type as it is."""
    kept = desk.ticket(event_id)
    return TypePlan(name=kept.name, regular=60000, early=54000, id=kept.id)


class TestLeading:
    def test_leaders_stand_in_order_with_their_parts(self, now: datetime) -> None:
        event_id = draft(now)
        one, two = desk.leader(now), desk.leader(now, "Ignace Pomfret")
        parts = [
            Part(leader_id=two, role=LeaderRole.DIRECTOR),
            Part(leader_id=one, role=LeaderRole.CO_LEADER, public=False),
        ]
        do(services.set_leaders, event_id, parts, version=1, now=now)
        found = [(a.leader_id, a.role, a.public) for a in desk.event(event_id).assignments]
        assert found == [(two, LeaderRole.DIRECTOR, True), (one, LeaderRole.CO_LEADER, False)]
        do(services.set_leaders, event_id, list(reversed(parts)), version=None, now=now)
        assert [a.leader_id for a in desk.event(event_id).assignments] == [one, two]

    def test_nobody_stands_twice(self, now: datetime) -> None:
        part = Part(leader_id=desk.leader(now), role=LeaderRole.LEADER)
        event_id = draft(now)
        found = refused(services.set_leaders, event_id, [part, part], version=1, now=now)
        assert found == "LeaderTwice"

    def test_a_leader_who_does_not_exist_is_not_found(self, now: datetime) -> None:
        part = Part(leader_id=99, role=LeaderRole.LEADER)
        with pytest.raises(NotFound):
            do(services.set_leaders, draft(now), [part], version=1, now=now)

    def test_a_published_group_keeps_its_leader(self, now: datetime) -> None:
        event_id = ready(now, kind=EventKind.OPEN_ENROLLMENT_GROUP)
        part = Part(leader_id=desk.leader(now), role=LeaderRole.LEADER)
        do(services.set_leaders, event_id, [part], version=None, now=now)
        do(services.publish_event, event_id, now=now)
        assert refused(services.set_leaders, event_id, [], version=None, now=now) == "NoLeader"

    def test_a_group_published_with_a_waiver_can_still_be_changed(self, now: datetime) -> None:
        event_id = ready(now, kind=EventKind.OPEN_ENROLLMENT_GROUP)
        do(services.publish_event, event_id, waiver="Announced for next week", now=now)
        wanted = basics(kind=EventKind.OPEN_ENROLLMENT_GROUP, summary="Six evenings.")
        do(services.change_event, event_id, wanted, version=None, now=now)
        assert desk.event(event_id).summary == "Six evenings."

    def test_a_new_leader_signs_in_as_a_new_person(self, now: datetime) -> None:
        leader = queries.get_leader(desk.leader(now))
        from regsys.accounts.queries import get_user

        assert get_user(leader.user_id).email == "lettice.oakenshire@example.org"

    def test_two_leaders_never_share_an_address(self, now: datetime) -> None:
        one = desk.leader(now)
        with pytest.raises(Refused) as caught:
            desk.leader(now, "Other Person", email="Lettice.Oakenshire@Example.org")
        assert caught.value.refusal.name == "IsLeader"
        assert [x.id for x in queries.list_leaders()] == [one]

    def test_a_new_address_does_not_change_who_signs_in(self, now: datetime) -> None:
        from regsys.accounts.queries import get_user

        leader_id = desk.leader(now)
        facts = services.LeaderFacts(
            first_name="Lettice",
            last_name="Oakenshire",
            email="taken.over@example.org",
            level=LeaderLevel.SUPERVISOR,
        )
        do(services.save_leader, leader_id, facts, now=now)
        leader = queries.get_leader(leader_id)
        assert leader.email == "taken.over@example.org"
        assert get_user(leader.user_id).email == "lettice.oakenshire@example.org"

    def test_changing_a_leader_is_written_down(self, now: datetime) -> None:
        leader_id = desk.leader(now)
        facts = services.LeaderFacts(
            first_name="Lettice",
            last_name="Oakenshire",
            email="lettice.oakenshire@example.org",
            level=LeaderLevel.SUPERVISOR,
            public_contact=PublicContact.EMAIL,
        )
        do(services.save_leader, leader_id, facts, now=now)
        assert (last_entry().action, last_entry().after) == (
            "leader.changed",
            {"level": "supervisor"},
        )

    def test_a_venue_is_added_and_changed(self, now: datetime) -> None:
        venue_id = do(services.save_venue, None, VenueFacts(name="Millrace House"), now=now)
        facts = VenueFacts(name="Millrace House", city="Olympia, WA", step_free=True)
        do(services.save_venue, venue_id, facts, now=now)
        assert last_entry().before == {"city": "", "step_free": None}
        assert [v.city for v in queries.list_venues()] == ["Olympia, WA"]


class TestPublishing:
    def test_the_moves_of_an_event(self, now: datetime) -> None:
        event_id = published(now)
        do(services.close_event, event_id, reason="Full enough", now=now)
        assert desk.event(event_id).state_reason == "Full enough"
        do(services.reopen_event, event_id, now=now)
        do(services.hide_event, event_id, now=now)
        assert desk.event(event_id).state is EventState.DRAFT
        assert last_entry().before == {"state": "published"}
        assert last_entry().after == {"state": "draft"}

    @pytest.mark.parametrize("verb", ["publish_event", "reopen_event"])
    def test_what_was_done_already_is_no_move(self, verb: str, now: datetime) -> None:
        event_id = published(now)
        with pytest.raises(IllegalMove):
            do(getattr(services, verb), event_id, now=now)

    def test_a_stale_page_does_not_publish(self, now: datetime) -> None:
        event_id = ready(now)
        with pytest.raises(IllegalMove):
            do(services.publish_event, event_id, version=1, now=now)
        assert desk.event(event_id).state is EventState.DRAFT

    def test_a_waiver_for_a_missing_leader_is_written_down(self, now: datetime) -> None:
        event_id = ready(now, kind=EventKind.ROTATING_LEADER_GROUP)
        assert refused(services.publish_event, event_id, now=now) == "NoLeader"
        do(services.publish_event, event_id, waiver="The supervisor is named tomorrow", now=now)
        assert last_entry().reason == "The supervisor is named tomorrow"

    def test_a_waiver_does_not_help_with_anything_else(self, now: datetime) -> None:
        event_id = draft(now, kind=EventKind.OPEN_ENROLLMENT_GROUP)
        assert refused(services.publish_event, event_id, waiver="Soon", now=now) == "NoPrice"

    def test_a_waiver_that_was_not_needed_is_not_written_down(self, now: datetime) -> None:
        event_id = ready(now)
        do(services.publish_event, event_id, waiver="Why not", now=now)
        assert last_entry().reason is None

    def test_a_private_event_needs_its_link(self, now: datetime) -> None:
        event_id = ready(now)
        wanted = basics(visibility=Visibility.PRIVATE_LINK)
        do(services.change_event, event_id, wanted, version=None, now=now)
        assert refused(services.publish_event, event_id, now=now) == "NoKey"
        do(services.renew_private_key, event_id, now=now)
        do(services.publish_event, event_id, now=now)
        assert desk.event(event_id).state is EventState.PUBLISHED

    def test_an_event_with_people_is_not_hidden(self, now: datetime) -> None:
        event_id = published(now)
        desk.let_go(desk.hold(event_id, now=now), now=now)
        assert refused(services.hide_event, event_id, now=now) == "PlacesUsed"

    def test_an_event_is_cancelled_once_nobody_holds_a_place(self, now: datetime) -> None:
        event_id = published(now)
        inside = desk.hold(event_id, 2, now=now)
        call = (services.cancel_event, event_id)
        assert refused(*call, reason="Too few", now=now) == "PlacesHeld"
        desk.let_go(inside, now=now)
        do(*call, reason="Too few", now=now)
        event = desk.event(event_id)
        assert (event.state, event.state_reason, event.sequence) == (
            EventState.CANCELLED,
            "Too few",
            1,
        )

    @pytest.mark.parametrize("closed", [False, True])
    def test_a_cancelled_event_stays_cancelled(self, now: datetime, closed: bool) -> None:
        event_id = published(now) if closed else draft(now)
        if closed:
            do(services.close_event, event_id, reason="", now=now)
        do(services.cancel_event, event_id, reason="", now=now)
        for verb in (services.publish_event, services.reopen_event, services.hide_event):
            with pytest.raises((IllegalMove, Refused)):
                do(verb, event_id, now=now)
        assert desk.event(event_id).state is EventState.CANCELLED


class TestCopying:
    def test_a_copy_has_everything_but_people_on_later_days(self, now: datetime) -> None:
        old = draft(now)
        types = plan(
            TypePlan(name="One", regular=100, early=80, size=4),
            closes_at=at("2027-05-07T23:59"),
            early_first=3,
            total=9,
        )
        desk.set_places(old, now, types)
        part = Part(leader_id=desk.leader(now), role=LeaderRole.LEADER)
        do(services.set_leaders, old, [part], version=None, now=now)
        wanted = schedule(
            meeting("2027-05-14"), meeting("2027-05-15"), join_link="https://x.example"
        )
        do(services.set_schedule, old, wanted, version=None, now=now)
        desk.hold(old, 2, now=now, name="One")
        day = datetime(2027, 11, 12).date()  # noqa: DTZ001
        facts = {"title": "Again", "first_day": day, "with_leaders": True}
        new = do(services.copy_event, old, **facts, now=now)
        event = desk.event(new)
        # The clocks went back in between: the wall time stays.
        assert event.starts_at == at("2027-11-12T09:00")
        assert event.closes_at == at("2027-11-05T23:59")
        assert [s.starts_at for s in event.sessions] == [
            at("2027-11-12T09:00"),
            at("2027-11-13T09:00"),
        ]
        assert (event.state, event.slug, event.join_link) == (EventState.DRAFT, "again", None)
        counts = [*desk.sizes(new, now).values()]
        assert counts == [(9, 0), (3, 0), (4, 0)]
        assert [a.leader_id for a in event.assignments] == [part.leader_id]
        assert queries.places_of([new], now=now)[new].left_by_type == {event.ticket_types[0].id: 4}

    def test_a_copy_without_leaders(self, now: datetime) -> None:
        old = draft(now)
        part = Part(leader_id=desk.leader(now), role=LeaderRole.LEADER)
        do(services.set_leaders, old, [part], version=None, now=now)
        day = datetime(2027, 6, 1).date()  # noqa: DTZ001
        new = do(
            services.copy_event, old, title="Again", first_day=day, with_leaders=False, now=now
        )
        assert desk.event(new).assignments == []


class TestPoolsMadeElsewhere:
    def test_the_rooms_of_one_ticket_type_are_its_own_limit(self, now: datetime) -> None:
        event_id = draft(now)
        single = TypePlan(name="Single room", regular=64000, size=4)
        desk.set_places(event_id, now, plan(single))
        with transaction() as session:
            own = session.scalars(select(Pool).where(Pool.kind == PoolKind.TICKET_TYPE)).one()
            own.kind = PoolKind.ROOM
        kept = replace(single, id=desk.ticket(event_id, "Single room").id, size=5)
        desk.set_places(event_id, now, plan(kept))
        assert desk.sizes(event_id, now) == {"total": (24, 0), f"Single room ({kept.id})": (5, 0)}

    def test_a_pool_that_two_types_share_is_left_alone(self, now: datetime) -> None:
        event_id = draft(now)
        one, two = TypePlan(name="One", regular=100), TypePlan(name="Two", regular=200)
        desk.set_places(event_id, now, plan(one, two))
        types = desk.event(event_id).ticket_types
        with transaction() as session:
            shared = capacity.make_pool(event_id=event_id, name="beds", kind=PoolKind.ROOM, size=7)
            for t in types:
                row = {"ticket_type_id": t.id, "pool_id": shared.id}
                session.execute(insert(ticket_type_pool).values(row))
        kept = [replace(p, id=t.id, size=3) for p, t in zip((one, two), types, strict=True)]
        desk.set_places(event_id, now, plan(*kept))
        assert desk.sizes(event_id, now)["beds"] == (7, 0)
        assert desk.sizes(event_id, now)[f"One ({types[0].id})"] == (3, 0)
