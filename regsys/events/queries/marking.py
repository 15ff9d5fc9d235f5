"""What the page of an event is made of, read as text in one statement: while it is the same, so is the page."""

from collections.abc import Hashable
from datetime import datetime
from functools import cache

from sqlalchemy import TextClause, text

from regsys.events.models import (
    Assignment,
    Event,
    Leader,
    Option,
    Price,
    Session,
    TicketType,
    Venue,
)
from regsys.events.queries.showing import places_of
from regsys.kernel.db import Base, db
from regsys.policies.models import RefundPolicy

_MINE = "(SELECT id FROM event WHERE slug = :slug)"
# Whose rows the page shows, and which of them.
SHOWN: dict[type[Base], str] = {
    Event: "slug = :slug",
    Venue: "id = (SELECT venue_id FROM event WHERE slug = :slug)",
    RefundPolicy: "id = (SELECT policy_id FROM event WHERE slug = :slug)",
    Session: f"event_id = {_MINE}",
    TicketType: f"event_id = {_MINE}",
    Price: f"ticket_type_id IN (SELECT id FROM ticket_type WHERE event_id = {_MINE})",
    Option: f"event_id = {_MINE}",
    Assignment: f"event_id = {_MINE}",
    Leader: f"id IN (SELECT leader_id FROM leader_assignment WHERE event_id = {_MINE})",
}


def find_mark(slug: str, *, now: datetime) -> Hashable:
    """Return a value that differs whenever something differs of which an event's page is made; None: no such event.

    It is all of every row that the page shows, and how the places stand now: whoever changes an event has to remember
    nothing, and what is committed about other events does not make this page old.
    """
    rows = sorted(map(tuple, db.session.execute(_all_rows(), {"slug": slug})))
    event_id = next((int(key) for name, key, _row in rows if name == Event.__tablename__), None)
    if event_id is None:
        return None
    return tuple(rows), repr(places_of([event_id], now=now)[event_id])


@cache
def _all_rows() -> TextClause:
    """Return the statement, as text: an expression would be taken apart anew each time, for longer than it runs."""
    return text(" UNION ALL ".join(_rows(model, which) for model, which in SHOWN.items()))


def _rows(model: type[Base], which: str) -> str:
    name, columns = model.__tablename__, [c.name for c in model.__table__.columns]
    row = " || '\x1f' || ".join(f"coalesce(CAST(\"{c}\" AS VARCHAR), '\x1e')" for c in columns)
    key = "CAST(id AS VARCHAR)" if "id" in columns else "''"
    return f"SELECT '{name}', {key}, {row} FROM {name} WHERE {which}"
