"""Writing down what was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from regsys.audit.models import AuditEntry
from regsys.kernel.actors import Actor
from regsys.kernel.db import db

_UNWRITTEN = "audit"


def record(
    action: str,
    subject: tuple[str, int],
    *,
    actor: Actor,
    now: datetime,
    event_id: int | None = None,
    order_id: int | None = None,
    reason: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry ("registration.confirmed"); no answers, tokens or secrets may be in `before` and `after`.

    It is written with the commit, all entries of a transaction in one statement.
    """
    entry = {
        "at": now,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label[:200],
        "action": action,
        "subject_kind": subject[0],
        "subject_id": subject[1],
        "event_id": event_id,
        "order_id": order_id,
        "reason": reason[:500] if reason else None,
        "before": dict(before) if before is not None else None,
        "after": dict(after) if after is not None else None,
    }
    db.session().info.setdefault(_UNWRITTEN, []).append(entry)


class OfEvent(Protocol):
    """A row that belongs to an event."""

    id: Any
    event_id: Any


def record_about(
    action: str,
    row: OfEvent,
    *,
    kind: str,
    actor: Actor,
    now: datetime,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry about a row of an event; `kind` names its sort."""
    record(
        action,
        (kind, row.id),
        actor=actor,
        now=now,
        event_id=row.event_id,
        reason=reason,
        before=before,
        after=after,
    )


@event.listens_for(db.session, "before_commit")
def _write(session: Session) -> None:
    if entries := session.info.pop(_UNWRITTEN, None):
        session.connection().execute(insert(AuditEntry), entries)


@event.listens_for(db.session, "after_soft_rollback")
def _forget(session: Session, previous: object) -> None:
    session.info.pop(_UNWRITTEN, None)
