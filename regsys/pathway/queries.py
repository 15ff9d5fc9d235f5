"""Reading what events want, and what people have behind them, with a constant number of queries."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, select

from regsys.accounts.models import User
from regsys.events.kinds import GROUP_KINDS, EventKind
from regsys.events.models import Assignment, Event, Leader
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.members.badge import today
from regsys.members.queries import memberships_of
from regsys.pathway.kinds import Need
from regsys.pathway.models import PastCredit, Prerequisite
from regsys.pathway.rules import Attended, Attested, Finding, History, Listed, Want, judge
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState

INTENSIVES = (EventKind.LEADERSHIP_TRAINING_INTENSIVE, EventKind.INTENSIVE_ON_THE_ROAD)


def list_wants(event_id: int) -> list[Want]:
    """List what an event wants of people, always in the same order."""
    query = select(Prerequisite).where(Prerequisite.event_id == event_id)
    found = {p.need: Want(p.need, p.count, p.required) for p in db.session.scalars(query)}
    return [found[need] for need in Need if need in found]


def findings_of(
    event_id: int, email_keys: Sequence[str], *, now: datetime
) -> Mapping[str, list[Finding]]:
    """Answer every want of an event for each of these addresses (casefolded); every address has an entry."""
    wants = list_wants(event_id)
    if not wants or not email_keys:
        return {key: [] for key in email_keys}
    histories = list_histories(email_keys, now=now)
    return {key: judge(wants, histories[key], today(now)) for key in email_keys}


def list_histories(email_keys: Sequence[str], *, now: datetime) -> dict[str, History]:
    """List what is known of the people with these addresses (casefolded); every address has an entry."""
    intensives: dict[str, list[Attended]] = {key: [] for key in email_keys}
    for key, title, ended in db.session.execute(_attended(email_keys, now)):
        intensives[key or ""].append(Attended(title, ended.date()))
    leads: dict[str, list[str]] = {key: [] for key in email_keys}
    for key, title in db.session.execute(_led(email_keys, now)):
        leads[key].append(title)
    attested: dict[str, list[Attested]] = {key: [] for key in email_keys}
    for c in list_credits(email_keys):
        attested[c.email_key].append(
            Attested(c.need, c.holds, c.what, c.attested_by, c.attested_at.date(), c.until_day)
        )
    members = memberships_of(email_keys, today=today(now))
    listed = {k: Listed(m.number, m.valid_until, m.valid) for k, m in members.items()}
    return {
        key: History(intensives[key], leads[key], attested[key], listed.get(key))
        for key in email_keys
    }


def _attended(email_keys: Sequence[str], now: datetime) -> Select[str | None, str, datetime]:
    return (
        select(Registration.email_key, Event.title, Event.ends_at)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.email_key.in_(email_keys), Event.kind.in_(INTENSIVES))
        .where(Registration.state == RegistrationState.CONFIRMED, Event.ends_at < now)
        .where(Event.state.in_((EventState.PUBLISHED, EventState.CLOSED)))
        .order_by(Event.ends_at)
    )


def _led(email_keys: Sequence[str], now: datetime) -> Select[str, str]:
    return (
        select(User.email_key, Event.title)
        .join(Leader, Leader.user_id == User.id)
        .join(Assignment, Assignment.leader_id == Leader.id)
        .join(Event, Event.id == Assignment.event_id)
        .where(User.email_key.in_(email_keys), Event.kind.in_(GROUP_KINDS))
        .where(Event.starts_at <= now, Event.ends_at >= now)
        .where(Event.state.in_((EventState.PUBLISHED, EventState.CLOSED)))
        .order_by(Event.starts_at, Event.id)
    )


def list_credits(email_keys: Sequence[str]) -> list[PastCredit]:
    """List what was attested about these people and not withdrawn, the newest first."""
    query = (
        select(PastCredit)
        .where(PastCredit.email_key.in_(email_keys), PastCredit.withdrawn_at.is_(None))
        .order_by(PastCredit.attested_at.desc(), PastCredit.id.desc())
    )
    return list(db.session.scalars(query))


def get_credit(credit_id: int, *, email_key: str) -> PastCredit:
    """Get what was attested about this person; raise NotFound, also where it is about another."""
    credit = db.session.get(PastCredit, credit_id)
    if credit is None or credit.email_key != email_key:
        raise NotFound(N_("There is no such entry."))
    return credit
