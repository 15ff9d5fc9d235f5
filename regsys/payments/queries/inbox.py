"""Reading Stripe's events, and how they arrive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import func, select

from regsys.kernel.db import db
from regsys.payments import rules
from regsys.payments.models import PaymentAttempt, StripeEvent
from regsys.payments.states import AttemptState

ENDED = (AttemptState.PAID, AttemptState.EXPIRED, AttemptState.QUARANTINED)


def find_event(event_id: str) -> StripeEvent | None:
    """Find an event that came in."""
    return db.session.get(StripeEvent, event_id, populate_existing=True)


def find_due_event(event_id: str) -> StripeEvent | None:
    """Find an event that came in and whose effects are still to be made."""
    event = find_event(event_id)
    return event if event and event.processed_at is None else None


def list_due_events(*, now: datetime, limit: int = 100) -> list[str]:
    """List events that came in and whose effects are still to be made."""
    e = StripeEvent
    query = select(e.id, e.received_at, e.tries).where(e.processed_at.is_(None))
    waiting = db.session.execute(query.order_by(e.received_at))
    # Those that fail again and again are not due, and must not keep others waiting.
    due = (event_id for event_id, at, tries in waiting if rules.event_due(at, tries, now))
    return list(islice(due, limit))


def list_seen_events(ids: Sequence[str]) -> set[str]:
    """List which of these events are in the inbox."""
    return set(db.session.scalars(select(StripeEvent.id).where(StripeEvent.id.in_(ids))))


def list_failed_events(limit: int = 20) -> list[StripeEvent]:
    """List events that could not be processed so far, oldest first."""
    query = (
        select(StripeEvent)
        .where(StripeEvent.processed_at.is_(None), StripeEvent.tries > 0)
        .order_by(StripeEvent.received_at)
        .limit(limit)
    )
    return list(db.session.scalars(query))


@dataclass(frozen=True)
class Webhooks:
    """How Stripe's messages arrive. `silent`: they should have come, and did not."""

    last_at: datetime | None
    last_type: str | None
    silent: bool

    def age(self, now: datetime) -> timedelta | None:
        """Return how long ago the last message came; None: never."""
        return now - self.last_at if self.last_at else None


def webhooks(now: datetime) -> Webhooks:
    """Tell when Stripe's last message came and whether they are missing."""
    delivered = ~StripeEvent.outcome.startswith(rules.FOUND)
    newest = select(StripeEvent).where(delivered).order_by(StripeEvent.received_at.desc()).limit(1)
    last = db.session.scalar(newest)
    ended = select(func.max(PaymentAttempt.state_at)).where(
        PaymentAttempt.state.in_(ENDED), PaymentAttempt.session_id.is_not(None)
    )
    last_at = last.received_at if last else None
    silent = rules.is_silent(last_at, db.session.scalar(ended), now)
    return Webhooks(last_at, last.type if last else None, silent)


def last_event_age(now: datetime) -> timedelta | None:
    """Return how long ago Stripe's last message came; None: never."""
    return webhooks(now).age(now)
