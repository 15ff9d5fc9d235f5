"""Stripe's events: stored first, marked together with their effects."""

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite

from regsys.kernel.db import db
from regsys.payments import queries
from regsys.payments.models import StripeEvent
from regsys.payments.rules import FOUND, Notice


def receive(notice: Notice, *, now: datetime, found: bool = False) -> bool:
    """Put an event into the inbox, once; return False if it has been processed already.

    `found`: it was not delivered, we have seen it in Stripe's list.
    """
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    row = {
        "id": notice.id,
        "type": notice.type[:80],
        "object_id": notice.object_id,
        "livemode": notice.livemode,
        "api_version": notice.api_version,
        "created_at": notice.created_at,
        "received_at": now,
        "tries": 0,
        "outcome": FOUND if found else "",
    }
    db.session.execute(
        insert(StripeEvent).values(**row).on_conflict_do_nothing(index_elements=["id"])
    )
    event = queries.find_event(notice.id)
    return event is None or event.processed_at is None


def mark_event(event_id: str, outcome: str, *, now: datetime) -> None:
    """Mark an event as processed, in the transaction of its effects."""
    event = queries.find_event(event_id)
    if event and event.processed_at is None:
        event.processed_at = now
        mark = FOUND if event.outcome.startswith(FOUND) else ""
        event.outcome = f"{mark}{outcome}"[:40]
        event.error = None
        db.session.flush()


def fail_event(event_id: str, why: str) -> None:
    """Note that an event could not be processed: it stays due."""
    event = queries.find_event(event_id)
    if event and event.processed_at is None:
        event.tries += 1
        event.error = why[:500]
        db.session.flush()
