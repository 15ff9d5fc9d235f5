"""How full pools are, and what is owed to those who wait."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Row, Select, func, or_, select

from regsys.capacity import rules
from regsys.capacity.models import Claim, Place, Pool, PoolKind
from regsys.kernel.db import db

LIVE = Claim.released_at.is_(None)
Waits = Mapping[int, Sequence[rules.Party]]
WAITS = "regsys.waits"
ByEvent = dict[int, list[tuple[PoolKind, rules.PoolCount]]]


def use_waits(app: Flask, find_waits: Callable[[Sequence[int]], Waits]) -> None:
    """Let a room above say who waits for places of these events, in order: they come before the public."""
    app.extensions[WAITS] = find_waits


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


def left_behind(event_ids: Iterable[int], *, now: datetime) -> dict[int, int]:
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
