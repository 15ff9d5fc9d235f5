"""Reading events, always with a constant number of queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, String, bindparam, cast, func, select
from sqlalchemy.orm import defer, joinedload, selectinload

from regsys.capacity import services as capacity
from regsys.capacity.models import Pool, PoolKind
from regsys.capacity.rules import PoolCount, places_left
from regsys.events import rules
from regsys.events.kinds import Rate, Visibility
from regsys.events.models import (
    Assignment,
    Event,
    Leader,
    Session,
    TicketType,
    ticket_type_pool,
)
from regsys.events.states import EventState
from regsys.kernel import tokens
from regsys.kernel.db import UtcDateTime, db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_

WHOLE = (
    joinedload(Event.venue),
    selectinload(Event.sessions),
    selectinload(Event.ticket_types).joinedload(TicketType.prices),
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

    `taken` are settled (paid or free), `held` are in carts and checkouts, or offered or owed to people who wait;
    `early_left` None: no first-N rule.
    """

    total: int | None
    taken: int
    held: int
    left: int | None
    early_total: int | None
    early_left: int | None
    left_by_type: Mapping[int, int | None]


def places_of(event_ids: Sequence[int], *, now: datetime) -> dict[int, Places]:
    """Count the places of these events, in one query, and in a second one where people wait."""
    counts: dict[int, list[tuple[PoolKind, PoolCount]]] = {e: [] for e in event_ids}
    by_type: dict[int, dict[int, list[int]]] = {e: {} for e in event_ids}
    for row in db.session.execute(_pools(), {"now": now, "events": list(event_ids)}):
        counts[row.event_id].append((row.kind, capacity.count_in(row)))
        for type_id in row.type_ids.split(",") if row.type_ids else ():
            by_type[row.event_id].setdefault(int(type_id), []).append(row.id)
    counts = capacity.set_aside(counts)
    return {e: _places(counts[e], by_type[e]) for e in event_ids}


@cache
def _pools() -> Select[Any]:
    """Return the question of `places_of`, put together once."""
    type_ids = func.aggregate_strings(cast(ticket_type_pool.c.ticket_type_id, String), ",")
    drawn_on = select(type_ids).where(ticket_type_pool.c.pool_id == Pool.id).scalar_subquery()
    query = capacity.counted(bindparam("now", type_=UtcDateTime()))
    query = query.add_columns(drawn_on.label("type_ids")).order_by(Pool.id)
    return query.where(Pool.event_id.in_(bindparam("events", expanding=True)))


def _places(
    counts: Sequence[tuple[PoolKind, PoolCount]], by_type: Mapping[int, list[int]]
) -> Places:
    total = next((c for kind, c in counts if kind is PoolKind.TOTAL), PoolCount(0, None, 0, 0))
    early = next((c for kind, c in counts if kind is PoolKind.EARLY), None)
    by_pool = {c.pool_id: c for _kind, c in counts}
    left_by_type = {
        t: places_left([by_pool[p] for p in pool_ids]) for t, pool_ids in by_type.items()
    }
    return Places(
        total=total.size,
        taken=total.settled,
        held=total.held + total.owed,
        left=total.free,
        early_total=early.size if early else None,
        early_left=early.free if early else None,
        left_by_type=left_by_type,
    )


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
        event.state,
        event.enrollment,
        event.starts_at,
        event.opens_at,
        event.closes_at,
        _left_to_buy(event, places),
        joins_until(event),
    )


def joins_until(event: Event) -> datetime | None:
    """Return until when a group that has begun takes newcomers; None where it begins with whoever is there."""
    if not event.join_meetings:
        return None
    meetings = [(s.starts_at, s.ends_at) for s in event.sessions]
    return rules.joins_until(meetings, event.join_meetings, starts_at=event.starts_at)


def last_call(event: Event) -> datetime:
    """Return when it is too late to come: the start, or the end of the last meeting at which newcomers are let in."""
    return joins_until(event) or event.starts_at


def share_of(event: Event, now: datetime) -> rules.Share | None:
    """Return which share of the meetings is left to pay for; None where the whole price is due."""
    if not event.pro_rata or now < event.starts_at:
        return None
    share = rules.share_left([s.starts_at for s in event.sessions], now)
    return None if share.whole else share


def to_pay(amount: int, share: rules.Share | None, currency: str) -> int:
    """Return what of a price is to pay now, in minor units."""
    return amount if share is None else rules.pro_rated(amount, share, currency)


def _left_to_buy(event: Event, places: Places) -> int | None:
    """Return the places left in all, or 0 where every ticket type on sale has run out in its own pools."""
    on_sale = [places.left_by_type.get(t.id, places.left) for t in event.ticket_types if t.on_sale]
    return 0 if on_sale and all(left == 0 for left in on_sale) else places.left


def price_of(ticket_type: TicketType, rate: Rate) -> int | None:
    """Return the price at a rate in minor units; None where the grid has no such cell."""
    return next((p.amount for p in ticket_type.prices if p.rate is rate), None)


# ---- what the public pages show


@dataclass(frozen=True)
class PriceRow:
    """One row of the price grid; `left` only where this type is scarcer than the event as a whole."""

    ticket_type: TicketType
    early: int | None
    regular: int
    now: int
    left: int | None


