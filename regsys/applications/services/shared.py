"""What the verbs share: the lock, moving an application with its audit, and what somebody sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from regsys.applications import mail, queries
from regsys.applications.models import Application
from regsys.applications.states import ApplicationState
from regsys.audit import services as audit
from regsys.events.queries import get_event
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound
from regsys.kernel.states import move
from regsys.kernel.text import N_
from regsys.registration.services import Person

# Writes something about an application into the audit; never what was answered.
record = partial(audit.record_about, kind="application")


@dataclass(frozen=True)
class Sheet:
    """What an applicant sends. `values` are answers as they are stored, `kept` the earlier ones that stand."""

    person: Person
    ticket_type_id: int
    about: Mapping[str, str]
    values: Mapping[str, Any]
    kept: Sequence[str] = ()
    # That they are a member, where the price asks for it.
    proof: Mapping[str, Any] | None = None
    # What they say of what the event requires, by need.
    attested: Mapping[str, str] | None = None


def lock_application(application_id: int, *, event_id: int | None = None) -> Application:
    """Lock an application, then read it with its event and place; raise NotFound, also where it is another event's."""
    found = lock_rows(Application, [application_id])
    if not found or (event_id is not None and found[0].event_id != event_id):
        raise NotFound(N_("There is no such application."))
    return queries.get_application(application_id, event_id=found[0].event_id)


def tell_leaders(a: Application, *, now: datetime) -> None:
    """Write to everybody who leads the event that somebody would like to join."""
    for assignment in get_event(a.event_id).assignments:
        mail.send_to_leader(a, assignment.leader, now=now)


def move_to(
    a: Application, to: ApplicationState, *, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """Move an application and write it into the audit."""
    before = a.state
    move(a, to, now=now)
    record(
        f"application.{to}",
        a,
        actor=actor,
        now=now,
        reason=reason,
        before={"state": before},
        after={"state": to},
    )
    db.session.flush()
