"""Stripe's events: stored first, marked together with their effects."""

from datetime import datetime

from sqlalchemy import case, update

from regsys.kernel.db import db, insert_new
from regsys.payments import queries
from regsys.payments.models import StripeEvent
from regsys.payments.rules import FOUND, Notice


def receive(notice: Notice, *, now: datetime, found: bool = False) -> bool:
    """Put an event into the inbox, once; return False if it has been processed already.

    `found`: it was not delivered, we have seen it in Stripe's list.
    """
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
    if insert_new(StripeEvent, row):
        return True
    event = queries.find_event(notice.id)
    return event is None or event.processed_at is None


def mark_event(event_id: str, outcome: str, *, now: datetime) -> None:
    """Mark an event as processed, in the transaction of its effects."""
    was_found = StripeEvent.outcome.startswith(FOUND, autoescape=True)
    marked = (
        update(StripeEvent)
        .where(StripeEvent.id == event_id, StripeEvent.processed_at.is_(None))
        .values(
            processed_at=now,
            outcome=case((was_found, f"{FOUND}{outcome}"[:40]), else_=outcome[:40]),
            error=None,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.execute(marked)


def fail_event(event_id: str, why: str) -> None:
    """Note that an event could not be processed: it stays due."""
    event = queries.find_event(event_id)
    if event and event.processed_at is None:
        event.tries += 1
        event.error = why[:500]
        db.session.flush()
