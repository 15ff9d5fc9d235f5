"""When a roster is due by the clock of the event, and what changed since somebody looked."""

from datetime import UTC, date, datetime, timedelta

import pytest

from regsys.leaders.rules import (
    Change,
    Look,
    Presence,
    Turn,
    changes,
    is_roster_due,
    look,
    roster_due_at,
    start_day,
)

NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)
AGO = timedelta(days=2)


@pytest.mark.parametrize(
    ("zone", "starts", "day", "due"),
    [
        # 6:30 PM on Thursday in Seattle is Friday in UTC already.
        ("America/Los_Angeles", (2026, 12, 11, 2, 30), date(2026, 12, 10), (2026, 12, 7, 16)),
        ("Pacific/Auckland", (2026, 12, 10, 5, 30), date(2026, 12, 10), (2026, 12, 6, 19)),
        # The clocks of Seattle change in between: eight in the morning stays eight in the morning.
        ("America/Los_Angeles", (2027, 3, 15, 16, 0), date(2027, 3, 15), (2027, 3, 12, 16)),
    ],
)
def test_the_roster_goes_out_in_the_morning_of_the_events_own_day(zone, starts, day, due):
    starts_at = datetime(*starts, tzinfo=UTC)
    assert start_day(starts_at, zone) == day
    assert roster_due_at(starts_at, 3, zone) == datetime(*due, tzinfo=UTC)


def test_it_is_due_from_that_morning_until_the_start():
    starts = datetime(2026, 12, 11, 2, 30, tzinfo=UTC)
    due = datetime(2026, 12, 7, 16, tzinfo=UTC)
    moments = [due - timedelta(seconds=1), due, starts - timedelta(seconds=1), starts]
    found = [is_roster_due(starts, 3, "America/Los_Angeles", m) for m in moments]
    assert found == [False, True, True, False]


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        ([], Look(True, None)),
        ([NOW - AGO], Look(True, NOW - AGO)),
        ([NOW - timedelta(minutes=5)], Look(False, None)),
        ([NOW - timedelta(minutes=5), NOW - AGO], Look(False, NOW - AGO)),
        ([NOW - timedelta(minutes=30), NOW - AGO], Look(True, NOW - timedelta(minutes=30))),
    ],
)
def test_opening_it_again_soon_is_the_same_look(opened, expected):
    assert look(opened, NOW) == expected


def presence(i, confirmed, ended=None, answered=None):
    """Return somebody; times are in days from the last look."""
    moment = [None if d is None else NOW + timedelta(days=d) for d in (confirmed, ended, answered)]
    return Presence(i, f"P{i}", moment[0], moment[1], moment[2])


def test_who_joined_left_or_answered_since_is_listed_in_order():
    people = [
        presence(1, -9),
        presence(2, 3),
        presence(3, -9, ended=1),
        presence(4, -9, answered=2),
        presence(5, 1, ended=2),
        presence(6, 0, answered=0),
    ]
    at = [NOW + timedelta(days=d) for d in (1, 2, 3)]
    assert changes(people, NOW) == [
        Change(Turn.LEFT, 3, "P3", at[0]),
        Change(Turn.ANSWERED, 4, "P4", at[1]),
        Change(Turn.JOINED, 2, "P2", at[2]),
    ]


def test_who_never_looked_sees_no_changes():
    assert changes([presence(1, 3)], None) == []
