"""What every change of an event goes through: lock, compare versions, apply, check, write down."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm.attributes import flag_modified

from regsys.audit.services import record
from regsys.events import queries, rules
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import IllegalMove, Refusal, Refused


def lock_event(event_id: int, *, version: int | None = None) -> Event:
    """Lock an event and return it with everything; raise NotFound, or IllegalMove if `version` is no longer its own.

    Not by `lock_rows`: FOR UPDATE would wait for every buyer whose row points at the event, and they for us.
    """
    lock = select(Event.id).where(Event.id == event_id).with_for_update(key_share=True)
    db.session.execute(lock)
    event = queries.get_event(event_id)
    if version is not None and event.version != version:
        raise IllegalMove("Event", f"version {version}", f"version {event.version + 1}")
    return event


@contextmanager
def changing(
    event_id: int, action: str, *, version: int | None, actor: Actor, now: datetime
) -> Iterator[tuple[Event, dict[str, Any]]]:
    """Lock an event, let the caller change it, and write down what became different.

    The dict is for facts of other tables: {name: (before, after)}. Raises Refused where the change would take away
    something without which the event could not have been shown.
    """
    event = lock_event(event_id, version=version)
    before, missing = _facts_of(event), _missing(event, now)
    more: dict[str, tuple[Any, Any]] = {}
    yield event, more
    # Whatever was changed beside the row itself counts as a change of the event.
    flag_modified(event, "title")
    db.session.flush()
    if event.state is not EventState.DRAFT:
        new = [r for r in _missing(event, now) if r.name not in {m.name for m in missing}]
        if new:
            raise Refused(new[0])
    after = _facts_of(event)
    changed = {k: (before[k], after[k]) for k in after if after[k] != before[k]}
    changed |= {k: v for k, v in more.items() if v[0] != v[1]}
    record(
        action,
        ("event", event.id),
        actor=actor,
        now=now,
        event_id=event.id,
        before={k: _kept(k, old) for k, (old, _new) in changed.items()},
        after={k: _kept(k, new) for k, (_old, new) in changed.items()},
    )


def _missing(event: Event, now: datetime) -> list[Refusal]:
    return rules.why_not_publish(queries.publish_facts(event), now)


_SILENT = frozenset({"id", "version", "state", "state_at", "created_at", "sequence"})
# The audit says that a secret changed, and not to what.
_SECRET = frozenset({"join_link", "private_key", "private_key_hash"})


def _facts_of(event: Event) -> dict[str, Any]:
    keys = [c.key for c in Event.__table__.columns if c.key not in _SILENT]
    return {k: getattr(event, k) for k in keys}


def _kept(key: str, value: Any) -> Any:
    """Return a value as the audit keeps it."""
    if key in _SECRET:
        return bool(value)
    return value.isoformat() if isinstance(value, datetime) else value


def assign(row: Any, facts: Mapping[str, Any]) -> None:
    """Set the attributes of a row."""
    for name, value in facts.items():
        setattr(row, name, value)
