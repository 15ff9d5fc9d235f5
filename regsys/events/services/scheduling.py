"""Where and when: the schedule of sessions, the zone, the place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regsys.events import queries
from regsys.events.kinds import EventMode
from regsys.events.models import Event, Session
from regsys.events.services.editing import assign, changing
from regsys.kernel.actors import Actor
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.kernel.zones import carry, is_known

MOST_MEETINGS = 120

UNKNOWN_ZONE = Refusal("NoZone", N_("Its time zone is not known."))
TOO_MANY = Refusal("TooManySessions", N_("That is more than 120 sessions: make two events of it."))
ENDS_FIRST = Refusal("EndsBeforeStart", N_("The event would end before it begins."))


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """One session, in UTC; `id` of one that stays, None for a new one."""

    starts_at: datetime
    ends_at: datetime
    title: str
    room: str = ""
    credit_minutes: int = 0
    id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When and where, in UTC; with meetings, the event begins with the first and ends with the last of them."""

    mode: EventMode
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    venue_id: int | None = None
    join_link: str | None = None
    meetings: Sequence[Meeting] = ()


def set_schedule(
    event_id: int, plan: Schedule, *, version: int | None, actor: Actor, now: datetime
) -> None:
    """Change when and where; sessions that are not in the plan go.

    The other times of the event (opening, closing, early, decision) show the same wall time in a new zone. Calendars
    take over a change: `sequence` goes up. Raises IllegalMove if somebody changed it meanwhile, or Refused.
    """
    with changing(event_id, "event.schedule_set", version=version, actor=actor, now=now) as (e, m):
        _check(plan)
        before = _what_calendars_show(e)
        for name in ("opens_at", "closes_at", "early_until", "answer_by", "decide_at"):
            if (at := getattr(e, name)) is not None:
                setattr(e, name, carry(at, e.time_zone, plan.time_zone))
        sessions = [_line(s) for s in e.sessions]
        _set_meetings(e, plan.meetings)
        assign(e, _own_facts(plan))
        m["sessions"] = (sessions, [_line(s) for s in plan.meetings])
        if _what_calendars_show(e) != before:
            e.sequence += 1


def _check(plan: Schedule) -> None:
    if not is_known(plan.time_zone):
        raise Refused(UNKNOWN_ZONE)
    if len(plan.meetings) > MOST_MEETINGS:
        raise Refused(TOO_MANY)
    if plan.ends_at < plan.starts_at and not plan.meetings:
        raise Refused(ENDS_FIRST)
    for meeting in plan.meetings:
        if meeting.ends_at <= meeting.starts_at:
            raise Refused(
                Refusal(
                    "SessionEndsBeforeStart",
                    N_("“%(title)s” would end before it begins."),
                    {"title": meeting.title},
                )
            )
    if plan.venue_id is not None:
        queries.get_venue(plan.venue_id)


def _own_facts(plan: Schedule) -> Mapping[str, Any]:
    meetings = plan.meetings
    return {
        "mode": plan.mode,
        "time_zone": plan.time_zone,
        "venue_id": plan.venue_id,
        "join_link": plan.join_link or None,
        "starts_at": min((m.starts_at for m in meetings), default=plan.starts_at),
        "ends_at": max((m.ends_at for m in meetings), default=plan.ends_at),
    }


def _set_meetings(event: Event, meetings: Sequence[Meeting]) -> None:
    known = {s.id: s for s in event.sessions}
    kept: list[Session] = []
    for meeting in sorted(meetings, key=lambda m: m.starts_at):
        session = known.pop(meeting.id, None) if meeting.id else None
        session = session or Session()
        assign(session, {k: v for k, v in vars(meeting).items() if k != "id"})
        kept.append(session)
    event.sessions = kept


def _line(session: Session | Meeting) -> list[str | int]:
    """Return a session as the audit keeps it."""
    times = (session.starts_at.isoformat(), session.ends_at.isoformat())
    return [*times, session.title, session.room, session.credit_minutes]


def _what_calendars_show(event: Event) -> tuple[Any, ...]:
    own = (event.starts_at, event.ends_at, event.mode, event.venue_id, event.join_link)
    return (*own, sorted((s.starts_at, s.ends_at, s.title) for s in event.sessions))
