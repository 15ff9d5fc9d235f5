"""Taking and freeing places: the one room where anything scarce is taken, in one way.

Written with Core statements: the ORM costs three to five times as much on the sale path.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy import (
    Connection,
    Row,
    Select,
    delete,
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
from regsys.capacity.models import Claim, Place, Pool, PoolKind
from regsys.kernel.db import db
from regsys.kernel.errors import Refused

LIVE = Claim.released_at.is_(None)
Waits = Mapping[int, Sequence[rules.Party]]
WAITS = "regsys.waits"
ByEvent = dict[int, list[tuple[PoolKind, rules.PoolCount]]]


def use_waits(app: Flask, find_waits: Callable[[Sequence[int]], Waits]) -> None:
    """Let a room above say who waits for places of these events, in order: they come before the public."""
    app.extensions[WAITS] = find_waits


def make_pool(*, event_id: int | None, name: str, kind: PoolKind, size: int | None) -> Pool:
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
        _claim_row(holder, pool_id, free[i] if sized else None, now, holders[holder])
        for i, holder in enumerate(new)
    ]
    if rows:
        _connection().execute(insert(Claim), rows)


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


def note_waiting(pool_ids: Iterable[int]) -> None:
    """Remember that somebody waits for places of these pools; locks those where nobody has waited before."""
    fresh = update(Pool).where(Pool.id.in_(sorted(set(pool_ids))), ~Pool.waited)
    _connection().execute(fresh.values(waited=True))


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
        for p, left in _left_behind(waited, now=now).items():
            if p in free:
                free[p] = free[p][:left]
    refusal = rules.why_full({p: len(rs) for p, rs in demand.items()}, free, sized)
    if refusal:
        raise Refused(refusal)
    rows = []
    for p, rs in holders.items():
        places: Sequence[int | None] = free[p] if sized[p] else [None] * len(rs)
        rows += [_claim_row(r, p, n, now, until) for r, n in zip(rs, places, strict=False)]
    if rows:
        _connection().execute(insert(Claim), rows)
    got = {(row["registration_id"], row["pool_id"]) for row in rows}
    return {r for p, rs in extra.items() for r in rs if (r, p) in got}


def claim_up_to(
    pool_id: int, registration_ids: Sequence[int], *, now: datetime, until: datetime | None
) -> list[int]:
    """Claim a place for as many of the registrations as there are free ones, in order; return those that got one."""
    got = claim([], now=now, until=until, up_to=[(r, pool_id) for r in registration_ids])
    return [r for r in registration_ids if r in got]


def _left_behind(event_ids: Iterable[int], *, now: datetime) -> dict[int, int]:
    """Return what is left of each pool of these events behind those who wait; pools without a limit are left out."""
    waits = _waits_for(event_ids)
    parties = [party for some in waits.values() for party in some]
    if not parties:
        return {}
    pools = {p for party in parties for choice in party.choices for p in choice}
    found = counts(pools, now=now)
    empty = {p: c.empty for p, c in found.items() if c.empty is not None}
    owed = rules.owed_to(parties, empty)
    return {p: n - owed[p] for p, n in empty.items()}


def _waits_for(event_ids: Iterable[int]) -> Waits:
    find: Callable[[Sequence[int]], Waits] | None = current_app.extensions.get(WAITS)
    asked = sorted(event_ids)
    return find(asked) if find and asked else {}


def hold(
    pool_ids: Sequence[int], count: int, *, now: datetime, until: datetime | None
) -> list[int]:
    """Hold so many places in each of these pools for somebody who is not registered yet; return the claims' ids.

    Everything or nothing: raises Refused if any pool has too few places. Locks the pools.
    """
    sized = lock_pools(pool_ids)
    release_lapsed(pool_ids, now=now)
    free = _free_by_pool({p: count for p in pool_ids if sized[p]}, now=now)
    refusal = rules.why_full(dict.fromkeys(pool_ids, count), free, sized)
    if refusal:
        raise Refused(refusal)
    rows = [
        _claim_row(None, p, free[p][i] if sized[p] else None, now, until)
        for p in pool_ids
        for i in range(count)
    ]
    return list(_connection().scalars(insert(Claim).returning(Claim.id), rows))


def let_go(claim_ids: Sequence[int], *, now: datetime) -> None:
    """Free what was held for somebody who is not registered; may be repeated."""
    _release((LIVE, Claim.id.in_(claim_ids)), now=now)


def _demand(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Return who wants a place, by pool."""
    demand: dict[int, list[int]] = {}
    for registration_id, pool_id in pairs:
        demand.setdefault(pool_id, []).append(registration_id)
    return demand


def _claim_row(
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
    return set(_connection().scalars(moved)) == ids


def pass_on(holder_id: int, successor_id: int) -> None:
    """Let whatever one registration holds be held by another: the places never become free in between."""
    mine = (LIVE, Claim.registration_id == holder_id)
    _connection().execute(update(Claim).where(*mine).values(registration_id=successor_id))


def release(
    registration_ids: Sequence[int], *, now: datetime, pools: Sequence[int] | None = None
) -> None:
    """Free whatever these registrations hold (in these `pools`); it needs no pool lock and may be repeated."""
    here = () if pools is None else (Claim.pool_id.in_(pools),)
    _release((LIVE, Claim.registration_id.in_(registration_ids), *here), now=now)


def counts(pool_ids: Iterable[int], *, now: datetime) -> Mapping[int, rules.PoolCount]:
    """Count every pool's places and live claims; claims whose end has passed count as free."""
    found = db.session.execute(counted(now).where(Pool.id.in_(set(pool_ids))))
    return {row.id: count_in(row) for row in found}


def set_aside(found: ByEvent) -> ByEvent:
    """Return the counts of events' pools with what is owed to those who wait; asks only where somebody ever waited."""
    waited = {e for e, pools in found.items() if any(c.waited for _kind, c in pools)}
    for event_id, parties in _waits_for(waited).items():
        pools = found[event_id]
        empty = {c.pool_id: c.empty for _kind, c in pools if c.empty is not None}
        owed = rules.owed_to(parties, empty)
        found[event_id] = [(k, replace(c, owed=owed.get(c.pool_id, 0))) for k, c in pools]
    return found


def counted(now: Any) -> Select[Any]:
    """Return a query of pools with their numbers at `now` (or its parameter); `count_in` reads its rows."""
    sizes = (
        select(func.count()).select_from(Place).where(Place.pool_id == Pool.id).scalar_subquery()
    )
    alive = (LIVE, Claim.pool_id == Pool.id, or_(Claim.until.is_(None), Claim.until > now))
    live = select(func.count()).select_from(Claim).where(*alive).scalar_subquery()
    held = select(func.count(Claim.until)).where(*alive).scalar_subquery()
    return select(
        Pool.id,
        Pool.event_id,
        Pool.kind,
        Pool.sized,
        Pool.waited,
        sizes.label("size"),
        live.label("live"),
        held.label("held"),
    )


def count_in(row: Row[Any]) -> rules.PoolCount:
    """Read how a pool stands from a row of `counted`."""
    size = row.size if row.sized else None
    return rules.PoolCount(row.id, size, row.live - row.held, row.held, waited=row.waited)


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
    _connection().execute(
        update(Claim).where(*which).values(released_at=now, last_number=Claim.number, number=None)
    )
