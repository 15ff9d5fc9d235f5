"""Writing down what was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regsys.audit.models import AuditEntry
from regsys.kernel.actors import Actor
from regsys.kernel.db import db


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
) -> AuditEntry:
    """Add one entry ("registration.confirmed"); no answers, tokens or secrets may be in `before` and `after`."""
    entry = AuditEntry(
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:200],
        action=action,
        subject_kind=subject[0],
        subject_id=subject[1],
        event_id=event_id,
        order_id=order_id,
        reason=reason[:500] if reason else None,
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
    )
    db.session.add(entry)
    return entry
