"""Taking and freeing places: the one file where anything scarce is taken, in one way.

Written with Core statements: the ORM costs three to five times as much on the sale path.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    distinct,
    exists,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from regsys.capacity import rules
from regsys.capacity.models import Claim, Place, Pool
from regsys.capacity.services.counting import LIVE, left_behind
from regsys.kernel.db import db
from regsys.kernel.errors import Refused


def lock_pools(pool_ids: Iterable[int]) -> dict[int, bool]:
    """Lock pools in ascending id and return which are sized. Lock once, as late as possible, before you count."""
    return {row.id: row.sized for row in _lock(pool_ids)}


def _lock(pool_ids: Iterable[int]) -> Sequence[Row[int, int | None, bool, bool]]:
    query = (
        select(Pool.id, Pool.event_id, Pool.sized, Pool.waited)
        .where(Pool.id.in_(sorted(set(pool_ids))))
        .order_by(Pool.id)
        .with_for_update()
    )
    return db.session.execute(query).all()


def release_lapsed(pool_ids: Sequence[int], *, now: datetime) -> None:
    """Release live claims of these pools whose end has come."""
    lapsed = (LIVE, Claim.pool_id.in_(pool_ids), Claim.until <= now)
    _release(lapsed, now=now)


def claim(
    wanted: Sequence[tuple[int, Sequence[int]]],
    *,
    now: datetime,
    until: datetime | None,
    up_to: Sequence[tuple[int, int]] = (),
    behind: bool = False,
) -> set[int]:
    """Claim, for each (registration id, pool ids), one place in each of its pools.

    Everything or nothing: raises Refused if any pool has too few places. Locks the pools, all at once.
    `up_to` names (registration id, pool id) pairs of which as many are served as there are places, in order: early
    prices for the first N. Returns the registrations that got such a place. `behind`: whoever waits comes first, and
    what they are owed counts as taken.
    """
    demand = _demand((r, p) for r, pool_ids in wanted for p in pool_ids)
    extra = _demand(up_to)
    holders = _demand([*((r, p) for p, rs in demand.items() for r in rs), *up_to])
    pools = _lock(holders)
    sized = {row.id: row.sized for row in pools}
    limits = {p: len(rs) for p, rs in holders.items() if sized[p]}
    free = _free_by_pool(limits, now=now)
    if behind:
        waited = {row.event_id for row in pools if row.waited and row.event_id}
        for p, left in left_behind(waited, now=now).items():
            if p in free:
                free[p] = free[p][:left]
    refusal = rules.why_full({p: len(rs) for p, rs in demand.items()}, free, sized)
    if refusal:
        raise Refused(refusal)
    rows = []
    for p, rs in holders.items():
        places: Sequence[int | None] = free[p] if sized[p] else [None] * len(rs)
        rows += [claim_row(r, p, n, now, until) for r, n in zip(rs, places, strict=False)]
    if rows:
        connection().execute(insert(Claim), rows)
    got = {(row["registration_id"], row["pool_id"]) for row in rows}
    return {r for p, rs in extra.items() for r in rs if (r, p) in got}


def claim_up_to(
    pool_id: int, registration_ids: Sequence[int], *, now: datetime, until: datetime | None
) -> list[int]:
    """Claim a place for as many of the registrations as there are free ones, in order; return those that got one."""
    got = claim([], now=now, until=until, up_to=[(r, pool_id) for r in registration_ids])
    return [r for r in registration_ids if r in got]


def hold(
    pool_ids: Sequence[int],
    count: int,
    *,
    now: datetime,
    until: datetime | None,
    at_most: bool = False,
) -> list[int]:
    """Hold so many places in each of these pools for somebody who is not registered yet; return the claims' ids.

    Everything or nothing: raises Refused if any pool has too few places; `at_most`: as many as each of them has. Locks
    the pools.
    """
    sized = lock_pools(pool_ids)
    release_lapsed(pool_ids, now=now)
    free = _free_by_pool({p: count for p in pool_ids if sized[p]}, now=now)
    if at_most:
        count = min([count, *map(len, free.values())])
    refusal = rules.why_full(dict.fromkeys(pool_ids, count), free, sized)
    if refusal:
        raise Refused(refusal)
    if not count:
        return []
    rows = [
        claim_row(None, p, free[p][i] if sized[p] else None, now, until)
        for p in pool_ids
        for i in range(count)
    ]
    return list(connection().scalars(insert(Claim).returning(Claim.id), rows))


def let_go(claim_ids: Sequence[int], *, now: datetime) -> None:
    """Free what was held for somebody who is not registered; may be repeated."""
    _release((LIVE, Claim.id.in_(claim_ids)), now=now)


def extend(registration_ids: Sequence[int], *, until: datetime | None, now: datetime) -> bool:
    """Move the end of these registrations' live claims (None: a checkout hold, or a settled place).

    Returns False, and changes nothing, where a registration no longer has a live claim whose end is still to come.
    """
    ids = set(registration_ids)
    other = aliased(Claim)
    # One statement: it counts the holders and moves the ends, or finds one missing and moves none.
    holders = (
        select(func.count(distinct(other.registration_id)))
        .where(other.released_at.is_(None), other.registration_id.in_(ids))
        .where(or_(other.until.is_(None), other.until > now))
        .scalar_subquery()
    )
    moved = (
        update(Claim)
        .where(LIVE, Claim.registration_id.in_(ids))
        .where(or_(Claim.until.is_(None), Claim.until > now), holders == len(ids))
        .values(until=until)
        .returning(Claim.registration_id)
    )
    return set(connection().scalars(moved)) == ids


def pass_on(holder_id: int, successor_id: int) -> None:
    """Let whatever one registration holds be held by another: the places never become free in between."""
    mine = (LIVE, Claim.registration_id == holder_id)
    connection().execute(update(Claim).where(*mine).values(registration_id=successor_id))


def release(
    registration_ids: Sequence[int], *, now: datetime, pools: Sequence[int] | None = None
) -> None:
    """Free whatever these registrations hold (in these `pools`); it needs no pool lock and may be repeated."""
    here = () if pools is None else (Claim.pool_id.in_(pools),)
    _release((LIVE, Claim.registration_id.in_(registration_ids), *here), now=now)


def _demand(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Return who wants a place, by pool."""
    demand: dict[int, list[int]] = {}
    for registration_id, pool_id in pairs:
        demand.setdefault(pool_id, []).append(registration_id)
    return demand