@dataclass(frozen=True)
class Listing:
    """An event as a row, a card or a page shows it; `meeting` is the usual session of a series."""

    event: Event
    places: Places
    standing: rules.Standing
    prices: Sequence[PriceRow]
    rate: Rate
    series: rules.Series | None
    meeting: Session | None
    # What is left of a group that has begun; None: the whole price is due.
    share: rules.Share | None = None

    @property
    def lowest(self) -> int | None:
        return min((p.now for p in self.prices), default=None)

    @property
    def highest(self) -> int | None:
        return max((p.now for p in self.prices), default=None)

    @property
    def leaders(self) -> list[Assignment]:
        return [a for a in self.event.assignments if a.public]

    @property
    def goes_out(self) -> bool:
        """Tell whether one registers elsewhere, at an address that can be a link."""
        is_web = self.event.external_url.startswith(("https://", "http://"))
        return self.standing is rules.Standing.ELSEWHERE and is_web

    @property
    def chairs(self) -> int:
        """Return how many leaders' chairs the ring shows."""
        return min(len(self.event.assignments), 2) or 2


def get_visible_event(slug: str, *, opened: Collection[int]) -> Event:
    """Get an event whose page a visitor may see; `opened`: ids that are open to them. Raise NotFound."""
    return check_visible(find_event(slug), opened=opened)


def check_visible(event: Event | None, *, opened: Collection[int]) -> Event:
    """Return an event that a visitor may see; raise NotFound, which says where members find the way."""
    if event is None or event.state is EventState.DRAFT:
        raise NotFound(N_("There is no such event."))
    if not rules.may_see(event.visibility, event.state, opened=event.id in opened):
        for_members = event.visibility is Visibility.MEMBERS
        raise NotFound(rules.FOR_MEMBERS if for_members else N_("There is no such event."))
    return event


def list_for_members() -> list[int]:
    """List the events that are for members only."""
    return list(db.session.scalars(select(Event.id).where(Event.visibility == Visibility.MEMBERS)))


def find_event_opened_by(slug: str, key_hash: str) -> int | None:
    """Find the id of the event at this address if its private link carries the key."""
    row = db.session.execute(
        select(Event.id, Event.private_key_hash).where(Event.slug == slug)
    ).one_or_none()
    if row is None or row.private_key_hash is None:
        return None
    return row.id if tokens.same(row.private_key_hash, key_hash) else None


def find_slug_opened_by(code: str) -> tuple[int, str] | None:
    """Find the event (id, address) that a typed code opens, however it was spelled; drafts open to nobody."""
    plain = "".join(code.split()).upper()
    hashes = {tokens.hash_token(one) for one in (code.strip(), plain)}
    query = select(Event.id, Event.slug).where(
        Event.private_key_hash.in_(hashes), Event.state != EventState.DRAFT
    )
    row = db.session.execute(query.order_by(Event.id)).first()
    return (row.id, row.slug) if row else None


def list_public(*, now: datetime, member: bool = False) -> list[Event]:
    """List the events that everyone may find, or a member, and that are not over, by start."""
    found_by = (Visibility.PUBLIC, Visibility.MEMBERS) if member else (Visibility.PUBLIC,)
    query = (
        select(Event)
        .where(Event.visibility.in_(found_by), Event.state != EventState.DRAFT)
        .where(Event.ends_at > now)
        # Public pages have no use for the sealed link, and opening the seal takes time.
        .options(*WHOLE, defer(Event.join_link), defer(Event.private_key))
        .order_by(Event.starts_at, Event.id)
    )
    return list(db.session.scalars(query))


def listings(events: Sequence[Event], *, now: datetime) -> list[Listing]:
    """Return how these events stand, in their order."""
    places = places_of([e.id for e in events], now=now)
    return [listing(e, places[e.id], now=now) for e in events]


def listing(
    event: Event, places: Places, *, now: datetime, as_if: EventState | None = None
) -> Listing:
    """Return how one event stands, or would stand in another state."""
    facts = sale_facts(event, places)
    if as_if is not None:
        facts = replace(facts, state=as_if)
    early = rules.EarlyRule(event.early_until, places.early_left)
    share = share_of(event, now)
    rows = [
        row
        for t in event.ticket_types
        if t.on_sale and (row := _price_row(t, places, early, share, now)) is not None
    ]
    has_early = any(r.early is not None for r in rows)
    series = rules.series_of([s.starts_at for s in event.sessions], event.time_zone)
    return Listing(
        event,
        places,
        rules.standing(facts, ends_at=event.ends_at, held=places.held, now=now),
        rows,
        rules.rate_for(early, has_early, now),
        series,
        _usual(event.sessions) if series else None,
        share,
    )


def _price_row(
    ticket_type: TicketType,
    places: Places,
    early: rules.EarlyRule,
    share: rules.Share | None,
    now: datetime,
) -> PriceRow | None:
    cheap, full = price_of(ticket_type, Rate.EARLY), price_of(ticket_type, Rate.REGULAR)
    regular = cheap if full is None else full
    if regular is None:
        return None
    rate = rules.rate_for(early, cheap is not None, now)
    price = cheap if rate is Rate.EARLY and cheap is not None else regular
    price = to_pay(price, share, ticket_type.event.currency)
    left = places.left_by_type.get(ticket_type.id, places.left)
    return PriceRow(ticket_type, cheap, regular, price, left if left != places.left else None)


def _usual(sessions: Sequence[Session]) -> Session:
    """Return the first session of the length that most have: the opening one is often longer."""
    lengths = [s.ends_at - s.starts_at for s in sessions]
    usual = max(lengths, key=lengths.count)
    return next(s for s in sessions if s.ends_at - s.starts_at == usual)


def list_led_event_ids(user_id: int) -> list[int]:
    """List the events that a person leads."""
    query = (
        select(Assignment.event_id)
        .join(Assignment.leader)
        .where(Leader.user_id == user_id)
        .order_by(Assignment.event_id)
    )
    return list(db.session.scalars(query))
