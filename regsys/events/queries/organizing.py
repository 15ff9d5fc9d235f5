"""Reading what organizers work with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, func, select

from regsys.capacity import services as capacity
from regsys.capacity.models import Claim, Pool, PoolKind
from regsys.capacity.queries import list_pool_holders, list_pools, list_used
from regsys.events import rules
from regsys.events.kinds import PublicContact, Rate
from regsys.events.models import Event, Leader, Venue
from regsys.events.queries.showing import list_pool_ids
from regsys.events.rules import linting
from regsys.events.rules.linting import Clash, Priced
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_, email_key

CIRCLES = (PoolKind.INNER_CIRCLE, PoolKind.OUTER_CIRCLE)
OWN = (PoolKind.TICKET_TYPE, PoolKind.ROOM, PoolKind.OTHER)


def is_slug_taken(slug: str) -> bool:
    """Tell whether an event has this address."""
    return db.session.scalar(select(Event.id).where(Event.slug == slug)) is not None


def was_used(event_id: int) -> bool:
    """Tell whether anybody ever held a place in this event."""
    return bool(list_used([p.id for p in list_pools([event_id])]))


def count_holding(event_id: int, *, now: datetime) -> int:
    """Count who holds a place in this event now."""
    holders = list_pool_holders([p.id for p in list_pools([event_id])])
    return sum(1 for until in holders.values() if until is None or until > now)


def publish_facts(event: Event) -> rules.PublishFacts:
    """Return what decides whether an event may be shown."""
    on_sale = [[p.amount for p in t.prices] for t in event.ticket_types if t.on_sale and t.prices]
    own = ("title", "kind", "enrollment", "visibility", "starts_at", "ends_at", "time_zone")
    more = ("currency", "opens_at", "closes_at", "external_name", "external_url")
    return rules.PublishFacts(
        **{name: getattr(event, name) for name in (*own, *more)},
        prices=on_sale,
        levels=[a.leader.level for a in event.assignments],
        can_be_asked=any(
            a.public and a.leader.public_contact is not PublicContact.NONE
            for a in event.assignments
        ),
        has_key=bool(event.private_key_hash),
    )


def gap_facts(event: Event, *, now: datetime) -> rules.GapFacts:
    """Return what an organizer may have forgotten."""
    sizes = pool_sizes(event, now=now)
    prices = [p for t in event.ticket_types if t.on_sale for p in t.prices]
    return rules.GapFacts(
        mode=event.mode,
        enrollment=event.enrollment,
        visibility=event.visibility,
        has_venue=event.venue_id is not None,
        has_link=bool(event.join_link),
        has_sessions=bool(event.sessions),
        has_leaders=bool(event.assignments),
        has_limit=sizes.total is not None,
        has_early_price=any(p.rate is Rate.EARLY for p in prices),
        has_early_rule=event.early_until is not None or sizes.early is not None,
    )


def list_clashes(event: Event) -> list[Clash]:
    """List percentages in an event's texts with which its prices do not agree."""
    texts = (event.summary, event.description, event.included, event.cost_note)
    types = [
        Priced(t.name, t.description, {p.rate: p.amount for p in t.prices})
        for t in event.ticket_types
        if t.on_sale
    ]
    return linting.list_clashes(texts, types)


def _registrations() -> Table:
    """Return the table of registrations, a room above: known by the foreign key of the claims."""
    (key,) = Claim.__table__.c.registration_id.foreign_keys
    table = key.column.table
    assert isinstance(table, Table)
    return table


def count_registrations_by_type(event_id: int) -> dict[int, int]:
    """Count the registrations of each ticket type, in whatever state."""
    r = _registrations().c
    query = select(r.ticket_type_id, func.count().label("n")).where(r.event_id == event_id)
    found = db.session.execute(query.group_by(r.ticket_type_id))
    return {row.ticket_type_id: row.n for row in found}


def list_holders_by_type(event_id: int) -> dict[int, dict[int, datetime | None]]:
    """List, for each ticket type, who holds a place and until when (None: no end)."""
    table = _registrations()
    query = (
        select(table.c.ticket_type_id, Claim.registration_id, Claim.until)
        .join(table, table.c.id == Claim.registration_id)
        .where(table.c.event_id == event_id, Claim.released_at.is_(None))
    )
    found: dict[int, dict[int, datetime | None]] = {}
    for type_id, registration_id, until in db.session.execute(query):
        found.setdefault(type_id, {})[registration_id] = until
    return found


def list_venues() -> list[Venue]:
    """List the houses and halls by name."""
    return list(db.session.scalars(select(Venue).order_by(Venue.name, Venue.id)))


def get_venue(venue_id: int) -> Venue:
    """Get a venue; raise NotFound."""
    venue = db.session.get(Venue, venue_id)
    if venue is None:
        raise NotFound(N_("There is no such venue."))
    return venue


def list_leaders() -> list[Leader]:
    """List everybody who leads, by name."""
    query = select(Leader).order_by(Leader.last_name, Leader.first_name, Leader.id)
    return list(db.session.scalars(query))


def get_leader(leader_id: int) -> Leader:
    """Get a leader; raise NotFound."""
    leader = db.session.get(Leader, leader_id)
    if leader is None:
        raise NotFound(N_("There is no such leader."))
    return leader


def find_leader_of(user_id: int) -> Leader | None:
    """Find the leader who signs in as this person."""
    return db.session.scalar(select(Leader).where(Leader.user_id == user_id))


def find_leader_by_email(email: str) -> Leader | None:
    """Find a leader by address in any spelling."""
    query = select(Leader).where(func.lower(Leader.email) == email_key(email))
    return db.session.scalar(query.limit(1))


@dataclass(frozen=True)
class PoolSizes:
    """How an event's places are divided; None: without limit. Keys are ticket types."""

    total: int | None
    early: int | None
    inner: int | None
    outer: int | None
    size_of: Mapping[int, int | None]
    circle_of: Mapping[int, PoolKind]


def pool_sizes(event: Event, *, now: datetime) -> PoolSizes:
    """Return how an event's places are divided."""
    pools = {p.id: p for p in list_pools([event.id])}
    counts = capacity.counts(pools, now=now)
    sizes = {p.kind: counts[p.id].size for p in pools.values()}
    drawn = list_pool_ids([t.id for t in event.ticket_types])
    own = {t: counts[p].size for t in drawn if (p := own_pool(t, drawn, pools)) is not None}
    circles = {
        t: pools[p].kind for t, ids in drawn.items() for p in ids if pools[p].kind in CIRCLES
    }
    return PoolSizes(
        total=sizes.get(PoolKind.TOTAL),
        early=sizes.get(PoolKind.EARLY),
        inner=sizes.get(PoolKind.INNER_CIRCLE),
        outer=sizes.get(PoolKind.OUTER_CIRCLE),
        size_of=own,
        circle_of=circles,
    )


def own_pool(
    type_id: int, drawn: Mapping[int, Sequence[int]], pools: Mapping[int, Pool]
) -> int | None:
    """Return the pool that limits one ticket type alone, whatever its places are; None: it has no limit of its own."""
    others = {p for t, ids in drawn.items() if t != type_id for p in ids}
    mine = (p for p in drawn.get(type_id, ()) if p not in others)
    return next((p for p in mine if pools[p].kind in OWN), None)
