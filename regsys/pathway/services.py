"""Saying what an event wants, and attesting what somebody has behind them."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import delete

from regsys.audit import services as audit
from regsys.events.services.editing import lock_event
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.pathway import queries
from regsys.pathway.kinds import Need
from regsys.pathway.models import PastCredit, Prerequisite

GONE = Refusal("CreditWithdrawn", N_("Somebody has taken this back already."))


def set_wants(
    event_id: int,
    wants: Mapping[Need, int],
    *,
    required: bool = False,
    actor: Actor,
    now: datetime,
) -> None:
    """Say what an event wants of people (need → how often), and if nobody comes without it.

    Nothing is written where nothing changes.
    """
    lock_event(event_id)
    known = queries.list_wants(event_id)
    before = {w.need: w.count for w in known}
    if before == dict(wants) and all(w.required == required for w in known):
        return
    db.session.execute(delete(Prerequisite).where(Prerequisite.event_id == event_id))
    db.session.add_all(
        Prerequisite(event_id=event_id, need=n, count=c, required=required)
        for n, c in wants.items()
    )
    audit.record(
        "event.prerequisites_set",
        ("event", event_id),
        actor=actor,
        now=now,
        event_id=event_id,
        before={str(n): c for n, c in before.items()},
        after={**{str(n): c for n, c in wants.items()}, "required": required},
    )
    db.session.flush()


def copy_wants(from_event_id: int, event_id: int) -> None:
    """Want of people at an event what another one wants."""
    db.session.add_all(
        Prerequisite(event_id=event_id, need=w.need, count=w.count, required=w.required)
        for w in queries.list_wants(from_event_id)
    )
    db.session.flush()


def attest(
    email_key: str,
    need: Need,
    *,
    holds: bool,
    what: str,
    on_day: date | None,
    until_day: date | None,
    event_id: int,
    actor: Actor,
    now: datetime,
) -> PastCredit:
    """Write down what somebody knows of a person's past; `event_id`: for which event it was looked into."""
    credit = PastCredit(
        email_key=email_key,
        need=need,
        holds=holds,
        what=what,
        on_day=on_day,
        until_day=until_day,
        attested_id=actor.id,
        attested_by=actor.label,
        attested_at=now,
    )
    db.session.add(credit)
    db.session.flush()
    _record("credit.attested", credit, event_id, actor, now)
    return credit


def withdraw_credit(
    credit_id: int, *, email_key: str, event_id: int, actor: Actor, now: datetime
) -> None:
    """Take back what was attested; the row stays with who took it back. Raises NotFound, or Refused."""
    queries.get_credit(credit_id, email_key=email_key)
    (credit,) = lock_rows(PastCredit, [credit_id])
    if credit.withdrawn_at:
        raise Refused(GONE)
    credit.withdrawn_at, credit.withdrawn_by = now, actor.label
    _record("credit.withdrawn", credit, event_id, actor, now)
    db.session.flush()


def _record(action: str, credit: PastCredit, event_id: int, actor: Actor, now: datetime) -> None:
    audit.record(
        action,
        ("past_credit", credit.id),
        actor=actor,
        now=now,
        event_id=event_id,
        after={"need": credit.need, "holds": credit.holds, "what": credit.what},
    )
