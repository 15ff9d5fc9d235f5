"""Taking and freeing places: the one room where anything scarce is taken, in one way.

Written with Core statements: the ORM costs three to five times as much on the sale path.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update

from regsys.capacity import rules
from regsys.capacity.models import Claim, Place, Pool, PoolKind
from regsys.kernel.db import db
from regsys.kernel.errors import Refused

LIVE = Claim.released_at.is_(None)


def make_pool(*, event_id: int, name: str, kind: PoolKind, size: int | None) -> Pool:
    """Create a pool with `size` places (None: it never runs out)."""
    pool = Pool(event_id=event_id, name=name, kind=kind, sized=size is not None)
    db.session.add(pool)
    db.session.flush()
    _add_places(pool.id, range(1, (size or 0) + 1))
    return pool


def resize_pool(pool_id: int, size: int, *, now: datetime) -> None:
    """Grow by new places or shrink by free ones; raise Refused if fewer free ones are there than must go."""
    lock_pools([pool_id])
    release_lapsed([pool_id], now=now)
    numbers = list(
        db.session.scalars(
            select(Place.number).where(Place.pool_id == pool_id).order_by(Place.number)
        )
    )
    if size > len(numbers):
        top = numbers[-1] if numbers else 0
        _add_places(pool_id, range(top + 1, top + 1 + size - len(numbers)))
        return
    going = _free_numbers(pool_id, descending=True, limit=len(numbers) - size)
    if len(numbers) - len(going) > size:
        raise Refused(rules.places_taken(len(numbers) - len(going)))
    retired = delete(Place).where(Place.pool_id == pool_id, Place.number.in_(going))
    _connection().execute(retired)


def size_pool(pool_id: int, size: int, *, now: datetime) -> None:
    """Give an unsized pool a size: live claims get the first numbers; raise Refused if there are more of them."""
    lock_pools([pool_id])
    release_lapsed([pool_id], now=now)
    live = list(
        db.session.scalars(
            select(Claim.id).where(Claim.pool_id == pool_id, LIVE).order_by(Claim.id)
        )
    )
    if len(live) > size:
        raise Refused(rules.places_taken(len(live)))
    _add_places(pool_id, range(1, size + 1))
    for number, claim_id in enumerate(live, start=1):
        _connection().execute(update(Claim).where(Claim.id == claim_id).values(number=number))
    _connection().execute(update(Pool).where(Pool.id == pool_id).values(sized=True))
    db.session.expire_all()


def unsize_pool(pool_id: int, *, now: datetime) -> None:
    """Let a sized pool never run out: live claims give their numbers back, and the places go."""
    lock_pools([pool_id])
    release_lapsed([pool_id], now=now)
    connection = _connection()
    connection.execute(update(Pool).where(Pool.id == pool_id).values(sized=False))
    connection.execute(
        update(Claim)
        .where(Claim.pool_id == pool_id, LIVE)
        .values(last_number=Claim.number, number=None)
    )
    connection.execute(delete(Place).where(Place.pool_id == pool_id))
    db.session.expire_all()


def admit(pool_id: int, holders: Mapping[int, datetime | None], *, now: datetime) -> None:
    """Let registrations that already hold places elsewhere hold one here too, each until its own end.

    For a pool that a ticket type begins to draw on while people hold its places; raises Refused if they do not fit.
    """
    sized = lock_pools([pool_id])[pool_id]
    release_lapsed([pool_id], now=now)
    inside = select(Claim.registration_id).where(Claim.pool_id == pool_id, LIVE)
    new = sorted(set(holders) - set(db.session.scalars(inside)))
    free = _free_numbers(pool_id, limit=len(new)) if sized else []
    refusal = rules.why_full({pool_id: len(new)}, {pool_id: free}, {pool_id: sized})
    if refusal:
        raise Refused(refusal)
    rows = [
        {
            "pool_id": pool_id,
            "sized": sized,
            "number": free[i] if sized else None,
            "registration_id": holder,
            "since": now,
            "until": holders[holder],
        }
        for i, holder in enumerate(new)
    ]
    if rows:
        _connection().execute(insert(Claim), rows)


def lock_pools(pool_ids: Iterable[int]) -> dict[int, bool]:
    """Lock pools in ascending id and return which are sized. Lock once, as late as possible, before you count."""
    query = (
        select(Pool.id, Pool.sized)
        .where(Pool.id.in_(sorted(set(pool_ids))))
        .order_by(Pool.id)
        .with_for_update()
    )
    return {row.id: row.sized for row in db.session.execute(query)}


def release_lapsed(pool_ids: Sequence[int], *, now: datetime) -> None:
    """Release live claims of these pools whose end has come."""
    lapsed = (LIVE, Claim.pool_id.in_(pool_ids), Claim.until <= now)
    _release(lapsed, now=now)


def claim(
    wanted: Sequence[tuple[int, Sequence[int]]], *, now: datetime, until: datetime | None
) -> None:
    """Claim, for each (registration id, pool ids), one place in each of its pools.

    Everything or nothing: raises Refused if any pool has too few places. Locks the pools.
    """
    demand: dict[int, list[int]] = {}
    for registration_id, pool_ids in wanted:
        for pool_id in pool_ids:
            demand.setdefault(pool_id, []).append(registration_id)
    sized = lock_pools(demand)
    release_lapsed(list(demand), now=now)
    free = {
        p: _free_numbers(p, limit=len(holders)) if sized[p] else [] for p, holders in demand.items()
    }
    refusal = rules.why_full({p: len(h) for p, h in demand.items()}, free, sized)
    if refusal:
        raise Refused(refusal)
    rows = [
        {
            "pool_id": p,
            "sized": sized[p],
            "number": free[p][i] if sized[p] else None,
            "registration_id": holder,
            "since": now,
            "until": until,
        }
        for p, holders in demand.items()
        for i, holder in enumerate(holders)
    ]
    _connection().execute(insert(Claim), rows)


def claim_up_to(
    pool_id: int, registration_ids: Sequence[int], *, now: datetime, until: datetime | None
) -> list[int]:
    """Claim a place for as many of the registrations as there are free ones, in order; return those that got one.

    For early prices: the first N get one, the next pay the regular price. Locks the pool.
    """
    sized = lock_pools([pool_id])[pool_id]
    release_lapsed([pool_id], now=now)
    free = (
        _free_numbers(pool_id, limit=len(registration_ids))
        if sized
        else [None] * len(registration_ids)
    )
    got = list(registration_ids[: len(free)])
    rows = [
        {
            "pool_id": pool_id,
            "sized": sized,
            "number": n,
            "registration_id": r,
            "since": now,
            "until": until,
        }
        for r, n in zip(got, free, strict=False)
    ]
    if rows:
        _connection().execute(insert(Claim), rows)
    return got


def extend(registration_ids: Sequence[int], *, until: datetime | None, now: datetime) -> bool:
    """Move the end of these registrations' live claims (None: a checkout hold, or a settled place).

    Returns False, and changes nothing, where a registration no longer has a live claim whose end is still to come.
    """
    held = (
        LIVE,
        Claim.registration_id.in_(registration_ids),
        or_(Claim.until.is_(None), Claim.until > now),
    )
    holders = set(db.session.scalars(select(Claim.registration_id).where(*held)))
    if holders != set(registration_ids):
        return False
    _connection().execute(update(Claim).where(*held).values(until=until))
    return True


def release(registration_ids: Sequence[int], *, now: datetime) -> None:
    """Free whatever these registrations hold; freeing needs no pool lock and may be repeated."""
    _release((LIVE, Claim.registration_id.in_(registration_ids)), now=now)


def counts(pool_ids: Iterable[int], *, now: datetime) -> Mapping[int, rules.PoolCount]:
    """Count every pool's places and live claims; claims whose end has passed count as free."""
    ids = sorted(set(pool_ids))
    size = (
        select(Place.pool_id, func.count().label("n"))
        .where(Place.pool_id.in_(ids))
        .group_by(Place.pool_id)
    )
    sizes: dict[int, int] = {row.pool_id: row.n for row in db.session.execute(size)}
    alive = (LIVE, Claim.pool_id.in_(ids), or_(Claim.until.is_(None), Claim.until > now))
    live = (
        select(Claim.pool_id, func.count(Claim.until).label("held"), func.count().label("n"))
        .where(*alive)
        .group_by(Claim.pool_id)
    )
    taken = {row.pool_id: (row.n - row.held, row.held) for row in db.session.execute(live)}
    query = select(Pool.id, Pool.sized).where(Pool.id.in_(ids))
    sized = {row.id: row.sized for row in db.session.execute(query)}
    return {
        p: rules.PoolCount(p, sizes.get(p, 0) if is_sized else None, *taken.get(p, (0, 0)))
        for p, is_sized in sized.items()
    }


def _connection() -> Connection:
    return db.session.connection()


def _add_places(pool_id: int, numbers: range) -> None:
    if numbers:
        rows = [{"pool_id": pool_id, "number": n} for n in numbers]
        _connection().execute(insert(Place), rows)


def _free_numbers(pool_id: int, *, limit: int | None = None, descending: bool = False) -> list[int]:
    taken = exists().where(Claim.pool_id == Place.pool_id, Claim.number == Place.number, LIVE)
    order = Place.number.desc() if descending else Place.number
    query = (
        select(Place.number).where(Place.pool_id == pool_id, ~taken).order_by(order).limit(limit)
    )
    return list(db.session.scalars(query))


def _release(which: tuple[Any, ...], *, now: datetime) -> None:
    _connection().execute(
        update(Claim).where(*which).values(released_at=now, last_number=Claim.number, number=None)
    )
