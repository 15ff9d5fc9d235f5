"""What an event has to sell, and which pools its places are drawn from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from sqlalchemy import ColumnElement, Select, String, cast, func, select

from regsys.capacity.models import Place, Pool, PoolKind
from regsys.events.kinds import Rate
from regsys.events.models import Event, Option, ticket_type_pool
from regsys.kernel.db import db
from regsys.registration import chosen, queries
from regsys.registration.models import Registration


@dataclass
class Shelf:
    """An event's pools: in all, by ticket type, and the early pool with its size, if there is one."""

    total_id: int | None = None
    by_type: dict[int, set[int]] = field(default_factory=dict)
    early_id: int | None = None
    early_size: int = 0
    # Something must be chosen with each place.
    must_choose: bool = False

    def pools(self, type_id: int) -> list[int]:
        """Return what a place of this type draws on: whatever the type names, and always the event's total."""
        named = self.by_type.get(type_id, set())
        return sorted(named | {self.total_id} if self.total_id else named)

    def add(
        self, pool_id: int, kind: PoolKind, type_id: int | None, places: int, must: int
    ) -> None:
        """Note a pool, once for each ticket type that draws on it."""
        if kind is PoolKind.EARLY:
            self.early_id, self.early_size = pool_id, places
        elif kind is PoolKind.TOTAL:
            self.total_id = pool_id
        if type_id:
            self.by_type.setdefault(type_id, set()).add(pool_id)
        self.must_choose = self.must_choose or bool(must)


@dataclass(frozen=True)
class Wanted:
    """What `capacity.claim` is asked for."""

    wanted: Sequence[tuple[int, Sequence[int]]]
    early: Sequence[tuple[int, int]]


def shelves_of(event_ids: Iterable[int]) -> dict[int, Shelf]:
    """Return the pools of these events, in one query."""
    query = _pools().add_columns(Pool.event_id).where(Pool.event_id.in_(set(event_ids)))
    found = {e: Shelf() for e in event_ids}
    for *pool, event_id in db.session.execute(query.order_by(Pool.id)):
        found[event_id].add(*pool)
    return found


def _pools() -> Select[int, PoolKind, int, int, int]:
    size = select(func.count()).where(Place.pool_id == Pool.id).scalar_subquery()
    one_of = select(func.count()).where(
        Option.pool_id == Pool.id, Option.on_sale, Option.choice != ""
    )
    columns = (Pool.id, Pool.kind, ticket_type_pool.c.ticket_type_id, size)
    return select(*columns, one_of.scalar_subquery()).outerjoin(
        ticket_type_pool, ticket_type_pool.c.pool_id == Pool.id
    )


def get_on_sale(slug: str, *, opened: Collection[int]) -> tuple[Event, Shelf]:
    """Get an event that this visitor may see, with its types and prices, and its pools, in one query.

    The pools come as text in one column: as rows they would multiply with types and prices. Raises NotFound.
    """
    pool, kind, type_id, size, must = _pools().selected_columns
    asked = (pool, kind, func.coalesce(type_id, 0), size, must)
    parts: list[ColumnElement[str]] = [cast(part, String) for part in asked]
    written = reduce(lambda one, other: one + " " + other, parts)
    pools = _pools().with_only_columns(func.aggregate_strings(written, ","))
    column = pools.where(Pool.event_id == Event.id).scalar_subquery()
    query = select(Event, column).where(Event.slug == slug).options(*queries.FOR_SALE)
    row = db.session.execute(query).unique().one_or_none()
    event = queries.seen(row[0] if row else None, opened)
    shelf = Shelf()
    for pool_of in str(row[1] or "").split(",") if row else ():
        if pool_of:
            number, kind_of, type_of, places, one_of = pool_of.split(" ")
            kind_is, type_is = PoolKind(kind_of), int(type_of) or None
            shelf.add(int(number), kind_is, type_is, int(places), int(one_of))
    return event, shelf


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
    found_options = chosen.list_choices([r.id for r in registrations])
    options = {r: [c.option.pool_id for c in choices] for r, choices in found_options.items()}
    wanted = [(r, [*pools, *options.get(r, ())]) for r, pools in found.wanted]
    return Wanted(wanted, [*found.early, *codes])


def get_for_sale(event_ids: Iterable[int]) -> dict[int, Event]:
    """Return these events with their ticket types and prices, freshly read in one query."""
    query = (
        select(Event)
        .where(Event.id.in_(set(event_ids)))
        .options(*queries.FOR_SALE)
        .execution_options(populate_existing=True)
    )
    return {e.id: e for e in db.session.scalars(query).unique()}
