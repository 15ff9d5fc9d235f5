"""Reading pools and holds."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from regsys.capacity.models import Claim, Pool, PoolKind
from regsys.kernel.db import db


def list_pools(event_ids: Sequence[int]) -> list[Pool]:
    """List the pools of these events."""
    query = select(Pool).where(Pool.event_id.in_(event_ids)).order_by(Pool.event_id, Pool.id)
    return list(db.session.scalars(query))


def find_pool(event_id: int, kind: PoolKind) -> Pool | None:
    """Find the event's pool of a kind that it has once (total, early)."""
    return db.session.scalar(
        select(Pool).where(Pool.event_id == event_id, Pool.kind == kind).limit(1)
    )


def find_hold_end(registration_ids: Sequence[int]) -> datetime | None:
    """Find when the first of these registrations' live claims ends; None: no end, or no claim."""
    query = select(func.min(Claim.until)).where(
        Claim.released_at.is_(None), Claim.registration_id.in_(registration_ids)
    )
    return db.session.scalar(query)


def list_holding(registration_ids: Sequence[int]) -> set[int]:
    """List which of these registrations have a live claim, whatever its end."""
    query = select(Claim.registration_id).where(
        Claim.released_at.is_(None), Claim.registration_id.in_(registration_ids)
    )
    return {r for r in db.session.scalars(query) if r is not None}


def list_used(pool_ids: Sequence[int]) -> set[int]:
    """List which of these pools ever had a claim, live or not."""
    query = select(Claim.pool_id).where(Claim.pool_id.in_(pool_ids)).distinct()
    return set(db.session.scalars(query))


def list_pool_holders(pool_ids: Sequence[int]) -> dict[int, datetime | None]:
    """List who holds a place in these pools now, with the end of the hold (None: no end)."""
    query = select(Claim.registration_id, Claim.until).where(
        Claim.pool_id.in_(pool_ids), Claim.released_at.is_(None)
    )
    return {r: until for r, until in db.session.execute(query) if r is not None}
