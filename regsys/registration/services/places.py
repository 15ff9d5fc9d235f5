"""What an event has to sell, and which pools its places are drawn from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from regsys.capacity.models import Place, Pool, PoolKind
from regsys.events.kinds import Rate
from regsys.events.models import Event, TicketType, ticket_type_pool
from regsys.kernel.db import db
from regsys.registration.models import Registration


@dataclass
class Shelf:
    """An event's pools: in all, by ticket type, and the early pool with its size, if there is one."""

    total_id: int | None = None
    by_type: dict[int, set[int]] = field(default_factory=dict)
    early_id: int | None = None
    early_size: int = 0

    def pools(self, type_id: int) -> list[int]:
        """Return what a place of this type draws on: whatever the type names, and always the event's total."""
        named = self.by_type.get(type_id, set())
        return sorted(named | {self.total_id} if self.total_id else named)


@dataclass(frozen=True)
class Wanted:
    """What `capacity.claim` is asked for."""

    wanted: Sequence[tuple[int, Sequence[int]]]
    early: Sequence[tuple[int, int]]


def shelves_of(event_ids: Iterable[int]) -> dict[int, Shelf]:
    """Return the pools of these events, in one query."""
    size = select(func.count()).where(Place.pool_id == Pool.id).scalar_subquery()
    query = (
        select(Pool.event_id, Pool.id, Pool.kind, ticket_type_pool.c.ticket_type_id, size)
        .outerjoin(ticket_type_pool, ticket_type_pool.c.pool_id == Pool.id)
        .where(Pool.event_id.in_(set(event_ids)))
        .order_by(Pool.id)
    )
    found = {e: Shelf() for e in event_ids}
    for event_id, pool_id, kind, type_id, places in db.session.execute(query):
        shelf = found[event_id]
        if kind is PoolKind.EARLY:
            shelf.early_id, shelf.early_size = pool_id, places
        elif kind is PoolKind.TOTAL:
            shelf.total_id = pool_id
        if type_id is not None:
            shelf.by_type.setdefault(type_id, set()).add(pool_id)
    return found


def want(registrations: Sequence[Registration], shelves: Mapping[int, Shelf]) -> Wanted:
    """Return what these registrations draw on: the pools of their type, and the early pool at the early rate."""
    wanted = [(r.id, shelves[r.event_id].pools(r.ticket_type_id)) for r in registrations]
    early = [
        (r.id, early_id)
        for r in registrations
        if r.rate is Rate.EARLY and (early_id := shelves[r.event_id].early_id) is not None
    ]
    return Wanted(wanted, early)


def pools_of(registrations: Sequence[Registration]) -> Wanted:
    """Return what these registrations draw on, read from the database: uses of a code as far as there are any."""
    found = want(registrations, shelves_of({r.event_id for r in registrations}))
    codes = [(r.id, r.discount_code.pool_id) for r in registrations if r.discount_code]
    return Wanted(found.wanted, [*found.early, *codes])


def get_for_sale(event_ids: Iterable[int]) -> dict[int, Event]:
    """Return these events with their ticket types and prices, freshly read in one query."""
    query = (
        select(Event)
        .where(Event.id.in_(set(event_ids)))
        .options(joinedload(Event.ticket_types).joinedload(TicketType.prices))
        .execution_options(populate_existing=True)
    )
    return {e.id: e for e in db.session.scalars(query).unique()}
