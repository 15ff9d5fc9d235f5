"""Pure questions about applications: what may be done now, and where does somebody stand?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from regsys.applications.states import WAITING
from regsys.applications.states import ApplicationState as S
from regsys.kernel.actors import Actor
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.questions.kinds import Audience
from regsys.registration.states import RegistrationState

# A draft whose link nobody asked for is mailed when it has rested so long.
DRAFT_RESTS = timedelta(minutes=20)
FORGET_AFTER = timedelta(days=60)
# Whose answers a leader reads who talks with an applicant.
LEADERS = frozenset({Audience.LEADERS, Audience.GROUP})
REVIEWERS = frozenset({Audience.ORGANIZER, Audience.LEADERS, Audience.GROUP})

EMAIL_TAKEN = Refusal(
    "EmailTaken",
    N_("This address can't be used again here; if it is yours, we have mailed you its link."),
)
NOT_ELIGIBLE = Refusal(
    "NotEligible",
    N_(
        "What is known under this address is not what this event requires. If it is yours, "
        "we have mailed you what is missing."
    ),
)
DECIDED = Refusal("Decided", N_("This application is decided already."))
CHANGED_MEANWHILE = Refusal(
    "ChangedMeanwhile",
    N_("%(name)s has changed the application since you read it. Please read it again."),
)
NO_NAME_OF_PLACE = Refusal("NoTicketType", N_("There is no such place here any more."))


class Decision(StrEnum):
    """What reviewers decide; asking back is no end. Wait: accepted, and a place is held once there is one."""

    ACCEPT = "accept"
    WAIT = "wait"
    DECLINE = "decline"
    ASK = "ask"


def why_not_edit(
    state: S, *, asked: bool, closes_at: datetime | None, starts_at: datetime, now: datetime
) -> Refusal | None:
    """What was sent may be changed until the deadline; later only where the reviewers have asked something."""
    if state not in WAITING:
        return DECIDED
    over = now >= starts_at or (closes_at is not None and now >= closes_at)
    if over and not asked:
        return Refusal("DeadlineOver", N_("The time to apply is over, so it stays as it is."))
    return None


def why_not_withdraw(state: S) -> Refusal | None:
    """Until it is decided, an application may be withdrawn."""
    if state is S.WITHDRAWN:
        return Refusal("WithdrawnAlready", N_("You have withdrawn it already."))
    return None if state in WAITING else DECIDED


def why_not_decide(
    name: str, state: S, decision: Decision, *, version: int, seen: int
) -> Refusal | None:
    """Refuse a decision about what the reviewer has not read, or what was decided meanwhile."""
    if state not in WAITING:
        return Refusal("DecidedAlready", N_("%(name)s: this is decided already."), {"name": name})
    if version != seen:
        return Refusal(CHANGED_MEANWHILE.name, CHANGED_MEANWHILE.sentence, {"name": name})
    return None


def why_not_hold_again(state: S, registration: RegistrationState | None) -> Refusal | None:
    """A place can be held once more for somebody who was accepted and has none now."""
    ended = (None, RegistrationState.EXPIRED, RegistrationState.CANCELLED)
    if state is S.ACCEPTED and registration in ended:
        return None
    return Refusal(
        "NothingToHold", N_("A place is held again only for somebody accepted who has none.")
    )


def accept_until(now: datetime, *, hours: int, starts_at: datetime) -> datetime:
    """Return until when the place of somebody who is accepted now is held: not beyond the start."""
    return max(min(now + timedelta(hours=hours), starts_at), now + timedelta(hours=1))


def remind_at(held_from: datetime, until: datetime) -> datetime:
    """Return when somebody is reminded of the place that is held: a day before its end, or half way."""
    return until - min(timedelta(hours=24), (until - held_from) / 2)


def is_short(decision: Decision, count: int, *, left: int | None) -> bool:
    """Tell whether there are too few places for everybody who is to be accepted; `left` None: they never run out."""
    return decision is Decision.ACCEPT and left is not None and left < count


class Stand(StrEnum):
    """Where an applicant stands; the page says it in one sentence."""

    CALLED_OFF = "called_off"
    SENT = "sent"
    ASKED = "asked"
    READING = "reading"
    NO_PLACE = "no_place"
    HELD = "held"
    PAYING = "paying"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"
    GIVEN_BACK = "given_back"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


_PLACE = {
    RegistrationState.CONFIRMED: Stand.CONFIRMED,
    RegistrationState.TRANSFERRED: Stand.GIVEN_BACK,
    RegistrationState.CANCELLED: Stand.GIVEN_BACK,
    RegistrationState.EXPIRED: Stand.LAPSED,
}

_SIMPLE = {
    S.UNDER_REVIEW: Stand.READING,
    S.ACCEPTED: Stand.NO_PLACE,
    S.DECLINED: Stand.DECLINED,
    S.WITHDRAWN: Stand.WITHDRAWN,
}


def stand(
    state: S,
    *,
    asked: bool,
    off: bool,
    registration: RegistrationState | None,
    held: bool = False,
    paying: bool = False,
) -> Stand:
    """Return where an applicant stands; `off`: the event will not take place, `held`: their place is held still."""
    if off and state is not S.WITHDRAWN:
        return Stand.CALLED_OFF
    if state is S.SUBMITTED:
        return Stand.ASKED if asked else Stand.SENT
    if state is not S.ACCEPTED or registration is None:
        return _SIMPLE[state]
    if registration in _PLACE:
        return _PLACE[registration]
    if paying:
        return Stand.PAYING
    return Stand.HELD if held else Stand.LAPSED


@dataclass(frozen=True)
class Scores:
    """What the reviewers' scores come to; `fresh`: of what the applicant sent last."""

    count: int
    fresh: int
    average: float | None


def scores_of(reviews: Sequence[tuple[int | None, int]], version: int) -> Scores:
    """Add up (score, version) pairs."""
    given = [score for score, _version in reviews if score is not None]
    average = round(sum(given) / len(given), 1) if given else None
    return Scores(len(reviews), sum(v == version for _s, v in reviews), average)


def may_read_reviews(actor: Actor, event_id: int) -> bool:
    """Notes and scores are for reviewers only: not for the registrar, nor the owner, who reviews nothing."""
    return actor.has("reviewer", event_id=event_id)
