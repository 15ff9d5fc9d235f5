"""Pure questions about an event: is it on sale, at which rate, at what price?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from regsys.events.kinds import (
    Enrollment,
    EventKind,
    EventMode,
    Rate,
    Visibility,
)
from regsys.events.states import EventState
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_


@dataclass(frozen=True)
class SaleFacts:
    """What decides whether a place can be had; `left` None means that places never run out."""

    state: EventState
    enrollment: Enrollment
    starts_at: datetime
    opens_at: datetime | None
    closes_at: datetime | None
    left: int | None
    # A group may let newcomers in until one of its meetings is over.
    joins_until: datetime | None = None


HOST_APPROVES = Refusal("HostApproves", N_("The host decides who takes part here."))


def why_not_on_sale(facts: SaleFacts, now: datetime) -> Refusal | None:
    """Return why nobody can take a place here now, or None; the same answer greys the button and guards the verb."""
    if facts.state is EventState.CANCELLED:
        return Refusal("EventCancelled", N_("This event will not take place."))
    if facts.state is not EventState.PUBLISHED:
        return Refusal("EventClosed", N_("This event takes no registrations any more."))
    if facts.enrollment is Enrollment.EXTERNAL:
        return Refusal("RegistersElsewhere", N_("Registration for this event is elsewhere."))
    if facts.enrollment is Enrollment.CONTACT_LEADER:
        return Refusal("AsksTheLeader", N_("To join, please write to the leader."))
    if facts.enrollment is Enrollment.APPLICATION:
        return Refusal("ByApplication", N_("Places here are given by application."))
    if facts.opens_at and now < facts.opens_at:
        return Refusal("NotOpenYet", N_("Registration has not opened yet."))
    if _is_past(facts, now):
        return Refusal("RegistrationClosed", N_("Registration has closed."))
    if facts.enrollment is Enrollment.HOST_APPROVES:
        return HOST_APPROVES
    if facts.left == 0:
        return Refusal("Full", N_("All places are taken or held at the moment."))
    return None


def why_not_apply(facts: SaleFacts, now: datetime) -> Refusal | None:
    """Return why nobody can apply here now, or None; people may apply where all places are taken."""
    if facts.state is EventState.CANCELLED:
        return Refusal("EventCancelled", N_("This event will not take place."))
    if facts.state is not EventState.PUBLISHED:
        return Refusal("EventClosed", N_("This event takes no applications any more."))
    if facts.enrollment is not Enrollment.APPLICATION:
        return Refusal("NotByApplication", N_("Places here are not given by application."))
    if facts.opens_at and now < facts.opens_at:
        return Refusal("NotOpenYet", N_("Applications have not opened yet."))
    if _is_past(facts, now):
        return Refusal("RegistrationClosed", N_("The time to apply is over."))
    return None


def _is_past(facts: SaleFacts, now: datetime) -> bool:
    end = facts.joins_until or facts.starts_at
    return bool(facts.closes_at and now >= facts.closes_at) or now >= end


@dataclass(frozen=True)
class EarlyRule:
    """Early prices hold until a time and/or for the first N; `left` None: there is no first-N pool."""

    until: datetime | None
    left: int | None

    @property
    def exists(self) -> bool:
        """Tell whether the event has early prices at all."""
        return self.until is not None or self.left is not None


def rate_for(rule: EarlyRule, has_early_price: bool, now: datetime) -> Rate:
    """Return the rate of a hold that is made now; both limits, where both are set, must still hold."""
    if not has_early_price or not rule.exists:
        return Rate.REGULAR
    if rule.until is not None and now >= rule.until:
        return Rate.REGULAR
    return Rate.EARLY if rule.left is None or rule.left > 0 else Rate.REGULAR


def is_at_risk(
    *,
    minimum: int | None,
    decide_at: datetime | None,
    confirmed: int,
    now: datetime,
    runs_at: datetime | None = None,
    warn_days: int = 14,
) -> bool:
    """Tell whether too few people are confirmed and the decision is near or due, and not taken yet (`runs_at`)."""
    if not minimum or confirmed >= minimum or decide_at is None or runs_at is not None:
        return False
    return (decide_at - now).days < warn_days


# The visitor's session keeps here the ids of events whose private link was used.
OPENED = "opened_events"


FOR_MEMBERS = N_("This is for members. Show that you are one, and it opens.")


def may_see(visibility: Visibility, state: EventState, *, opened: bool) -> bool:
    """Tell whether a visitor may see the event's pages; `opened`: by the private link, or as a member."""
    if state is EventState.DRAFT:
        return False
    return opened or visibility not in (Visibility.PRIVATE_LINK, Visibility.MEMBERS)


