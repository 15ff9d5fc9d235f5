"""Places and prices: the pools of an event, its ticket types, its price grid and its early prices.

Pools are only ever changed by the verbs of `capacity`, which refuse to go below what people hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from regsys.capacity import services as capacity
from regsys.capacity.models import Pool, PoolKind
from regsys.capacity.queries import list_pools, list_used
from regsys.events import queries, rules
from regsys.events.kinds import InvoiceTerms, Proof, Rate
from regsys.events.models import Event, Price, TicketType, ticket_type_pool
from regsys.events.services.editing import changing
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_

CIRCLES = (PoolKind.INNER_CIRCLE, PoolKind.OUTER_CIRCLE)
POOL_NAMES = {
    PoolKind.TOTAL: "total",
    PoolKind.EARLY: "early",
    PoolKind.INNER_CIRCLE: "inner circle",
    PoolKind.OUTER_CIRCLE: "outer circle",
}

# What the plan says of the event itself.
_OF_EVENT = (
    "currency", "early_until", "opens_at", "closes_at", "minimum", "decide_at", "join_meetings",
    "pro_rata", "invoices", "invoice_days",
)  # fmt: skip
CURRENCY_FIXED = Refusal("CurrencyFixed", N_("People have registered, so the currency stays."))


@dataclass(frozen=True, kw_only=True)
class TypePlan:
    """One ticket type: `size` limits it beside the total (None: no limit of its own); amounts in minor units."""

    name: str
    regular: int
    early: int | None = None
    description: str = ""
    size: int | None = None
    room_part: int = 0
    circle: PoolKind | None = None
    proof: Proof = Proof.NONE
    on_sale: bool = True
    id: int | None = None


@dataclass(frozen=True, kw_only=True)
class PlacesPlan:
    """All that is for sale and when; a size of None means that these places never run out."""

    currency: str
    total: int | None
    inner: int | None = None
    outer: int | None = None
    early_first: int | None = None
    early_until: datetime | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    minimum: int | None = None
    join_meetings: int = 0
    pro_rata: bool = False
    decide_at: datetime | None = None
    invoices: InvoiceTerms = InvoiceTerms.NONE
    invoice_days: int = 30
    types: Sequence[TypePlan] = field(default_factory=tuple)


def set_places(
    event_id: int, plan: PlacesPlan, *, version: int | None, actor: Actor, now: datetime
) -> None:
    """Change places, ticket types, prices and the time of sale; ticket types that are not in the plan go.

    Locks the event's pools. Raises IllegalMove if somebody changed the event meanwhile; Refused below what people
    hold, for a type that has registrations, and for an amount that no card can be charged with.
    """
    with changing(event_id, "event.places_set", version=version, actor=actor, now=now) as (e, m):
        desk = _Desk(e, now)
        _check(e, plan, desk.used)
        before = desk.summary()
        for name in _OF_EVENT:
            setattr(e, name, getattr(plan, name))
        desk.fit(PoolKind.TOTAL, plan.total, always=True)
        desk.fit(PoolKind.EARLY, plan.early_first)
        asked = {t.circle for t in plan.types}
        desk.fit(PoolKind.INNER_CIRCLE, plan.inner, always=PoolKind.INNER_CIRCLE in asked)
        desk.fit(PoolKind.OUTER_CIRCLE, plan.outer, always=PoolKind.OUTER_CIRCLE in asked)
        for ticket_type, facts in _set_types(e, plan.types, desk.registered):
            desk.draw(ticket_type, facts)
        m["places"] = (before, desk.summary())


def _check(event: Event, plan: PlacesPlan, used: set[int]) -> None:
    if plan.currency != event.currency and used:
        raise Refused(CURRENCY_FIXED)
    seen: set[str] = set()
    for t in plan.types:
        if t.name.casefold() in seen:
            raise Refused(
                _named("NameTwice", N_("Two ticket types are called “%(name)s”."), t.name)
            )
        seen.add(t.name.casefold())
        if t.room_part > min(t.regular, t.regular if t.early is None else t.early):
            sentence = N_("More of “%(name)s” would be for the room than it costs.")
            raise Refused(_named("RoomPartTooMuch", sentence, t.name))
        for amount in (t.regular, t.early):
            refusal = rules.why_not_price(amount or 0, plan.currency)
            if refusal:
                raise Refused(refusal)


def _named(name: str, sentence: str, what: str) -> Refusal:
    return Refusal(name, sentence, {"name": what})


def _set_types(
    event: Event, plans: Sequence[TypePlan], registered: Mapping[int, int]
) -> list[tuple[TicketType, TypePlan]]:
    known = {t.id: t for t in event.ticket_types}
    made = [(known.pop(p.id) if p.id in known else TicketType(), p) for p in plans]
    for gone in known.values():
        if registered.get(gone.id):
            sentence = N_("“%(name)s” has registrations, so it stays: take it off sale instead.")
            raise Refused(_named("TypeUsed", sentence, gone.name))
        event.ticket_types.remove(gone)
    # Names are unique: those that change step aside first, so that two may swap.
    for ticket_type, plan in made:
        if ticket_type.id and ticket_type.name != plan.name:
            ticket_type.name = f"{plan.name[:80]} ({ticket_type.id})"
    db.session.flush()
    for position, (ticket_type, plan) in enumerate(made):
        if ticket_type not in event.ticket_types:
            event.ticket_types.append(ticket_type)
        ticket_type.name, ticket_type.description = plan.name, plan.description
        ticket_type.position, ticket_type.on_sale = position, plan.on_sale
        ticket_type.room_part, ticket_type.proof = plan.room_part, plan.proof
        _set_prices(ticket_type, {Rate.REGULAR: plan.regular, Rate.EARLY: plan.early})
    db.session.flush()
    return made


def _set_prices(ticket_type: TicketType, amounts: Mapping[Rate, int | None]) -> None:
    known = {p.rate: p for p in ticket_type.prices}
    for rate, amount in amounts.items():
        price = known.get(rate)
        if amount is None:
            if price:
                ticket_type.prices.remove(price)
        elif price:
            price.amount = amount
        else:
            ticket_type.prices.append(Price(rate=rate, amount=amount))


def fit_pool(pool: Pool, size: int | None, *, now: datetime) -> None:
    """Give a pool its size, or none: then it never runs out. Raises Refused below what people hold."""
    if size is None:
        if pool.sized:
            capacity.unsize_pool(pool.id, now=now)
    elif pool.sized:
        capacity.resize_pool(pool.id, size, now=now)
    else:
        capacity.size_pool(pool.id, size, now=now)


class _Desk:
    """The pools of one event under lock, who holds places in them, and which ticket type draws on which."""

    def __init__(self, event: Event, now: datetime) -> None:
        self.event, self.now = event, now
        pools = list_pools([event.id])
        capacity.lock_pools([p.id for p in pools])
        capacity.release_lapsed([p.id for p in pools], now=now)
        self.pools = {p.id: p for p in pools}
        self.used = list_used(list(self.pools))
        self.registered = queries.count_registrations_by_type(event.id)
        self.holders = queries.list_holders_by_type(event.id)
        self.drawn = queries.list_pool_ids([t.id for t in event.ticket_types])

    def find(self, kind: PoolKind) -> Pool | None:
        return next((p for p in self.pools.values() if p.kind is kind), None)

    def fit(self, kind: PoolKind, size: int | None, *, always: bool = False) -> None:
        """Give the pool of a kind its size; make it where it is wanted."""
        pool = self.find(kind)
        if pool is None:
            if size is not None or always:
                self._make(POOL_NAMES[kind], kind, size)
        else:
            fit_pool(pool, size, now=self.now)

    def _make(self, name: str, kind: PoolKind, size: int | None) -> Pool:
        pool = capacity.make_pool(event_id=self.event.id, name=name, kind=kind, size=size)
        self.pools[pool.id] = pool
        return pool

    def draw(self, ticket_type: TicketType, plan: TypePlan) -> None:
        """Let a ticket type draw on the total, on its own pool and on its circle."""
        total = self.find(PoolKind.TOTAL)
        assert total is not None
        self._link(ticket_type, total)
        own = self._own_pool(ticket_type)
        if own is not None:
            fit_pool(own, plan.size, now=self.now)
        elif plan.size is not None:
            name = f"{plan.name[:60]} ({ticket_type.id})"
            self._link(ticket_type, self._make(name, PoolKind.TICKET_TYPE, plan.size))
        self._set_circle(ticket_type, plan.circle)

    def _drawn(self, ticket_type: TicketType) -> list[Pool]:
        return [self.pools[p] for p in self.drawn.get(ticket_type.id, ())]

    def _own_pool(self, ticket_type: TicketType) -> Pool | None:
        own = queries.own_pool(ticket_type.id, self.drawn, self.pools)
        return None if own is None else self.pools[own]

    def _link(self, ticket_type: TicketType, pool: Pool) -> None:
        drawn = self.drawn.setdefault(ticket_type.id, [])
        if pool.id in drawn:
            return
        row = {"ticket_type_id": ticket_type.id, "pool_id": pool.id}
        db.session.execute(insert(ticket_type_pool).values(row))
        drawn.append(pool.id)
        # Whoever holds a place of this type already takes one here as well.
        capacity.admit(pool.id, self.holders.get(ticket_type.id, {}), now=self.now)

    def _set_circle(self, ticket_type: TicketType, circle: PoolKind | None) -> None:
        now_in = next((p for p in self._drawn(ticket_type) if p.kind in CIRCLES), None)
        if now_in is not None and now_in.kind is not circle:
            if self.registered.get(ticket_type.id):
                sentence = N_("“%(name)s” has registrations, so it stays in its circle.")
                raise Refused(_named("CircleUsed", sentence, ticket_type.name))
            here = ticket_type_pool.c
            mine = (here.ticket_type_id == ticket_type.id) & (here.pool_id == now_in.id)
            db.session.execute(ticket_type_pool.delete().where(mine))
            self.drawn[ticket_type.id].remove(now_in.id)
        wanted = self.find(circle) if circle else None
        if wanted is not None:
            self._link(ticket_type, wanted)

    def summary(self) -> dict[str, Any]:
        """Return pools and price grid as the audit keeps them."""
        sizes = capacity.counts(self.pools, now=self.now)
        return {
            "pools": {p.name: sizes[p.id].size for p in self.pools.values()},
            "types": [_line(t) for t in self.event.ticket_types],
        }


def _line(ticket_type: TicketType) -> list[Any]:
    """Return a ticket type as the audit keeps it."""
    prices = {str(p.rate): p.amount for p in ticket_type.prices}
    asks = [] if ticket_type.proof is Proof.NONE else [str(ticket_type.proof)]
    return [ticket_type.name, prices, ticket_type.on_sale, *asks]
