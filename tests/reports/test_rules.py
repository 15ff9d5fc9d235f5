"""Money shared out to the cent, pace, progress, and query strings that are read whatever they hold."""

from datetime import UTC, datetime, timedelta

import pytest

from regsys.kernel.text import whole_number
from regsys.registration.states import RegistrationState as S
from regsys.reports.forms import STATES, WITH_A_PLACE, Asked, read_list
from regsys.reports.rules import Cost, allocate, is_promised, pace, progress, share_out

NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "rounds", "shares"),
    [
        (100, [{1: 60, 2: 60}], {1: 60, 2: 40}),
        (130, [{1: 60, 2: 60}], {1: 60, 2: 70}),
        (0, [{1: 60}], {1: 0}),
        (5, [{}], {}),
        (90, [{1: 0, 2: 60}, {1: 50, 2: 0}], {1: 30, 2: 60}),
        (7, [{1: 0, 2: 0}], {1: 0, 2: 7}),
        (70, [{1: 60, 2: 0}], {1: 70, 2: 0}),
    ],
)
def test_allocation_is_exact(amount, rounds, shares):
    assert allocate(amount, *rounds) == shares


def money(shares):
    """Return (paid, refunded, due) by id."""
    return {i: (s.paid, s.refunded, s.due) for i, s in shares.items()}


def test_money_pays_first_for_what_is_still_taken():
    gone, here = Cost(total=0, came=100), Cost(total=100, came=100)
    assert money(share_out(100, 0, {1: gone, 2: here})) == {1: (0, 0, 0), 2: (100, 0, 0)}


def test_money_goes_back_first_for_what_was_given_back():
    kept, here = Cost(total=75, came=890), Cost(total=890, came=890)
    assert money(share_out(1780, 815, {1: here, 2: kept})) == {
        1: (890, 0, 0),
        2: (890, 815, 0),
    }


def test_a_refund_beyond_what_was_given_back_comes_from_who_paid():
    costs = {1: Cost(total=890, came=890), 2: Cost(total=0, came=890)}
    assert money(share_out(890, 100, costs)) == {1: (890, 100, 100), 2: (0, 0, 0)}


def test_pace_counts_by_week_and_leaves_out_what_is_old():
    ago = [timedelta(0), timedelta(days=6), timedelta(days=7), timedelta(weeks=14, days=6)]
    counts = pace([NOW - d for d in [*ago, timedelta(weeks=15)]], NOW)
    assert counts == [1, *[0] * 12, 1, 2]


def test_progress_names_the_next_meeting():
    starts = [NOW + timedelta(days=d) for d in (-8, -1, 6, 13)]
    found = progress(starts, NOW)
    assert (found.done, found.total, found.next_at) == (2, 4, starts[2])
    assert progress([], NOW).next_at is None


@pytest.mark.parametrize(
    ("until", "promised"),
    [(None, True), (NOW + timedelta(minutes=60), False), (NOW + timedelta(hours=2), True)],
)
def test_a_place_that_is_held_for_long_was_promised(until, promised):
    assert is_promised(until, NOW) is promised


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
        ("2147483647", 2147483647),
        ("2147483648", None),
        ("9" * 30, None),
    ],
)
def test_numbers_are_read_or_left_out(text, value):
    assert whole_number(text) == value


def test_what_makes_no_sense_is_left_out():
    nonsense = {"state": "paid'--", "sort": "password", "type": "x", "page": "-3", "look": "1e9"}
    assert read_list(nonsense) == Asked()


def test_a_query_string_and_its_filter_say_the_same():
    asked = read_list(
        {"q": "  ann \x00 b ", "state": "cancelled", "type": "3", "open": "1", "sort": "-created"}
    )
    assert asked.filter([7]).words == "ann b"
    assert asked.filter([7]).states == (S.CANCELLED,)
    assert read_list({k: str(v) for k, v in asked.as_query.items()}) == asked


def test_usually_those_with_a_place_are_shown():
    assert read_list({}).filter([7]).states == WITH_A_PLACE
    assert not read_list({}).narrows
    assert STATES["all"] == ()
