"""Whose name may come onto a seat, until when, and how a seat stands: without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from regsys.events.states import EventState
from regsys.hosts import rules
from regsys.hosts.kinds import Pays
from regsys.hosts.rules import Facts
from regsys.registration.states import RegistrationState as S

NOW = datetime(2027, 3, 1, 17, tzinfo=UTC)
DAY = timedelta(days=1)
FACTS = Facts(
    EventState.PUBLISHED, NOW + 60 * DAY, seats=12, named=10, kept=2, names_until=NOW + 50 * DAY
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"state": EventState.CLOSED}, None),
        ({"state": EventState.CANCELLED}, "EventClosed"),
        ({"state": EventState.DRAFT}, "EventClosed"),
        ({"named": 12, "kept": 0}, "NoSeatLeft"),
        ({"kept": 0, "kept_until": NOW}, "SeatsLetGo"),
        ({"names_until": NOW}, "NamesOver"),
        ({"names_until": None}, None),
        ({"names_until": NOW + 99 * DAY, "starts_at": NOW}, "NamesOver"),
    ],
)
def test_a_name_comes_onto_a_free_seat_in_time(change: dict[str, object], why: str | None) -> None:
    refusal = rules.why_not_name(replace(FACTS, **change), NOW)  # type: ignore[arg-type]
    assert (refusal.name if refusal else None) == why


@pytest.mark.parametrize(
    ("state", "price", "pays", "swap", "off"),
    [
        (S.CONFIRMED, 500, Pays.HOST, None, "PaidSeat"),
        (S.CONFIRMED, 0, Pays.HOST, None, None),
        (S.AWAITING_PAYMENT, 500, Pays.HOST, None, None),
        (S.AWAITING_PAYMENT, 500, Pays.EACH, None, None),
        (S.CONFIRMED, 500, Pays.EACH, "OwnSeat", "OwnSeat"),
    ],
)
def test_a_seat_that_its_person_paid_is_theirs(
    state: S, price: int, pays: Pays, swap: str | None, off: str | None
) -> None:
    facts = replace(FACTS, pays=pays)
    found = rules.why_not_swap(facts, state, NOW)
    assert (found.name if found else None) == swap
    found = rules.why_not_take_off(facts, state, price=price, now=NOW)
    assert (found.name if found else None) == off


def test_a_seat_is_confirmed_when_it_is_answered_and_paid() -> None:
    found = {
        (state, answered): str(rules.seat_word(state, answered=answered))
        for state in (S.AWAITING_PAYMENT, S.CONFIRMED)
        for answered in (False, True)
    }
    assert found == {
        (S.AWAITING_PAYMENT, False): "invited",
        (S.AWAITING_PAYMENT, True): "answered",
        (S.CONFIRMED, False): "invited",
        (S.CONFIRMED, True): "confirmed",
    }


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, 2),
        ({"kept_until": NOW + DAY}, 2),
        ({"kept_until": NOW}, 0),
        ({"state": EventState.CANCELLED}, 0),
        ({"starts_at": NOW}, 0),
        ({"named": 13}, 0),
    ],
)
def test_places_are_kept_for_seats_without_a_name(change: dict[str, object], kept: int) -> None:
    assert rules.target(replace(FACTS, **change), NOW) == kept  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "days", "due"),
    [
        ({}, 42, False),
        ({}, 43, True),
        ({}, 50, False),
        ({"kept_until": NOW + 20 * DAY}, 13, True),
        ({"kept_until": NOW + 20 * DAY}, 20, False),
        ({"named": 12}, 43, False),
    ],
)
def test_coordinators_are_reminded_a_week_before_it_is_too_late(
    change: dict[str, object], days: int, due: bool
) -> None:
    facts, now = replace(FACTS, **change), NOW + days * DAY  # type: ignore[arg-type]
    assert rules.is_reminder_due(facts, invited=True, reminded=False, now=now) is due
    assert not rules.is_reminder_due(facts, invited=False, reminded=False, now=now)
    assert not rules.is_reminder_due(facts, invited=True, reminded=True, now=now)


@pytest.mark.parametrize(
    ("wished", "day"),
    [
        ("2027-08-19, 2027-08-26", date(2027, 8, 19)),
        ("not 2027-02-01 but 2027-08-26", date(2027, 8, 26)),
        ("2027-13-45 or spring", date(2027, 5, 27)),
        ("", date(2027, 5, 27)),
    ],
)
def test_a_draft_begins_on_a_day_that_was_wished_for(wished: str, day: date) -> None:
    assert rules.first_day(wished, NOW.date()) == day
    assert rules.first_day("", NOW.date()).weekday() == 3


def test_what_people_have_is_not_taken_away() -> None:
    assert rules.why_not_set(seats=9, named=10, same_terms=True) is rules.SEATS_NAMED
    assert rules.why_not_set(seats=12, named=1, same_terms=False) is rules.TERMS_FIXED
    assert rules.why_not_set(seats=12, named=0, same_terms=False) is None
