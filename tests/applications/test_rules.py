"""Where an applicant stands, and what may be done: tables of cases, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from regsys.applications import rules
from regsys.applications.rules import Decision, Stand
from regsys.applications.states import ApplicationState as S
from regsys.registration.states import RegistrationState as R

NOW = datetime(2027, 2, 15, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("state", "more", "stand"),
    [
        (S.SUBMITTED, {}, Stand.SENT),
        (S.SUBMITTED, {"asked": True}, Stand.ASKED),
        (S.UNDER_REVIEW, {}, Stand.READING),
        (S.DECLINED, {}, Stand.DECLINED),
        (S.ACCEPTED, {}, Stand.NO_PLACE),
        (S.WITHDRAWN, {}, Stand.WITHDRAWN),
        (S.WITHDRAWN, {"off": True}, Stand.WITHDRAWN),
        (S.UNDER_REVIEW, {"off": True}, Stand.CALLED_OFF),
        (S.ACCEPTED, {"registration": R.AWAITING_PAYMENT, "held": True}, Stand.HELD),
        (S.ACCEPTED, {"registration": R.AWAITING_PAYMENT}, Stand.LAPSED),
        (S.ACCEPTED, {"registration": R.AWAITING_PAYMENT, "held": True, "paying": True}, Stand.PAYING),
        (S.ACCEPTED, {"registration": R.CONFIRMED}, Stand.CONFIRMED),
        (S.ACCEPTED, {"registration": R.EXPIRED}, Stand.LAPSED),
        (S.ACCEPTED, {"registration": R.CANCELLED}, Stand.GIVEN_BACK),
    ],
)  # fmt: skip
def test_everybody_stands_in_exactly_one_place(state: S, more: dict, stand: Stand) -> None:  # type: ignore[type-arg]
    facts = {"asked": False, "off": False, "registration": None, **more}
    assert rules.stand(state, **facts) is stand


@pytest.mark.parametrize(
    ("state", "asked", "closes", "starts", "why"),
    [
        (S.SUBMITTED, False, None, 9, None),
        (S.UNDER_REVIEW, False, 1, 9, None),
        (S.SUBMITTED, False, -1, 9, "DeadlineOver"),
        (S.SUBMITTED, True, -1, 9, None),
        (S.SUBMITTED, False, None, -1, "DeadlineOver"),
        (S.ACCEPTED, True, None, 9, "Decided"),
        (S.WITHDRAWN, False, None, 9, "Decided"),
    ],
)
def test_what_was_sent_may_be_changed_until_the_deadline(
    state: S, asked: bool, closes: int | None, starts: int, why: str | None
) -> None:
    at = None if closes is None else NOW + closes * HOUR
    found = rules.why_not_edit(
        state, asked=asked, closes_at=at, starts_at=NOW + starts * HOUR, now=NOW
    )
    assert (found and found.name) == why


@pytest.mark.parametrize(
    ("state", "seen", "why"),
    [
        (S.SUBMITTED, 2, None),
        (S.UNDER_REVIEW, 2, None),
        (S.UNDER_REVIEW, 1, "ChangedMeanwhile"),
        (S.ACCEPTED, 2, "DecidedAlready"),
        (S.WITHDRAWN, 2, "DecidedAlready"),
    ],
)
def test_nobody_decides_about_what_they_have_not_read(state: S, seen: int, why: str | None) -> None:
    found = rules.why_not_decide("U. N.", state, Decision.DECLINE, version=2, seen=seen)
    assert (found and found.name) == why


def test_a_place_is_held_for_the_hours_and_not_beyond_the_start() -> None:
    far = NOW + 99 * HOUR
    assert rules.accept_until(NOW, hours=48, starts_at=far) == NOW + 48 * HOUR
    assert rules.accept_until(NOW, hours=48, starts_at=NOW + 5 * HOUR) == NOW + 5 * HOUR
    assert rules.accept_until(NOW, hours=48, starts_at=NOW) == NOW + HOUR
    assert rules.remind_at(NOW, NOW + 72 * HOUR) == NOW + 48 * HOUR
    assert rules.remind_at(NOW, NOW + 10 * HOUR) == NOW + 5 * HOUR


def test_scores_say_how_many_are_of_what_was_sent_last() -> None:
    assert rules.scores_of([(4, 1), (5, 2), (None, 2)], 2) == rules.Scores(3, 2, 4.5)
    assert rules.scores_of([], 1) == rules.Scores(0, 0, None)
