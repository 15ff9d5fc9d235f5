"""The same event once more, on other days."""

from datetime import date, datetime

from flask import current_app
from sqlalchemy import insert

from regsys.audit.services import record
from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.capacity.queries import list_pools
from regsys.events import queries
from regsys.events.models import Assignment, Event, Price, Session, TicketType, ticket_type_pool
from regsys.events.services.drafting import free_slug
from regsys.events.services.options import copy_options
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.zones import later, wall_time

# Rooms above add functions here: (old event id, new one) → what they know of the old one is known of the new one.
COPIED = "regsys.copied_events"
# What is said of an event. Not the link for joining, the private key and the state: they belong to one event.
SAID = (
    "kind", "mode", "visibility", "enrollment", "summary", "description", "included", "refund_terms", "policy_id",
    "credit", "cost_note", "contact_email", "venue_id", "time_zone", "currency", "minimum", "external_name",
    "external_url", "roster_days_before", "accept_hours", "edit_reopens",
    "talk_first", "join_meetings", "pro_rata", "invoices", "invoice_days",
    "waitlist", "offer_hours", "keep_physicians", "keep_mental_health",
)  # fmt: skip
MOMENTS = ("starts_at", "ends_at", "opens_at", "closes_at", "early_until", "answer_by", "decide_at")


def days_between(event: Event, first_day: date) -> int:
    """Return by how many days a copy that begins on `first_day` lies later."""
    return (first_day - wall_time(event.starts_at, event.time_zone).date()).days


def list_moves(event: Event, first_day: date) -> list[tuple[str, datetime, datetime]]:
    """List every time of an event with the one that a copy has: (which, old, new), in order."""
    days, zone = days_between(event, first_day), event.time_zone
    own = [(name, at) for name in MOMENTS if (at := getattr(event, name))]
    all_times = [*own, *((s.title, s.starts_at) for s in event.sessions)]
    return [(name, at, later(at, days, zone)) for name, at in sorted(all_times, key=lambda x: x[1])]


def copy_event(
    event_id: int, *, title: str, first_day: date, with_leaders: bool, actor: Actor, now: datetime
) -> int:
    """Make a draft like an event, every time at the same wall time some days later; never copies attendees."""
    old = queries.get_event(event_id)
    days = days_between(old, first_day)

    def moved(at: datetime | None) -> datetime | None:
        return later(at, days, old.time_zone) if at else None

    event = Event(
        title=title,
        slug=free_slug(title),
        state=EventState.DRAFT,
        state_at=now,
        created_at=now,
        **{name: getattr(old, name) for name in SAID},
        **{name: moved(getattr(old, name)) for name in MOMENTS},
    )
    event.sessions = [_session(s, days, old.time_zone) for s in old.sessions]
    if with_leaders:
        event.assignments = [
            Assignment(leader=a.leader, role=a.role, position=a.position, public=a.public)
            for a in old.assignments
        ]
    db.session.add(event)
    db.session.flush()
    _copy_places(old, event, now=now)
    copy_options(old.id, event.id, now=now)
    for follow in current_app.extensions.get(COPIED, []):
        follow(old.id, event.id)
    after = {"title": title, "copy_of": old.id, "days_later": days}
    record(
        "event.copied", ("event", event.id), actor=actor, now=now, event_id=event.id, after=after
    )
    return event.id


def _session(session: Session, days: int, zone: str) -> Session:
    return Session(
        starts_at=later(session.starts_at, days, zone),
        ends_at=later(session.ends_at, days, zone),
        title=session.title,
        room=session.room,
        credit_minutes=session.credit_minutes,
    )


def _copy_places(old: Event, new: Event, *, now: datetime) -> None:
    pools = [p for p in list_pools([old.id]) if p.kind is not PoolKind.OPTION]
    counts = capacity.counts([p.id for p in pools], now=now)
    made = {
        p.id: capacity.make_pool(
            event_id=new.id, name=p.name, kind=p.kind, size=counts[p.id].size
        ).id
        for p in pools
    }
    drawn = queries.list_pool_ids([t.id for t in old.ticket_types])
    for t in old.ticket_types:
        copy = TicketType(
            name=t.name,
            description=t.description,
            position=t.position,
            on_sale=t.on_sale,
            room_part=t.room_part,
            proof=t.proof,
            prices=[Price(rate=p.rate, amount=p.amount) for p in t.prices],
        )
        new.ticket_types.append(copy)
        db.session.flush()
        rows = [{"ticket_type_id": copy.id, "pool_id": made[p]} for p in drawn[t.id]]
        if rows:
            db.session.execute(insert(ticket_type_pool), rows)
