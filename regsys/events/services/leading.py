"""Who leads, and where people meet: leaders, their part in an event, venues."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from regsys.accounts import services as accounts
from regsys.accounts.queries import find_active_user
from regsys.audit.services import record
from regsys.events import queries
from regsys.events.kinds import LeaderLevel, LeaderRole, PublicContact
from regsys.events.models import Assignment, Leader, Venue
from regsys.events.services.editing import assign, changing
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_

TWICE = Refusal("LeaderTwice", N_("The same person stands twice among the leaders."))
IS_LEADER = Refusal("IsLeader", N_("There is a leader with this address already."))


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a leader does in an event; `public`: shown on its page."""

    leader_id: int
    role: LeaderRole
    public: bool = True


def set_leaders(
    event_id: int, parts: Sequence[Part], *, version: int | None, actor: Actor, now: datetime
) -> None:
    """Set who leads an event, in this order; raise IllegalMove if somebody changed it meanwhile, or Refused."""
    with changing(event_id, "event.leaders_set", version=version, actor=actor, now=now) as (e, m):
        ids = [p.leader_id for p in parts]
        if len(set(ids)) != len(ids):
            raise Refused(TWICE)
        leaders = {i: queries.get_leader(i) for i in ids}
        before = [_line(a) for a in e.assignments]
        known = {a.leader_id: a for a in e.assignments}
        made = []
        for position, part in enumerate(parts):
            assignment = known.get(part.leader_id) or Assignment(leader=leaders[part.leader_id])
            facts = {"role": part.role, "public": part.public, "position": position}
            assign(assignment, facts)
            made.append(assignment)
        e.assignments = made
        m["leaders"] = (before, [_line(a) for a in made])


def _line(assignment: Assignment) -> list[Any]:
    return [assignment.leader.name, str(assignment.role), assignment.public]


@dataclass(frozen=True, kw_only=True)
class LeaderFacts:
    """The public and professional side of somebody who leads."""

    first_name: str
    last_name: str
    email: str
    level: LeaderLevel
    public_contact: PublicContact = PublicContact.NONE
    phone: str = ""
    credentials: str = ""
    profession: str = ""
    discipline: str = ""
    bio: str = ""


def save_leader(leader_id: int | None, facts: LeaderFacts, *, actor: Actor, now: datetime) -> int:
    """Add a leader, or change one, and return the id.

    A new leader signs in with this address, as the person who has it already or as a new one. Changing the address
    later changes where letters go and not who signs in: otherwise whoever may edit leaders could take over accounts.
    Raises Refused if somebody else leads under the address.
    """
    other = queries.find_leader_by_email(facts.email)
    if other is not None and other.id != leader_id:
        raise Refused(IS_LEADER)
    if leader_id is None:
        leader, before = Leader(user_id=_user_of(facts, actor, now)), None
        db.session.add(leader)
    else:
        leader = queries.get_leader(leader_id)
        before = {k: getattr(leader, k) for k in asdict(facts)}
    assign(leader, asdict(facts))
    db.session.flush()
    _record_saved("leader", leader.id, before, asdict(facts), actor=actor, now=now)
    return leader.id


def _user_of(facts: LeaderFacts, actor: Actor, now: datetime) -> int:
    user = find_active_user(facts.email)
    if user is None:
        return accounts.add_user(
            facts.email,
            first_name=facts.first_name,
            last_name=facts.last_name,
            actor=actor,
            now=now,
        )
    if queries.find_leader_of(user.id) is not None:
        raise Refused(IS_LEADER)
    return user.id


@dataclass(frozen=True, kw_only=True)
class VenueFacts:
    """A house or hall; `step_free` None: not known."""

    name: str
    address: str = ""
    city: str = ""
    step_free: bool | None = None
    access_note: str = ""


def save_venue(venue_id: int | None, facts: VenueFacts, *, actor: Actor, now: datetime) -> int:
    """Add a venue, or change one, and return the id."""
    if venue_id is None:
        venue, before = Venue(), None
        db.session.add(venue)
    else:
        venue = queries.get_venue(venue_id)
        before = {k: getattr(venue, k) for k in asdict(facts)}
    assign(venue, asdict(facts))
    db.session.flush()
    _record_saved("venue", venue.id, before, asdict(facts), actor=actor, now=now)
    return venue.id


def _record_saved(
    kind: str,
    row_id: int,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    changed = [k for k in after if before is None or before[k] != after[k]]
    if changed:
        record(
            f"{kind}.changed" if before is not None else f"{kind}.added",
            (kind, row_id),
            actor=actor,
            now=now,
            before=None if before is None else {k: before[k] for k in changed},
            after={k: after[k] for k in changed},
        )
