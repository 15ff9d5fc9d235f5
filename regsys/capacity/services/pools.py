"""How large pools are, and who is let into one that people draw on from now on."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, exists, insert, select, update

from regsys.capacity import rules
from regsys.capacity.models import Claim, Place, Pool, PoolKind
from regsys.capacity.services.claims import claim_row, connection, lock_pools, release_lapsed
from regsys.capacity.services.counting import LIVE
from regsys.kernel.db import db
from regsys.kernel.errors import Refused


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
    connection().execute(retired)


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
        connection().execute(update(Claim).where(Claim.id == claim_id).values(number=number))
    connection().execute(update(Pool).where(Pool.id == pool_id).values(sized=True))
    db.session.expire_all()


def unsize_pool(pool_id: int, *, now: datetime) -> None:
    """Let a sized pool never run out: live claims give their numbers back, and the places go."""
    lock_pools([pool_id])
    release_lapsed([pool_id], now=now)
    connection().execute(update(Pool).where(Pool.id == pool_id).values(sized=False))
    connection().execute(
        update(Claim)
        .where(Claim.pool_id == pool_id, LIVE)
        .values(last_number=Claim.number, number=None)
    )
    connection().execute(delete(Place).where(Place.pool_id == pool_id))
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
        claim_row(holder, pool_id, free[i] if sized else None, now, holders[holder])
        for i, holder in enumerate(new)
    ]
    if rows:
        connection().execute(insert(Claim), rows)


def note_waiting(pool_ids: Iterable[int]) -> None:
    """Remember that somebody waits for places of these pools; locks those where nobody has waited before."""
    fresh = update(Pool).where(Pool.id.in_(sorted(set(pool_ids))), ~Pool.waited)
    connection().execute(fresh.values(waited=True))


def _add_places(pool_id: int, numbers: range) -> None:
    if numbers:
        rows = [{"pool_id": pool_id, "number": n} for n in numbers]
        connection().execute(insert(Place), rows)


def _free_numbers(pool_id: int, *, limit: int | None = None, descending: bool = False) -> list[int]:
    taken = exists().where(Claim.pool_id == Place.pool_id, Claim.number == Place.number, LIVE)
    order = Place.number.desc() if descending else Place.number
    query = (
        select(Place.number).where(Place.pool_id == pool_id, ~taken).order_by(order).limit(limit)
    )
    return list(db.session.scalars(query))
