"""Events for which too few people have come so far: warning in time, and deciding."""

from datetime import datetime

from sqlalchemy import select

from regsys.accounts.kinds import Role
from regsys.accounts.models import Grant, User
from regsys.audit import services as audit
from regsys.events import services as events
from regsys.events.models import Event
from regsys.events.rules import is_at_risk
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.registration import mail, queries
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState as S

NOT_AT_RISK = Refusal(
    "NotAtRisk", N_("Nothing is to be decided: enough people come, or it is decided.")
)


def stands_at_risk(event: Event, *, now: datetime) -> bool:
    """Tell whether too few people have come, and whether the event takes place is still to be decided."""
    return (
        event.state is EventState.PUBLISHED
        and event.starts_at > now
        and is_at_risk(
            minimum=event.minimum,
            decide_at=event.decide_at,
            runs_at=event.runs_at,
            confirmed=queries.count_confirmed(event.id),
            now=now,
        )
    )


def list_at_risk(*, now: datetime) -> list[int]:
    """List the events about which it is to be decided."""
    query = select(Event).where(
        Event.state == EventState.PUBLISHED, Event.starts_at > now, Event.minimum.is_not(None)
    )
    found = db.session.scalars(query.order_by(Event.id))
    return [e.id for e in found if stands_at_risk(e, now=now)]


def warn_of_minimum(event_id: int, *, now: datetime) -> None:
    """Write to the event's registrars, once, that too few people have come so far."""
    event = db.session.get_one(Event, event_id)
    if not stands_at_risk(event, now=now):
        return
    mine = (Grant.event_id == event_id) | Grant.event_id.is_(None)
    query = select(User).join(Grant).where(Grant.role == Role.REGISTRAR, mine, User.active)
    for user in db.session.scalars(query.distinct().order_by(User.id)):
        to = (f"{user.first_name} {user.last_name}", user.email)
        mail.send_at_risk(event, to, user.id, confirmed=queries.count_confirmed(event_id), now=now)


def tell_of_minimum(event_id: int, *, actor: Actor, now: datetime) -> int:
    """Tell everybody who has a place, once, that it is not sure yet; return how many people have one.

    Raises Refused where nothing is to be decided.
    """
    event = db.session.get_one(Event, event_id)
    if not stands_at_risk(event, now=now):
        raise Refused(NOT_AT_RISK)
    here = (Registration.event_id == event_id, Registration.state == S.CONFIRMED)
    people = list(db.session.scalars(select(Registration).where(*here).order_by(Registration.id)))
    for r in people:
        mail.send_not_sure(r, confirmed=len(people), now=now)
    audit.record(
        "event.people_told_of_minimum",
        ("event", event_id),
        actor=actor,
        now=now,
        event_id=event_id,
        after={"people": len(people)},
    )
    db.session.flush()
    return len(people)


def let_run(event_id: int, *, actor: Actor, now: datetime) -> None:
    """Decide that an event takes place with the people who come; raise Refused where nothing is to be decided."""
    if not stands_at_risk(db.session.get_one(Event, event_id), now=now):
        raise Refused(NOT_AT_RISK)
    events.let_run(event_id, actor=actor, now=now)
