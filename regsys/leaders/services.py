"""Looking at rosters and mailing them; both are written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regsys.audit.services import record
from regsys.events.models import Leader
from regsys.events.queries import get_event
from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.errors import Forbidden, Refused
from regsys.leaders import mail, queries, rules
from regsys.leaders.queries import Roster
from regsys.leaders.rules import Change, Presence
from regsys.outbox import services as outbox


@dataclass(frozen=True)
class Opened:
    """A roster as somebody sees it, with what changed since they looked before (`since` None: never)."""

    roster: Roster
    since: datetime | None
    changes: Sequence[Change]


def open_roster(event_id: int, *, actor: Actor, now: datetime) -> Opened:
    """Read a roster and write down who looked; raise NotFound."""
    roster = queries.get_roster(event_id)
    look = rules.look(queries.list_opened(event_id, actor.id), now)
    if look.is_new:
        after = {"people": len(roster.people)}
        subject = ("event", event_id)
        record(queries.OPENED, subject, actor=actor, now=now, event_id=event_id, after=after)
    here = [Presence(p.id, p.name, p.confirmed_at, None, p.answered_at) for p in roster.people]
    gone = queries.list_gone(event_id, look.since) if look.since else []
    return Opened(roster, look.since, rules.changes([*here, *gone], look.since))


def take_out(event_id: int, *, actor: Actor, now: datetime) -> Roster:
    """Read a roster to print it, and write down who takes it out; raise NotFound."""
    roster = queries.get_roster(event_id)
    after = {"format": "pdf", "rows": len(roster.people)}
    subject = ("event", event_id)
    record("roster.exported", subject, actor=actor, now=now, event_id=event_id, after=after)
    return roster


def mail_on_demand(event_id: int, *, to_all: bool, actor: Actor, now: datetime) -> list[str]:
    """Mail the roster to the leader who asks, or (a registrar asks) to all leaders; return their names.

    At most once a minute to each. Raises NotFound, Forbidden or Refused.
    """
    get_event(event_id)
    recipients = queries.list_recipients(event_id)
    if to_all:
        if not actor.has("registrar", event_id=event_id):
            raise Forbidden
        if not recipients:
            raise Refused(rules.NO_LEADERS)
        return mail_to(event_id, recipients, actor=actor, now=now)
    mine = [leader for leader in recipients if leader.user_id == actor.id]
    if not mine:
        raise Refused(rules.NOT_A_LEADER)
    return mail_to(event_id, mine, actor=actor, now=now)


def mail_to(event_id: int, leaders: Sequence[Leader], *, actor: Actor, now: datetime) -> list[str]:
    """Mail the roster to these leaders of an event; return their names."""
    roster = queries.get_roster(event_id)
    minute = int(now.timestamp()) // 60
    for leader in leaders:
        key = f"roster:{event_id}:{leader.id}:asked:{minute}"
        _mail(roster, leader, key, actor=actor, now=now, reason=None)
    return [leader.name for leader in leaders]


def mail_before(event_id: int, leader_id: int, *, now: datetime) -> None:
    """Mail one leader the roster that goes out some days before the start, once for each first day."""
    roster = queries.get_roster(event_id)
    event = roster.event
    key = queries.roster_key(event_id, leader_id, rules.start_day(event.starts_at, event.time_zone))
    for leader in roster.leaders:
        if leader.id == leader_id:
            reason = f"{event.roster_days_before} days before"
            _mail(roster, leader, key, actor=SYSTEM, now=now, reason=reason)


def _mail(
    roster: Roster,
    leader: Leader,
    key: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None,
) -> None:
    if queries.list_written([key]):
        return
    outbox.enqueue(mail.roster_letter(roster, leader, key=key), now=now)
    record(
        "roster.mailed",
        ("event", roster.event.id),
        actor=actor,
        now=now,
        event_id=roster.event.id,
        reason=reason,
        after={"leader": leader.id, "people": len(roster.people)},
    )