def claim_row(
    registration_id: int | None,
    pool_id: int,
    number: int | None,
    now: datetime,
    until: datetime | None,
) -> dict[str, Any]:
    return {
        "pool_id": pool_id,
        "sized": number is not None,
        "number": number,
        "registration_id": registration_id,
        "since": now,
        "until": until,
    }


def _free_by_pool(limits: Mapping[int, int], *, now: datetime) -> dict[int, list[int]]:
    """Return the first free numbers of each pool, as many as the limit says; what lapsed there is released."""
    here = exists().where(Claim.pool_id == Place.pool_id, Claim.number == Place.number, LIVE)
    taken = here.where(or_(Claim.until.is_(None), Claim.until > now))
    parts = [
        select(
            select(Place.pool_id, Place.number, here.label("lapsed"))
            .where(Place.pool_id == p, ~taken)
            .order_by(Place.number)
            .limit(n)
            .subquery()
        )
        for p, n in limits.items()
    ]
    found = db.session.execute(union_all(*parts)).all() if parts else []
    if any(row.lapsed for row in found):
        # Its holder may extend it at this moment, by an earlier clock: released first, it is free or it is not.
        release_lapsed(list(limits), now=now)
        found = db.session.execute(union_all(*parts)).all()
    free: dict[int, list[int]] = {p: [] for p in limits}
    for pool_id, number, _lapsed in found:
        free[pool_id].append(number)
    return {p: sorted(numbers) for p, numbers in free.items()}


def _release(which: tuple[Any, ...], *, now: datetime) -> None:
    connection().execute(
        update(Claim).where(*which).values(released_at=now, last_number=Claim.number, number=None)
    )


def connection() -> Connection:
    return db.session.connection()
