"""Showing, closing and calling off an event."""

from datetime import datetime

from regsys.audit.services import record
from regsys.events import queries, rules
from regsys.events.models import Event
from regsys.events.services.editing import lock_event
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.errors import Refused
from regsys.kernel.states import move


def publish_event(
    event_id: int, *, waiver: str = "", version: int | None = None, actor: Actor, now: datetime
) -> None:
    """Show an event to visitors; raise Refused if something is missing.

    `waiver`: why a group may be shown without a leader; it is written down.
    """
    event = lock_event(event_id, version=version)
    missing = rules.why_not_publish(queries.publish_facts(event), now)
    waived = bool(waiver) and any(r.name == rules.WAIVABLE for r in missing)
    missing = [r for r in missing if not (waived and r.name == rules.WAIVABLE)]
    if missing:
        raise Refused(missing[0])
    reason = waiver if waived else ""
    _move(event, EventState.PUBLISHED, "event.published", reason, actor=actor, now=now)


def close_event(event_id: int, *, reason: str = "", actor: Actor, now: datetime) -> None:
    """Take no more registrations; the page stays."""
    _move(lock_event(event_id), EventState.CLOSED, "event.closed", reason, actor=actor, now=now)


def reopen_event(event_id: int, *, actor: Actor, now: datetime) -> None:
    """Take registrations again."""
    event = lock_event(event_id)
    _move(event, EventState.PUBLISHED, "event.reopened", "", actor=actor, now=now)


def hide_event(event_id: int, *, actor: Actor, now: datetime) -> None:
    """Make a draft of it again; raise Refused if anybody ever held a place."""
    event = lock_event(event_id)
    refusal = rules.why_not_hide(queries.was_used(event_id))
    if refusal:
        raise Refused(refusal)
    _move(event, EventState.DRAFT, "event.hidden", "", actor=actor, now=now)


def cancel_event(event_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Call off an event in which nobody holds a place; raise Refused if somebody does."""
    event = lock_event(event_id)
    refusal = rules.why_not_cancel(queries.count_holding(event_id, now=now))
    if refusal:
        raise Refused(refusal)
    _call_off(event, reason, actor=actor, now=now)


def call_off_with_people(event_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Call off an event whatever is held in it; `payments` tells and repays everybody afterwards."""
    _call_off(lock_event(event_id), reason, actor=actor, now=now)


def _call_off(event: Event, reason: str, *, actor: Actor, now: datetime) -> None:
    _move(event, EventState.CANCELLED, "event.cancelled", reason, actor=actor, now=now)
    # Calendars that subscribed take over that it is off.
    event.sequence += 1


def _move(
    event: Event, to: EventState, action: str, reason: str, *, actor: Actor, now: datetime
) -> None:
    before = event.state
    move(event, to, now=now)
    # Visitors read why it is off; why it was shown without a leader is for the audit only.
    event.state_reason = "" if to is EventState.PUBLISHED else reason
    record(
        action,
        ("event", event.id),
        actor=actor,
        now=now,
        event_id=event.id,
        reason=reason or None,
        before={"state": str(before)},
        after={"state": str(to)},
    )
