"""Reading attempts, as plain facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, select

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.payments import rules
from regsys.payments.models import PaymentAttempt
from regsys.payments.states import HOLDING, AttemptState
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState


@dataclass(frozen=True)
class Known:
    """An attempt as plain facts: they stay readable while Stripe is asked and no transaction is open."""

    id: int
    order_id: int
    state: AttemptState
    session_id: str | None
    url: str | None
    tag: str
    amount: int
    currency: str
    livemode: bool
    created_at: datetime
    expires_at: datetime
    asked_at: datetime | None
    # With which Stripe is asked, byte for byte.
    params: Mapping[str, Any]


def known_of(attempt: PaymentAttempt) -> Known:
    """Return an attempt's facts."""
    return Known(
        attempt.id,
        attempt.order_id,
        attempt.state,
        attempt.session_id,
        attempt.url,
        attempt.key,
        attempt.amount,
        attempt.currency,
        attempt.livemode,
        attempt.created_at,
        attempt.expires_at,
        attempt.asked_at,
        attempt.params,
    )


def get_attempt(attempt_id: int) -> Known:
    """Get an attempt's facts; raise NotFound."""
    attempt = db.session.get(PaymentAttempt, attempt_id, populate_existing=True)
    if attempt is None:
        raise NotFound(N_("There is no such payment."))
    return known_of(attempt)


def find_by_session(session_id: str) -> Known | None:
    """Find the attempt to which a session belongs."""
    attempt = _attempt(PaymentAttempt.session_id == session_id)
    return known_of(attempt) if attempt else None


def find_by_tag(tag: str) -> Known | None:
    """Find the attempt whose mark a session bears."""
    attempt = _attempt(PaymentAttempt.key == tag)
    return known_of(attempt) if attempt else None


def _attempt(which: ColumnElement[bool]) -> PaymentAttempt | None:
    return db.session.scalar(
        select(PaymentAttempt).where(which), execution_options={"populate_existing": True}
    )


def find_holding(order_id: int) -> PaymentAttempt | None:
    """Find the one attempt that may still bring money for an order."""
    return _attempt(
        (PaymentAttempt.order_id == order_id) & PaymentAttempt.state.in_(HOLDING),
    )


def get_holding(order_id: int) -> PaymentAttempt:
    """Get the one attempt that may still bring money for an order; raise NotFound."""
    attempt = find_holding(order_id)
    if attempt is None:
        raise NotFound(N_("There is no such payment."))
    return attempt


def list_awaiting(order_id: int) -> list[int]:
    """List the registrations of an order that wait for its money."""
    query = select(Registration.id).where(
        Registration.order_id == order_id,
        Registration.state == RegistrationState.AWAITING_PAYMENT,
    )
    return list(db.session.scalars(query))


def list_to_ask(*, livemode: bool, now: datetime, limit: int = 100) -> list[int]:
    """List attempts about which Stripe is asked now, those first that were not asked for longest.

    Attempts made with a key of the other mode are asked only after their end: then they are given up.
    """
    a = PaymentAttempt
    query = (
        select(a.id, a.created_at, a.asked_at, a.state)
        .where(a.state.in_(HOLDING), a.created_at <= now - rules.FIRST_ASK)
        .where((a.livemode == livemode) | (a.expires_at <= now))
        .order_by(func.coalesce(a.asked_at, a.created_at), a.id)
    )
    # Those that are not due yet are left out before the limit: what waits for a bank must not keep others waiting.
    due = (
        attempt_id
        for attempt_id, made, asked, state in db.session.execute(query)
        if rules.ask_due(made, asked, now, at_bank=state is AttemptState.PROCESSING)
    )
    return list(islice(due, limit))
