"""Reading events, always with a constant number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from regsys.capacity import services as capacity
from regsys.capacity.models import Pool, PoolKind
from regsys.capacity.queries import list_pools
from regsys.capacity.rules import PoolCount, places_left
from regsys.events import rules
from regsys.events.kinds import Rate
from regsys.events.models import Assignment, Event, TicketType, ticket_type_pool
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_

WHOLE = (
    joinedload(Event.venue),
    selectinload(Event.sessions),
    selectinload(Event.ticket_types).selectinload(TicketType.prices),
    selectinload(Event.assignments).joinedload(Assignment.leader),
)


def find_event(slug: str) -> Event | None:
    """Find an event with everything its page shows."""
    return db.session.scalar(select(Event).where(Event.slug == slug).options(*WHOLE))


def get_event(event_id: int) -> Event:
    """Get an event with everything; raise NotFound."""
    event = db.session.scalar(select(Event).where(Event.id == event_id).options(*WHOLE))
    if event is None:
        raise NotFound(N_("There is no such event."))
    return event


def list_events(*, ids: Sequence[int] | None = None) -> list[Event]:
    """List events (all, or these) by start, with everything their rows show."""
    query = select(Event).options(*WHOLE).order_by(Event.starts_at, Event.id)
    return list(db.session.scalars(query if ids is None else query.where(Event.id.in_(ids))))


@dataclass(frozen=True)
class Places:
    """How an event stands, for rings and words; `total` and `left` None: places never run out.

    `taken` are settled (paid or free), `held` are in carts and checkouts; `early_left` None: no first-N rule.
    """

    total: int | None
    taken: int
    held: int
    left: int | None
    early_total: int | None
    early_left: int | None
    left_by_type: Mapping[int, int | None]


def places_of(event_ids: Sequence[int], *, now: datetime) -> dict[int, Places]:
    """Count the places of these events in a constant number of queries."""
    pools = list_pools(event_ids)
    counts = capacity.counts([p.id for p in pools], now=now)
    pools_by_type = _pools_by_type(event_ids)
    return {
        e: _places([p for p in pools if p.event_id == e], counts, pools_by_type.get(e, {}))
        for e in event_ids
    }


def _places(
    pools: list[Pool], counts: Mapping[int, PoolCount], by_type: Mapping[int, list[int]]
) -> Places:
    total = next(
        (counts[p.id] for p in pools if p.kind is PoolKind.TOTAL), PoolCount(0, None, 0, 0)
    )
    early = next((counts[p.id] for p in pools if p.kind is PoolKind.EARLY), None)
    left_by_type = {
        t: places_left([counts[p] for p in pool_ids]) for t, pool_ids in by_type.items()
    }
    return Places(
        total=total.size,
        taken=total.settled,
        held=total.held,
        left=total.free,
        early_total=early.size if early else None,
        early_left=early.free if early else None,
        left_by_type=left_by_type,
    )


def _pools_by_type(event_ids: Sequence[int]) -> dict[int, dict[int, list[int]]]:
    query = (
        select(TicketType.event_id, TicketType.id, ticket_type_pool.c.pool_id)
        .join(ticket_type_pool, ticket_type_pool.c.ticket_type_id == TicketType.id)
        .where(TicketType.event_id.in_(event_ids))
    )
    found: dict[int, dict[int, list[int]]] = {}
    for event_id, type_id, pool_id in db.session.execute(query):
        found.setdefault(event_id, {}).setdefault(type_id, []).append(pool_id)
    return found


def list_pool_ids(ticket_type_ids: Sequence[int]) -> dict[int, list[int]]:
    """List, for each ticket type, the pools it draws on."""
    query = select(ticket_type_pool).where(ticket_type_pool.c.ticket_type_id.in_(ticket_type_ids))
    found: dict[int, list[int]] = {t: [] for t in ticket_type_ids}
    for type_id, pool_id in db.session.execute(query):
        found[type_id].append(pool_id)
    return found


def sale_facts(event: Event, places: Places) -> rules.SaleFacts:
    """Return what decides whether a place can be had."""
    return rules.SaleFacts(
        event.state, event.enrollment, event.starts_at, event.opens_at, event.closes_at, places.left
    )


def price_of(ticket_type: TicketType, rate: Rate) -> int | None:
    """Return the price at a rate in minor units; None where the grid has no such cell."""
    return next((p.amount for p in ticket_type.prices if p.rate is rate), None)
