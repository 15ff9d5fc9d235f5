"""Reading rosters. Only what a leader needs is selected: what is not loaded cannot leak."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from regsys.accounts.models import User
from regsys.applications.queries import count_waiting
from regsys.audit.models import AuditEntry
from regsys.events.models import Assignment, Event, Leader
from regsys.events.queries import get_event
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.leaders import rules
from regsys.leaders.rules import Presence
from regsys.outbox.models import Message
from regsys.questions.kinds import Audience, QuestionType
from regsys.questions.models import Answer, Question
from regsys.questions.queries import list_readable_answers, list_readable_questions
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState as S

AUDIENCES = frozenset({Audience.LEADERS, Audience.GROUP})
OPENED = "roster.opened"


@dataclass(frozen=True)
class Person:
    """What leaders know of one confirmed person: no address, no money, no note. Times are UTC."""

    id: int
    first_name: str
    last_name: str
    pronouns: str
    credentials: str
    profession: str
    workplace: str
    city: str
    zone: str
    confirmed_at: datetime
    answers: Sequence[Answer] = ()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def answered_at(self) -> datetime | None:
        """Return when this person last changed something that leaders read."""
        return max((a.answered_at for a in self.answers), default=None)


@dataclass(frozen=True)
class Roster:
    """An event's confirmed people by name; `questions` are those whose answers leaders read."""

    event: Event
    people: Sequence[Person]
    questions: Sequence[Question]

    @property
    def first_meeting(self) -> datetime:
        """Return when people meet first."""
        return min((s.starts_at for s in self.event.sessions), default=self.event.starts_at)

    @property
    def leaders(self) -> list[Leader]:
        return [a.leader for a in self.event.assignments]


def get_roster(event_id: int) -> Roster:
    """Get the roster of an event; raise NotFound."""
    event = get_event(event_id)
    r = Registration
    query = (
        select(
            r.id, r.first_name, r.last_name, r.pronouns, r.credentials, r.profession, r.workplace,
            r.city, r.time_zone.label("zone"), func.coalesce(r.confirmed_at, r.state_at).label("confirmed_at"),
        )
        .where(r.event_id == event_id, r.state == S.CONFIRMED)
        .order_by(func.lower(r.last_name), func.lower(r.first_name), r.id)
    )  # fmt: skip
    rows = list(db.session.execute(query))
    answers = list_readable_answers([row.id for row in rows], AUDIENCES)
    questions = [
        q
        for q in list_readable_questions([event_id], AUDIENCES)
        # Everybody has given their word, or has no place.
        if q.type is not QuestionType.AGREEMENT
    ]
    keys = [q.key for q in questions]
    people = [
        Person(**row._mapping, answers=[answers[row.id][k] for k in keys if k in answers[row.id]])
        for row in rows
    ]
    return Roster(event, people, questions)


def list_gone(event_id: int, since: datetime) -> list[Presence]:
    """List who had a place and lost it after a moment."""
    r = Registration
    query = (
        select(r.id, r.first_name, r.last_name, r.confirmed_at, r.ended_at)
        .where(r.event_id == event_id, r.state.in_((S.CANCELLED, S.TRANSFERRED)))
        .where(r.confirmed_at.is_not(None), r.ended_at > since)
        .order_by(r.id)
    )
    return [
        Presence(i, f"{first} {last}".strip(), confirmed, ended, None)
        for i, first, last, confirmed, ended in db.session.execute(query)
        if confirmed
    ]


def list_opened(event_id: int, user_id: int | None) -> list[datetime]:
    """List the last two looks that somebody took at a roster, the newest first."""
    query = (
        select(AuditEntry.at)
        .where(AuditEntry.event_id == event_id, AuditEntry.action == OPENED)
        .where(AuditEntry.actor_kind == "user", AuditEntry.actor_id == user_id)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(2)
    )
    return list(db.session.scalars(query))


@dataclass(frozen=True)
class Led:
    """An event that somebody leads, how many people are confirmed, and how many wait for a talk."""

    event: Event
    people: int
    asking: int = 0


def list_led(event_ids: Collection[int]) -> list[Led]:
    """List these events by start, without drafts."""
    query = (
        select(Event)
        .where(Event.id.in_(event_ids), Event.state != EventState.DRAFT)
        .options(
            joinedload(Event.venue), selectinload(Event.sessions), selectinload(Event.assignments)
        )
        .order_by(Event.starts_at, Event.id)
    )
    events = list(db.session.scalars(query))
    counted = (
        select(Registration.event_id, func.count())
        .where(Registration.event_id.in_(event_ids), Registration.state == S.CONFIRMED)
        .group_by(Registration.event_id)
    )
    counts = {event_id: n for event_id, n in db.session.execute(counted)}  # noqa: C416
    asking = count_waiting([e.id for e in events if e.talk_first])
    return [Led(e, counts.get(e.id, 0), asking.get(e.id, 0)) for e in events]


def list_recipients(event_id: int) -> list[Leader]:
    """List the leaders of an event who can sign in, in the order of its page."""
    query = (
        select(Leader)
        .join(Assignment, Assignment.leader_id == Leader.id)
        .join(User, User.id == Leader.user_id)
        .where(Assignment.event_id == event_id, User.active)
        .order_by(Assignment.position, Assignment.id)
    )
    return list(db.session.scalars(query))


# ---- letters before the start


@dataclass(frozen=True)
class DueLetter:
    """A roster that one leader of one event should have and was not written yet."""

    event_id: int
    leader_id: int


def roster_key(event_id: int, leader_id: int, day: date) -> str:
    """Return the key under which the letter before the start is written once; a new first day makes a new one."""
    return f"roster:{event_id}:{leader_id}:{day.isoformat()}"


def list_due(*, now: datetime) -> list[DueLetter]:
    """List the letters that are due: of events that are to come, have people, and say how many days before."""
    someone = select(Registration.id).where(
        Registration.event_id == Event.id, Registration.state == S.CONFIRMED
    )
    query = (
        select(Assignment)
        .join(Assignment.event)
        .join(Assignment.leader)
        .join(User, User.id == Leader.user_id)
        .where(Event.state.in_((EventState.PUBLISHED, EventState.CLOSED)), Event.starts_at > now)
        .where(Event.roster_days_before.is_not(None), User.active, someone.exists())
        .options(contains_eager(Assignment.event))
        .order_by(Event.starts_at, Event.id, Assignment.position)
    )
    keys = {
        roster_key(
            a.event_id, a.leader_id, rules.start_day(a.event.starts_at, a.event.time_zone)
        ): a
        for a in db.session.scalars(query)
        if _is_due(a.event, now)
    }
    written = list_written(keys)
    return [DueLetter(a.event_id, a.leader_id) for k, a in keys.items() if k not in written]


def list_written(keys: Collection[str]) -> set[str]:
    """List which of these letters are written already."""
    return set(db.session.scalars(select(Message.key).where(Message.key.in_(keys))))


def _is_due(event: Event, now: datetime) -> bool:
    days = event.roster_days_before
    return days is not None and rules.is_roster_due(event.starts_at, days, event.time_zone, now)