class Standing(StrEnum):
    """How an event stands for somebody who would like to come."""

    OPEN = "open"
    NOT_YET = "not_yet"
    FULL = "full"
    HELD = "held"
    CLOSED = "closed"
    ELSEWHERE = "elsewhere"
    ASK = "ask"
    APPLY = "apply"
    HOST = "host"
    OVER = "over"
    CANCELLED = "cancelled"


_STANDING_OF = {
    "EventClosed": Standing.CLOSED,
    "RegistrationClosed": Standing.CLOSED,
    "RegistersElsewhere": Standing.ELSEWHERE,
    "AsksTheLeader": Standing.ASK,
    "HostApproves": Standing.HOST,
    "NotOpenYet": Standing.NOT_YET,
    "Full": Standing.FULL,
}


def standing(facts: SaleFacts, *, ends_at: datetime, held: int, now: datetime) -> Standing:
    """Return how the event stands; it agrees with `why_not_on_sale`, or `why_not_apply` where people apply."""
    if facts.state is EventState.CANCELLED:
        return Standing.CANCELLED
    if now >= ends_at:
        return Standing.OVER
    if facts.enrollment is Enrollment.APPLICATION:
        refusal = why_not_apply(facts, now)
        return _STANDING_OF[refusal.name] if refusal else Standing.APPLY
    refusal = why_not_on_sale(facts, now)
    found = _STANDING_OF[refusal.name] if refusal else Standing.OPEN
    return Standing.HELD if found is Standing.FULL and held else found


class Rhythm(StrEnum):
    """How often the meetings of a series come."""

    WEEKLY = "weekly"
    EVERY_OTHER_WEEK = "every_other_week"
    MONTHLY = "monthly"
    IRREGULAR = "irregular"


@dataclass(frozen=True)
class Series:
    """Meetings on three days or more, none of them neighbours: `weekday` (0 is Monday) only where all share it."""

    count: int
    rhythm: Rhythm
    weekday: int | None


def series_of(starts: Sequence[datetime], zone: str) -> Series | None:
    """Return the series that these meetings are, by the calendar of the zone; None for anything else."""
    days = sorted({s.astimezone(ZoneInfo(zone)).date() for s in starts})
    gaps = [(b - a).days for a, b in pairwise(days)]
    if len(days) < 3 or len(days) != len(starts) or min(gaps) < 5:
        return None
    weekdays = {d.weekday() for d in days}
    return Series(len(days), _rhythm(gaps), weekdays.pop() if len(weekdays) == 1 else None)


def _rhythm(gaps: Sequence[int]) -> Rhythm:
    if set(gaps) <= {7}:
        return Rhythm.WEEKLY
    if set(gaps) <= {14}:
        return Rhythm.EVERY_OTHER_WEEK
    return Rhythm.MONTHLY if all(26 <= g <= 36 for g in gaps) else Rhythm.IRREGULAR


def month_of(starts_at: datetime, zone: str, now: datetime) -> date | None:
    """Return the first day of the month in whose list an event stands; None where it has begun."""
    if starts_at <= now:
        return None
    return starts_at.astimezone(ZoneInfo(zone)).date().replace(day=1)


@dataclass(frozen=True)
class Wish:
    """What a visitor narrows the list to; `online` None: anywhere."""

    kinds: frozenset[EventKind]
    online: bool | None = None
    with_places: bool = False


_MAY_HAVE_PLACES = {Standing.OPEN, Standing.NOT_YET, Standing.APPLY, Standing.HOST}


def fits(
    wish: Wish, *, kind: EventKind, mode: EventMode, standing: Standing, left: int | None
) -> bool:
    """Tell whether an event is among those that are wished for; hybrid ones are in both places."""
    elsewhere = EventMode.IN_PERSON if wish.online else EventMode.ONLINE
    if kind not in wish.kinds or (wish.online is not None and mode is elsewhere):
        return False
    return not wish.with_places or (standing in _MAY_HAVE_PLACES and left != 0)
