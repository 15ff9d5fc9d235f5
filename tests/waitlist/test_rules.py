"""Whose turn is it, and why not theirs: tables, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from regsys.capacity.rules import Party, owed_to
from regsys.events.kinds import EventKind
from regsys.events.states import EventState
from regsys.kernel.errors import Refusal
from regsys.waitlist import rules
from regsys.waitlist.rules import Facts, Group, Mix, Waiting

NOON = datetime(2026, 11, 24, 20, tzinfo=UTC)  # noon in Seattle
START = NOON + timedelta(days=150)
WEST, EAST, TOKYO = "America/Los_Angeles", "America/New_York", "Asia/Tokyo"
TOTAL, OWN = 10, 11
STANDARD, TRAINEE = 1, 2


def facts(free: int = 1, own: int = 8, **changes: object) -> Facts:
    """An intensive of 32; trainees have a pool of their own besides the total."""
    values: dict[str, object] = {
        "listed": True,
        "state": EventState.PUBLISHED,
        "kind": EventKind.LEADERSHIP_TRAINING_INTENSIVE,
        "starts_at": START,
        "pools": {STANDARD: [TOTAL], TRAINEE: [TOTAL, OWN]},
        "free": {TOTAL: free, OWN: own},
        "total": TOTAL,
        "places": 32,
        **changes,
    }
    return Facts(**values)  # type: ignore[arg-type]


def one(id: int, size: int = 1, types: tuple[int, ...] = (STANDARD,), **more: object) -> Waiting:
    return Waiting(id, size, types, **{"zone": WEST, **more})  # type: ignore[arg-type]


def decided(facts: Facts, line: list[Waiting], now: datetime = NOON) -> list[object]:
    """Return for each in line the type that is offered, or the name of the refusal."""
    turns = rules.take_turns(facts, line, now)
    assert [t.id for t in turns] == [w.id for w in line]
    return [t.why_not.name if t.why_not else t.type_id for t in turns]


@pytest.mark.parametrize(
    ("facts", "line", "expected"),
    [
        pytest.param(facts(1), [one(1), one(2)], [STANDARD, "Full"], id="first-come"),
        pytest.param(facts(0), [one(1)], ["Full"], id="nothing-free"),
        pytest.param(
            facts(2), [one(1), one(2), one(3)], [STANDARD, STANDARD, "Full"], id="as-many-as-free"
        ),
        pytest.param(
            facts(2), [one(1, 3), one(2)], ["TooFewPlaces", STANDARD], id="a-party-too-big-waits"
        ),
        pytest.param(facts(3), [one(1, 3), one(2)], [STANDARD, "Full"], id="a-party-that-fits"),
        pytest.param(
            facts(3, own=0),
            [one(1, types=(TRAINEE,)), one(2)],
            ["Full", STANDARD],
            id="own-pool-full",
        ),
        pytest.param(
            facts(1, own=0),
            [one(1, types=(TRAINEE, STANDARD))],
            [STANDARD],
            id="any-of-these-types",
        ),
        pytest.param(
            facts(1),
            [one(1, skipped="two colleagues"), one(2)],
            ["Skipped", STANDARD],
            id="skipped",
        ),
        pytest.param(
            facts(1), [one(1, registered=True), one(2)], ["HasPlace", STANDARD], id="has-a-place"
        ),
        pytest.param(facts(1, listed=False), [one(1)], ["NoList"], id="no-list"),
        pytest.param(facts(1, state=EventState.CLOSED), [one(1)], ["EventClosed"], id="closed"),
        pytest.param(
            facts(1, state=EventState.CANCELLED), [one(1)], ["EventCancelled"], id="called-off"
        ),
        pytest.param(facts(1, starts_at=NOON), [one(1)], ["EventBegun"], id="has-begun"),
        pytest.param(
            facts(1, kind=EventKind.OPEN_ENROLLMENT_GROUP, starts_at=NOON - timedelta(days=1)),
            [one(1)],
            ["GroupRuns"],
            id="a-running-group-stays-as-it-is",
        ),
        pytest.param(
            facts(1, kind=EventKind.ROTATING_LEADER_GROUP, starts_at=NOON + timedelta(days=1)),
            [one(1)],
            [STANDARD],
            id="a-group-before-its-first-session",
        ),
    ],
)
def test_turns_follow_the_published_rule(
    facts: Facts, line: list[Waiting], expected: list[object]
) -> None:
    assert decided(facts, line) == expected


def test_a_place_waits_for_the_morning_of_whoever_sleeps() -> None:
    line = [one(1, zone=TOKYO), one(2)]  # noon in Seattle is 5 AM in Tokyo
    assert decided(facts(1), line) == ["AtNight", "Full"]
    assert decided(facts(2), line) == ["AtNight", STANDARD]
    assert decided(facts(1), line, NOON + timedelta(hours=3)) == [STANDARD, "Full"]


DOCTOR, THERAPIST = Group.PHYSICIAN, Group.MENTAL_HEALTH


@pytest.mark.parametrize(
    ("free", "present", "groups", "expected"),
    [
        # 32 places want four of each.
        (1, {DOCTOR: 4, THERAPIST: 4}, [None], [STANDARD]),
        (1, {DOCTOR: 3, THERAPIST: 4}, [None, DOCTOR], ["KeptForMix", STANDARD]),
        (1, {DOCTOR: 3, THERAPIST: 4}, [THERAPIST, DOCTOR], ["KeptForMix", STANDARD]),
        (2, {DOCTOR: 3, THERAPIST: 4}, [None, None], [STANDARD, "KeptForMix"]),
        (2, {DOCTOR: 3, THERAPIST: 3}, [None, THERAPIST, DOCTOR], ["KeptForMix", STANDARD, STANDARD]),
        (1, {DOCTOR: 2, THERAPIST: 4}, [DOCTOR], [STANDARD]),  # too late for two, one is better
        (1, {DOCTOR: 2, THERAPIST: 4}, [None], ["KeptForMix"]),
        (1, {DOCTOR: 0, THERAPIST: 0}, [THERAPIST, DOCTOR], [STANDARD, "Full"]),
        (9, {}, [None, None], [STANDARD, "KeptForMix"]),
    ],
)  # fmt: skip
def test_places_are_kept_for_the_mix(
    free: int,
    present: dict[Group, int],
    groups: list[Group | None],
    expected: list[object],
) -> None:
    line = [one(i, group=g) for i, g in enumerate(groups, start=1)]
    assert decided(facts(free, mix=Mix(1, 1), present=present), line) == expected


def test_a_kept_place_says_for_whom() -> None:
    stands = facts(1, mix=Mix(1, 1), present={DOCTOR: 4, THERAPIST: 3})
    refusal = rules.take_turns(stands, [one(1)], NOON)[0].why_not
    assert refusal
    assert refusal.sentence == "The place is kept for a mental-health professional."


@pytest.mark.parametrize(
    ("written", "group"),
    [
        ("Physician, family medicine", DOCTOR),
        ("Family doctor", DOCTOR),
        ("GP", DOCTOR),
        ("Psychiatrist", DOCTOR),
        ("Physician, psychiatry", DOCTOR),
        ("Physician assistant", None),
        ("Psychologist", THERAPIST),
        ("Marriage family therapist", THERAPIST),
        ("Social worker", THERAPIST),
        ("Chaplain", THERAPIST),
        ("Nurse practitioner", None),
        ("Student of a health profession", None),
        ("Egptologist", None),
        ("", None),
    ],
)
def test_professions_are_read_as_they_are_written(written: str, group: Group | None) -> None:
    assert rules.group_of(written) is group


@pytest.mark.parametrize(
    ("facts", "who", "refusal"),
    [
        (facts(1), one(1, skipped="note"), None),
        (facts(1, listed=False), one(1), None),
        (facts(1, mix=Mix(4, 4)), one(1), None),
        (facts(1), one(1, zone=TOKYO), None),
        (facts(0), one(1), "Full"),
        (facts(1), one(1, 2), "TooFewPlaces"),
        (facts(1), one(1, registered=True), "HasPlace"),
        (facts(1, starts_at=NOON), one(1), "EventBegun"),
    ],
)
def test_by_hand_only_places_and_the_event_stand_in_the_way(
    facts: Facts, who: Waiting, refusal: str | None
) -> None:
    found = rules.why_not_by_hand(facts, who, NOON)
    assert (found.name if found else None) == refusal


@pytest.mark.parametrize(
    ("at", "zone", "morning"),
    [
        ("2026-11-24T20:00", WEST, None),
        ("2026-11-25T04:59", WEST, None),  # 8:59 PM
        ("2026-11-25T05:00", WEST, "2026-11-25T16:00"),  # 9 PM, until 8 AM
        ("2026-11-25T15:59", WEST, "2026-11-25T16:00"),
        ("2026-11-25T16:00", WEST, None),
        ("2026-11-25T05:00", EAST, "2026-11-25T13:00"),
        ("2026-11-01T06:00", WEST, "2026-11-01T16:00"),  # the clocks go back that night
    ],
)
def test_night_is_from_nine_to_eight_by_their_clock(
    at: str, zone: str, morning: str | None
) -> None:
    found = rules.next_morning(datetime.fromisoformat(at).replace(tzinfo=UTC), zone)
    assert found == (datetime.fromisoformat(morning).replace(tzinfo=UTC) if morning else None)


@pytest.mark.parametrize(
    ("hours", "days_left", "open_for"),
    [
        (72, 150, timedelta(hours=72)),
        (72, 9, timedelta(hours=72)),
        (72, 6, timedelta(hours=48)),
        (72, 1, timedelta(hours=8)),
        (24, 6, timedelta(hours=24)),
        (72, 0.1, timedelta(hours=1)),
        (30, 150, timedelta(hours=30)),
        (36, 150, timedelta(hours=45)),  # midnight: an hour after waking instead
    ],
)
def test_offers_are_shorter_as_the_event_nears(
    hours: int, days_left: float, open_for: timedelta
) -> None:
    until = rules.offer_until(NOON, hours, NOON + timedelta(days=days_left), WEST)
    assert until - NOON == open_for


def test_whoever_accepts_at_the_last_minute_has_time_to_finish() -> None:
    assert rules.finish_until(NOON + timedelta(hours=9), NOON) == NOON + timedelta(hours=9)
    assert rules.finish_until(NOON + timedelta(minutes=1), NOON) == NOON + timedelta(hours=2)


FULL = Refusal("Full", "")


@pytest.mark.parametrize(
    ("on_sale", "listed", "size", "left", "refusal"),
    [
        (FULL, True, 1, [0], None),
        (None, True, 1, [0, 0], None),
        (None, True, 3, [2], None),
        (None, True, 1, [2], "PlacesFree"),
        (None, True, 1, [0, 2], "PlacesFree"),
        (None, True, 1, [None], "NeverFull"),
        (FULL, True, 1, [], "NoType"),
        (FULL, False, 1, [0], "NoList"),
        (Refusal("RegistrationClosed", ""), True, 1, [0], "RegistrationClosed"),
        (Refusal("ByApplication", ""), True, 1, [0], "ByApplication"),
    ],
)
def test_one_joins_what_is_full(
    on_sale: Refusal | None,
    listed: bool,
    size: int,
    left: list[int | None],
    refusal: str | None,
) -> None:
    found = rules.why_not_join(listed=listed, on_sale=on_sale, size=size, left=left)
    assert (found.name if found else None) == refusal


@pytest.mark.parametrize(
    ("parties", "empty", "owed"),
    [
        ([], {TOTAL: 2}, {TOTAL: 0}),
        ([Party(1, [[TOTAL]])], {TOTAL: 2}, {TOTAL: 1}),
        ([Party(1, [[TOTAL]]), Party(1, [[TOTAL]])], {TOTAL: 1}, {TOTAL: 1}),
        ([Party(3, [[TOTAL]])], {TOTAL: 2}, {TOTAL: 0}),  # nobody can use them: anyone may
        ([Party(1, [[TOTAL, OWN]])], {TOTAL: 2, OWN: 0}, {TOTAL: 0, OWN: 0}),
        ([Party(1, [[TOTAL, OWN], [TOTAL]])], {TOTAL: 2, OWN: 0}, {TOTAL: 1, OWN: 0}),
        ([Party(2, [[TOTAL, 99]])], {TOTAL: 2}, {TOTAL: 2}),  # 99 never runs out
    ],
)
def test_what_is_owed_to_those_who_wait_is_not_for_sale(
    parties: list[Party], empty: dict[int, int], owed: dict[int, int]
) -> None:
    assert owed_to(parties, empty) == owed
