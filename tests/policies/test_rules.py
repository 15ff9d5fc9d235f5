"""Refund rules as societies publish them: a table for each, worked out by hand from the sentence above it.

Where a rule names no date, the days that were chosen are said there. Amounts are in minor units.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from regsys.policies.rules import (
    About,
    Amounts,
    Cause,
    Facts,
    Handing,
    Line,
    Refund,
    carried_over,
    credit_until,
    read,
    refund,
    table,
    why_not_hand_over,
    why_not_transfer,
    write,
)

LONDON, PACIFIC = "Europe/London", "America/Los_Angeles"


def at(text: str, zone: str = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


# Ten in the morning of Friday 17 September 2027, in London.
UK = Facts(at("2027-09-17T10:00"), LONDON)
# Half past twelve on Thursday 22 April 2027, in Seattle.
WEST = Facts(at("2027-04-22T12:30", PACIFIC), PACIFIC)


def back(
    terms: Mapping[str, Any],
    when: str,
    paid: Amounts | int,
    facts: Facts = UK,
    **changes: Any,
) -> int:
    """Return what comes back, after the explanation was added up."""
    amounts = paid if isinstance(paid, Amounts) else Amounts(paid)
    given = Facts(**{**vars(facts), **changes})
    made = refund(read(terms), amounts, at(when, facts.zone), given)
    assert sum(line.amount for line in made.lines) == made.amount
    assert 0 <= made.amount <= amounts.total
    return made.amount


SOCIETY, NO_SHOW = {"cause": Cause.SOCIETY}, {"cause": Cause.NO_SHOW}


# Balint Society UK, one version: "four weeks or more before: full refund. Later: minus 25 GBP for administration and
# any venue cost already due for that person. None on no-show. Replacement if the employer paid. Full if the society
# cancels." Four weeks before 17 September is 20 August. The house's charge is 60.00 here: the rule names no sum.
BALINT_UK = {
    "steps": [
        {"ahead": {"days": 28}, "back": {"percent": 100}},
        {"ahead": {}, "back": {"percent": 100, "minus": 2500, "venue": True}},
    ],
    "venue": 6000,
    "substitute": {"allowed": "free", "taker": "employer_paid"},
}


@pytest.mark.parametrize(
    ("when", "changes", "expected"),
    [
        ("2027-06-01T09:00", {}, 36000),
        ("2027-08-20T23:59", {}, 36000),
        ("2027-08-21T00:00", {}, 27500),  # 360 - 25 - 60
        ("2027-09-17T09:59", {}, 27500),
        ("2027-09-17T10:00", {}, 0),
        ("2027-09-18T12:00", NO_SHOW, 0),
        ("2027-09-10T12:00", SOCIETY, 36000),
    ],
)
def test_balint_society_uk(when: str, changes: dict[str, Any], expected: int) -> None:
    assert back(BALINT_UK, when, 36000, **changes) == expected


def test_balint_society_uk_replaces_where_the_employer_paid() -> None:
    when = at("2027-09-16T12:00")

    def name(paid_by_other: bool | None) -> str | None:
        facts = Handing(UK.starts_at, LONDON, paid_by_other=paid_by_other)
        refusal = why_not_hand_over(read(BALINT_UK), when, facts)
        return refusal.name if refusal else None

    assert (name(True), name(False)) == (None, "NotPaidByEmployer")


# The same, other version: "the day-delegate fee minus 25 GBP; room and dinner only if the venue lets numbers change."
# No date is named: until it begins.
BALINT_UK_ROOMS = {
    "steps": [{"ahead": {}, "back": {"percent": 100, "minus": 2500}}],
    "room": {"steps": [{"ahead": {}, "back": {"percent": 100}, "released": True}]},
}


@pytest.mark.parametrize(
    ("paid", "changes", "expected"),
    [
        (Amounts(18000), {}, 15500),
        (Amounts(18000, 14000), {}, 15500),
        (Amounts(18000, 14000), {"released": True}, 29500),
        (Amounts(18000, 14000), SOCIETY, 32000),
        (Amounts(2000, 14000), {}, 0),  # the fee is never taken from the room
    ],
)
def test_balint_society_uk_with_rooms(
    paid: Amounts, changes: dict[str, Any], expected: int
) -> None:
    assert back(BALINT_UK_ROOMS, "2027-09-01T12:00", paid, **changes) == expected


# American Balint Society, online group: "no refund except when cancelled for too few."
@pytest.mark.parametrize(
    ("when", "changes", "expected"),
    [
        ("2027-01-01T12:00", {}, 0),
        ("2027-04-21T12:00", {}, 0),
        ("2027-04-01T12:00", SOCIETY, 45000),
    ],
)
def test_online_group_without_refunds(when: str, changes: dict[str, Any], expected: int) -> None:
    assert back({}, when, 45000, WEST, **changes) == expected


# Tavistock, Leicester conference: "500 GBP non-refundable deposit on application, deferrable a year; applications may
# be declined (deposit back)." Nothing is said of the rest: here it comes back until eight weeks before, 23 July.
TAVISTOCK = {
    "steps": [{"ahead": {"days": 56}, "back": {"percent": 100}}],
    "deposit": 50000,
    "credit": {"months": 12, "what": "deposit"},
}


@pytest.mark.parametrize(
    ("when", "paid", "changes", "expected"),
    [
        ("2027-05-01T12:00", 50000, {}, 0),  # the deposit alone
        ("2027-05-01T12:00", 290000, {}, 240000),
        ("2027-07-23T23:59", 290000, {}, 240000),
        ("2027-07-24T00:00", 290000, {}, 0),
        ("2027-05-01T12:00", 50000, SOCIETY, 50000),  # declined
    ],
)
def test_tavistock_deposit(when: str, paid: int, changes: dict[str, Any], expected: int) -> None:
    assert back(TAVISTOCK, when, paid, **changes) == expected


def test_tavistock_carries_the_deposit_over_for_a_year() -> None:
    terms = read(TAVISTOCK)
    for paid, when in ((50000, "2027-05-01T12:00"), (290000, "2027-09-01T12:00")):
        made = refund(terms, Amounts(paid), at(when), UK)
        assert carried_over(terms, made) == 50000
    declined = refund(
        terms, Amounts(50000), at("2027-05-01T12:00"), Facts(**{**vars(UK), **SOCIETY})
    )
    assert carried_over(terms, declined) == 0
    # A year after 17 September 2027, to the end of that day in London.
    last = credit_until(terms, starts_at=UK.starts_at, zone=LONDON)
    assert last == at("2028-09-18T00:00")


# IPA congress: "flat 40, then 80 EUR administration by two dates, then none; deadlines at 23:59 UTC." The dates here
# are 60 and 30 days before a congress that begins in Prague on Saturday 31 July 2027: 1 June and 1 July.
IPA = {
    "steps": [
        {"ahead": {"days": 60}, "back": {"percent": 100, "minus": 4000}},
        {"ahead": {"days": 30}, "back": {"percent": 100, "minus": 8000}},
    ],
    "zone": "UTC",
}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2027-06-01T23:59", 46000),
        ("2027-06-02T00:00", 42000),
        ("2027-07-01T23:59", 42000),
        ("2027-07-02T00:00", 0),
    ],
)
def test_ipa_congress_in_utc(when: str, expected: int) -> None:
    prague = Facts(at("2027-07-31T09:00", "Europe/Prague"), "Europe/Prague")
    made = refund(read(IPA), Amounts(50000), at(when, "UTC"), prague)
    assert made.amount == expected


# Mindfulness Network: "deposit, balance three to four months before; withdraw until three months minus 100; later only
# if the place is refilled from the waiting list." Three months before 17 September is 17 June. What comes back of a
# place that is taken again is not said: here everything but the same 100.
MINDFULNESS = {
    "steps": [{"ahead": {"months": 3}, "back": {"percent": 100, "minus": 10000}}],
    "refilled": {"percent": 100, "minus": 10000},
}


@pytest.mark.parametrize(
    ("when", "changes", "expected"),
    [
        ("2027-06-17T23:59", {}, 70000),
        ("2027-06-18T00:00", {}, 0),
        ("2027-06-18T00:00", {"refilled": True}, 70000),
        ("2027-06-01T00:00", {"refilled": True}, 70000),
        ("2027-09-17T10:00", {"refilled": True}, 0),  # it has begun
    ],
)
def test_mindfulness_network(when: str, changes: dict[str, Any], expected: int) -> None:
    assert back(MINDFULNESS, when, 80000, **changes) == expected


# CAGP: "full minus 150, then 50 % minus 150, then none; transferable inside the organisation for 150." The days are
# chosen: 30 and 14 before 22 April, so 23 March and 8 April.
CAGP = {
    "steps": [
        {"ahead": {"days": 30}, "back": {"percent": 100, "minus": 15000}},
        {"ahead": {"days": 14}, "back": {"percent": 50, "minus": 15000}},
    ],
    "substitute": {"allowed": "free", "fee": 15000, "taker": "same_workplace"},
}


@pytest.mark.parametrize(
    ("when", "paid", "expected"),
    [
        ("2027-03-23T23:59", 60000, 45000),
        ("2027-03-24T00:00", 60000, 15000),  # 300 - 150
        ("2027-04-08T23:59", 60000, 15000),
        ("2027-04-09T00:00", 60000, 0),
        ("2027-04-01T00:00", 25000, 0),  # 125 - 150 is nothing, and not a debt
    ],
)
def test_cagp(when: str, paid: int, expected: int) -> None:
    assert back(CAGP, when, paid, WEST) == expected


def test_cagp_hands_on_inside_the_organisation() -> None:
    terms, when = read(CAGP), at("2027-04-20T12:00", PACIFIC)
    assert terms.substitute.fee == 15000
    inside = Handing(WEST.starts_at, PACIFIC, same_workplace=True)
    outside = Handing(WEST.starts_at, PACIFIC, same_workplace=False)
    assert why_not_hand_over(terms, when, inside) is None
    refusal = why_not_hand_over(terms, when, outside)
    assert refusal is not None
    assert refusal.name == "OtherWorkplace"


# Small workshops: "full more than 60 days before, half from 60 to 14, none below 14; substitute and one-time shift
# with 14 days' notice." 61 days before 22 April is 20 February, 14 days are 8 April.
WORKSHOP = {
    "steps": [
        {"ahead": {"days": 61}, "back": {"percent": 100}},
        {"ahead": {"days": 14}, "back": {"percent": 50}},
    ],
    "substitute": {"allowed": "free", "until": {"days": 14}},
    "transfer": {"allowed": "free", "until": {"days": 14}, "times": 1},
}


@pytest.mark.parametrize(
    ("when", "paid", "expected"),
    [
        ("2027-02-20T23:59", 32500, 32500),
        ("2027-02-21T00:00", 32500, 16250),
        ("2027-02-21T00:00", 32501, 16251),  # half a cent goes to whoever paid
        ("2027-04-08T23:59", 32500, 16250),
        ("2027-04-09T00:00", 32500, 0),
    ],
)
def test_small_workshops(when: str, paid: int, expected: int) -> None:
    assert back(WORKSHOP, when, paid, WEST) == expected


def test_small_workshops_shift_once_with_two_weeks_notice() -> None:
    terms, facts = read(WORKSHOP), Handing(WEST.starts_at, PACIFIC)
    later = at("2027-10-01T09:00", PACIFIC)

    def names(when: str, moved: int = 0, other: datetime = later) -> tuple[str, str]:
        moment = at(when, PACIFIC)
        shift = why_not_transfer(terms, moment, facts, moved=moved, other_starts_at=other)
        hand = why_not_hand_over(terms, moment, facts)
        return (shift.name if shift else "", hand.name if hand else "")

    assert names("2027-04-08T23:59") == ("", "")
    assert names("2027-04-09T00:00") == ("TransferTooLate", "TooLateToHandOver")
    assert names("2027-03-01T12:00", moved=1)[0] == "TransferredAlready"
    assert names("2027-03-01T12:00", other=at("2028-06-01T09:00"))[0] == "TransferTooFar"
    assert why_not_transfer(read({}), WEST.starts_at, facts, moved=0, other_starts_at=later), (
        "what nobody allowed is not allowed"
    )


# ACP courses: "full more than one month before; minus 100 at four weeks; none at two weeks." So from one month to
# more than two weeks before it is minus 100. One month before 31 March is 28 February: more than that is the 27th.
ACP = {
    "steps": [
        {"ahead": {"months": 1, "days": 1}, "back": {"percent": 100}},
        {"ahead": {"days": 15}, "back": {"percent": 100, "minus": 10000}},
    ]
}


@pytest.mark.parametrize(
    ("start", "when", "expected"),
    [
        ("2027-04-22T09:00", "2027-03-21T23:59", 95000),
        ("2027-04-22T09:00", "2027-03-22T00:00", 85000),
        ("2027-04-22T09:00", "2027-04-07T23:59", 85000),
        ("2027-04-22T09:00", "2027-04-08T00:00", 0),
        ("2027-03-31T09:00", "2027-02-27T23:59", 95000),
        ("2027-03-31T09:00", "2027-02-28T00:00", 85000),
        ("2028-03-31T09:00", "2028-02-28T23:59", 95000),  # a leap year
        ("2028-03-31T09:00", "2028-02-29T00:00", 85000),
    ],
)
def test_acp_courses_count_calendar_months(start: str, when: str, expected: int) -> None:
    facts = Facts(at(start, PACIFIC), PACIFIC)
    assert back(ACP, when, 95000, facts) == expected


# A Gestalt institute in Germany: "administration 100 EUR until eight weeks before, then all, unless a substitute or the
# waiting list fills the place." Eight weeks before 17 September is 23 July; a place that is filled costs the same 100.
GESTALT = {
    "steps": [{"ahead": {"days": 56}, "back": {"percent": 100, "minus": 10000}}],
    "refilled": {"percent": 100, "minus": 10000},
    "substitute": {"allowed": "free"},
}


@pytest.mark.parametrize(
    ("when", "changes", "expected"),
    [
        ("2027-07-23T23:59", {}, 52000),
        ("2027-07-24T00:00", {}, 0),
        ("2027-07-24T00:00", {"refilled": True}, 52000),
    ],
)
def test_gestalt_institute(when: str, changes: dict[str, Any], expected: int) -> None:
    berlin = Facts(at("2027-09-17T10:00", "Europe/Berlin"), "Europe/Berlin")
    assert back(GESTALT, when, 62000, berlin, **changes) == expected
    facts = Handing(berlin.starts_at, berlin.zone)
    assert why_not_hand_over(read(GESTALT), at("2027-09-16T12:00"), facts) is None


# A weekend in a house: "45 days or more before, everything but 50.00, and never the deposit of 150.00; until 21 days
# half of the programme; the room late only if the house releases it; if somebody takes your place, all but 50.00."
WEEKEND = {
    "steps": [
        {"ahead": {"days": 45}, "back": {"percent": 100, "minus": 5000}},
        {"ahead": {"days": 21}, "back": {"percent": 50}},
    ],
    "room": {
        "steps": [
            {"ahead": {"days": 45}, "back": {"percent": 100}},
            {"ahead": {}, "back": {"percent": 100}, "released": True},
        ]
    },
    "refilled": {"percent": 100, "minus": 5000},
    "deposit": 15000,
}


@pytest.mark.parametrize(
    ("when", "paid", "changes", "expected"),
    [
        ("2027-03-08T23:59", Amounts(34000, 27000), {}, 46000),  # 610 - 150: the 50 are in the 150
        ("2027-03-09T00:00", Amounts(34000, 27000), {}, 17000),
        ("2027-03-09T00:00", Amounts(34000, 27000), {"released": True}, 44000),
        ("2027-03-09T00:00", Amounts(34000, 27000), {"refilled": True}, 56000),
        ("2027-04-02T00:00", Amounts(34000, 27000), {}, 0),
        ("2027-04-02T00:00", Amounts(34000, 27000), {"released": True}, 27000),
        ("2027-03-01T00:00", Amounts(15000), {}, 0),  # the deposit alone
    ],
)
def test_weekend_with_room_and_deposit(
    when: str, paid: Amounts, changes: dict[str, Any], expected: int
) -> None:
    assert back(WEEKEND, when, paid, WEST, **changes) == expected


# A series: "two weeks or more before the first meeting all but 20.00; after that half; once the group has met,
# nothing" - or a quarter, where a group is kinder.
@pytest.mark.parametrize(
    ("begun", "when", "expected"),
    [
        ({}, "2027-04-08T23:59", 28000),
        ({}, "2027-04-09T00:00", 15000),
        ({}, "2027-04-22T12:29", 15000),
        ({}, "2027-04-22T12:30", 0),
        ({"percent": 25}, "2027-05-20T12:00", 7500),
    ],
)
def test_series_that_has_met(begun: dict[str, int], when: str, expected: int) -> None:
    terms = {
        "steps": [
            {"ahead": {"days": 14}, "back": {"percent": 100, "minus": 2000}},
            {"ahead": {}, "back": {"percent": 50}},
        ],
        "begun": begun,
    }
    assert back(terms, when, 30000, WEST) == expected


INTENSIVE = {
    "steps": [
        {"ahead": {"days": 60}, "back": {"percent": 100, "minus": 7500}},
        {"ahead": {"days": 30}, "back": {"percent": 50}},
    ],
    "refilled": {"percent": 100, "minus": 7500},
}


def test_the_table_has_the_dates_and_amounts_that_decide_later() -> None:
    terms, prices = read(INTENSIVE), [Amounts(92000), Amounts(66000)]
    rows = table(terms, prices, WEST)
    assert [
        (r.until, [x.amount for x in r.refunds], [x.amount for x in r.again]) for r in rows
    ] == [
        (at("2027-02-22T00:00", PACIFIC), [84500, 58500], []),
        (at("2027-03-24T00:00", PACIFIC), [46000, 33000], [84500, 58500]),
        (None, [0, 0], [84500, 58500]),
    ]
    for row in rows:
        for when in (row.since, row.until and row.until.replace(minute=0)):
            if when is None:
                continue
            holding = next(r for r in rows if r.holds(when))
            made = [refund(terms, p, when, WEST) for p in prices]
            assert [r.amount for r in made] == [r.amount for r in holding.refunds]


def test_an_hour_of_the_day_ends_a_deadline_in_the_zone_of_the_event() -> None:
    terms = read({**INTENSIVE, "time": "12:00"})
    assert table(terms, [Amounts(92000)], WEST)[0].until == at("2027-02-21T12:00", PACIFIC)
    # Noon is noon before and after the clocks change on 14 March.
    assert table(terms, [Amounts(92000)], WEST)[1].until == at("2027-03-23T12:00", PACIFIC)


@pytest.mark.parametrize(("unit", "expected"), [(1, 4568), (10, 4570)])
def test_a_share_is_rounded_up_to_what_can_be_paid_out(unit: int, expected: int) -> None:
    terms = {"steps": [{"ahead": {}, "back": {"percent": 37}}]}
    assert back(terms, "2027-01-01T00:00", 12345, unit=unit) == expected  # 4567.65


@pytest.mark.parametrize("terms", [BALINT_UK, BALINT_UK_ROOMS, TAVISTOCK, IPA, CAGP, WEEKEND, {}])
def test_terms_are_the_same_after_writing_and_reading(terms: dict[str, Any]) -> None:
    assert read(write(read(terms))) == read(terms)


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ([], "terms is no object"),
        ({"step": []}, "terms has no step"),
        ({"steps": {}}, "terms.steps is no list"),
        ({"steps": [{"ahead": {"days": 1}}]}, "back"),
        ({"steps": [{"ahead": {"days": "1"}, "back": {}}]}, "terms.steps[0].ahead.days is no int"),
        ({"steps": [{"ahead": {"days": True}, "back": {}}]}, "is no int"),
        ({"deposit": 1.5}, "terms.deposit is no int"),
        ({"deposit": -1}, "deposit"),
        ({"no_show": {"percent": 101}}, "percent"),
        ({"substitute": {"allowed": "perhaps"}}, "terms.substitute.allowed"),
        ({"time": "25:00"}, "time"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"steps": [{"ahead": {"days": d}, "back": {}} for d in (7, 30)]}, "steps"),
    ],
)
def test_what_is_no_policy_is_not_read(data: Any, at: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(data)
    assert at in str(caught.value)


def test_the_sum_is_explained_line_by_line() -> None:
    made: Refund = refund(read(BALINT_UK), Amounts(36000), at("2027-09-01T12:00"), UK)
    assert made.lines == (
        Line(About.PAID, 36000),
        Line(About.FEE, -2500),
        Line(About.VENUE, -6000),
    )
