"""Reading what comes back if somebody takes a place again, and whether somebody has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from regsys.capacity.models import Claim, Pool, PoolKind
from regsys.events.models import Event
from regsys.kernel.db import db
from regsys.payments.models import Promise
from regsys.payments.queries.money import Scope, all_in
from regsys.registration.models import Order, Registration


def list_takers(*, promise_id: int | None = None, limit: int = 200) -> Sequence[tuple[int, int]]:
    """List (promise, who has taken the place) of open promises, the oldest first; the first taker of a chair counts.

    Chairs have numbers: it is the same chair, claimed after it was given up, by somebody else who was confirmed before
    the event began. Whoever keeps a promise already is left out.
    """
    query = _takers().order_by(Promise.id, Claim.since, Claim.id)
    if promise_id is not None:
        query = query.where(Promise.id == promise_id)
    found: dict[int, int] = {}
    for promise, taker in db.session.execute(query.limit(limit * 5)):
        if taker not in found.values():
            found.setdefault(promise, taker)
    return list(found.items())[:limit]


def _takers() -> Select[int, int]:
    left, old, other = aliased(Claim), aliased(Registration), aliased(Promise)
    # The chair in the event's whole, or - where that has no end - the one in a pool with a size.
    chair = (
        select(left.id)
        .join(Pool, Pool.id == left.pool_id)
        .where(left.registration_id == old.id, left.last_number.is_not(None))
        .where(Pool.kind != PoolKind.EARLY, left.released_at == old.ended_at)
        .order_by(Pool.kind != PoolKind.TOTAL, left.id)
        .limit(1)
        .correlate(old)
        .scalar_subquery()
    )
    given_up = aliased(Claim)
    return (
        select(Promise.id, Registration.id)
        .join(old, old.id == Promise.registration_id)
        .join(given_up, given_up.id == chair)
        .join(
            Claim,
            (Claim.pool_id == given_up.pool_id)
            & (func.coalesce(Claim.number, Claim.last_number) == given_up.last_number)
            & (Claim.since >= given_up.released_at)
            & (Claim.id != given_up.id),
        )
        .join(Registration, Registration.id == Claim.registration_id)
        .join(Event, Event.id == Registration.event_id)
        .where(Promise.kept_at.is_(None))
        .where(Registration.confirmed_at.is_not(None), Registration.confirmed_at < Event.starts_at)
        .where(func.coalesce(Registration.email_key, "") != func.coalesce(old.email_key, ""))
        .where(
            Registration.id.not_in(select(other.taken_by_id).where(other.taken_by_id.is_not(None)))
        )
    )


@dataclass(frozen=True)
class Waiting:
    """A promise that waits for somebody who takes the place."""

    promise: Promise
    registration: Registration
    event: Event
    order: Order


def list_waiting(scope: Scope = None, *, now: datetime, limit: int = 200) -> list[Waiting]:
    """List the promises that are open, of events that have not begun."""
    gone = aliased(Registration)
    query = (
        select(Promise, gone, Event, Order)
        .join(gone, gone.id == Promise.registration_id)
        .join(Event, Event.id == gone.event_id)
        .join(Order, Order.id == gone.order_id)
        .where(Promise.kept_at.is_(None), Event.starts_at > now, all_in(scope))
        .order_by(Event.starts_at, Promise.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in db.session.execute(query)]
