"""Pure questions about rosters: when is one due, and what has changed since somebody looked?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.kernel.zones import moment

# Letters come in the morning of the event's own zone.
MORNING = time(8)
# Opening the roster again within this time is the same look.
ONE_LOOK = timedelta(minutes=30)

NOT_A_LEADER = Refusal(
    "NotALeader", N_("You do not lead this event, so there is no roster of yours to mail.")
)
NO_LEADERS = Refusal("NoLeaders", N_("Nobody who can sign in leads this event yet."))


def start_day(starts_at: datetime, zone: str) -> date:
    """Return the day on which an event begins, by its own calendar."""
    return starts_at.astimezone(ZoneInfo(zone)).date()


def roster_due_at(starts_at: datetime, days_before: int, zone: str) -> datetime:
    """Return when the roster goes out: in the morning, so many days before the event begins."""
    day = start_day(starts_at, zone) - timedelta(days=days_before)
    return moment(datetime.combine(day, MORNING), zone).at


def is_roster_due(starts_at: datetime, days_before: int, zone: str, now: datetime) -> bool:
    """Tell whether the roster should have gone out, and the event has not begun."""
    return roster_due_at(starts_at, days_before, zone) <= now < starts_at


@dataclass(frozen=True)
class Look:
    """One look at a roster. `is_new`: it is to be written down; `since`: when this person looked before."""

    is_new: bool
    since: datetime | None


def look(opened: Sequence[datetime], now: datetime) -> Look:
    """Return what an opening is, after these earlier ones that were written down, the newest first."""
    if opened and now - opened[0] < ONE_LOOK:
        return Look(False, opened[1] if len(opened) > 1 else None)
    return Look(True, opened[0] if opened else None)


class Turn(StrEnum):
    """What happened to one person of a roster."""

    JOINED = "joined"
    LEFT = "left"
    ANSWERED = "answered"


@dataclass(frozen=True)
class Presence:
    """Since when somebody has a place, until when they had one, and when they last changed what leaders read."""

    id: int
    name: str
    confirmed_at: datetime
    ended_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True)
class Change:
    """One line of "since you last looked"."""

    turn: Turn
    id: int
    name: str
    at: datetime


def changes(people: Iterable[Presence], since: datetime | None) -> list[Change]:
    """List what changed since a moment, the oldest first; nothing where nobody looked before."""
    if since is None:
        return []
    found = (_change(p, since) for p in people)
    return sorted((c for c in found if c), key=lambda c: (c.at, c.id))


def _change(p: Presence, since: datetime) -> Change | None:
    if p.ended_at is not None:
        # Who came and left in between was never seen.
        gone = p.confirmed_at <= since < p.ended_at
        return Change(Turn.LEFT, p.id, p.name, p.ended_at) if gone else None
    if p.confirmed_at > since:
        return Change(Turn.JOINED, p.id, p.name, p.confirmed_at)
    if p.answered_at and p.answered_at > since:
        return Change(Turn.ANSWERED, p.id, p.name, p.answered_at)
    return None
