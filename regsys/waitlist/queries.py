"""Reading the waiting list, always with a constant number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from regsys.applications import queries as applications
from regsys.applications.models import Application
from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.capacity.queries import list_pools
from regsys.capacity.rules import Party
from regsys.events.kinds import GROUP_KINDS
from regsys.events.models import Event, TicketType, ticket_type_pool
from regsys.events.queries import last_call, list_pool_ids
from regsys.events.states import EventState
from regsys.kernel import tokens
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.registration.models import Order, Registration
from regsys.registration.states import LIVE as REGISTERED
from regsys.registration.states import RegistrationState
from regsys.waitlist import rules
from regsys.waitlist.models import Entry, Offer, waitlist_choice, waitlist_place
from regsys.waitlist.states import LIVE
from regsys.waitlist.states import EntryState as S

WHOLE = (
    joinedload(Entry.event).joinedload(Event.venue),
    selectinload(Entry.types),
    selectinload(Entry.offers).joinedload(Offer.ticket_type),
)
IN_LINE = (Entry.position, Entry.id)


def list_parties(event_ids: Sequence[int]) -> dict[int, list[Party]]:
    """List who waits at these events and comes before the public, in order, with the pools that they would draw on."""
    query = (
        select(Entry.event_id, Entry.id, Entry.size, TicketType.id, ticket_type_pool.c.pool_id)
        .join(waitlist_choice, waitlist_choice.c.entry_id == Entry.id)
        .join(TicketType, TicketType.id == waitlist_choice.c.ticket_type_id)
        .join(ticket_type_pool, ticket_type_pool.c.ticket_type_id == TicketType.id)
        .join(Event, Event.id == Entry.event_id)
        .where(Entry.event_id.in_(event_ids), Event.waitlist)
        .where(Entry.state == S.WAITING, Entry.skipped_at.is_(None))
        .order_by(*IN_LINE, TicketType.position, TicketType.id)
    )
    found: dict[int, dict[int, tuple[int, dict[int, list[int]]]]] = {}
    for event_id, entry_id, size, type_id, pool_id in db.session.execute(query):
        _size, choices = found.setdefault(event_id, {}).setdefault(entry_id, (size, {}))
        choices.setdefault(type_id, []).append(pool_id)
    return {
        event_id: [Party(size, list(choices.values())) for size, choices in parties.values()]
        for event_id, parties in found.items()
    }


# ---- entries


def find_entry(token: str) -> Entry | None:
    """Find an entry by the secret of its link."""
    return db.session.scalar(_whole().where(Entry.token_hash == tokens.hash_token(token)))


def get_entry(entry_id: int, *, event_id: int | None = None) -> Entry:
    """Get an entry, of this event where one is named; raise NotFound."""
    query = _whole().where(Entry.id == entry_id)
    if event_id is not None:
        query = query.where(Entry.event_id == event_id)
    entry = db.session.scalar(query.execution_options(populate_existing=True))
    if entry is None:
        raise NotFound(N_("There is nobody like that on the list."))
    return entry


def find_offer(token: str) -> Offer | None:
    """Find an offer by the secret of its link."""
    return db.session.scalar(
        select(Offer)
        .where(Offer.token_hash == tokens.hash_token(token))
        .options(
            joinedload(Offer.ticket_type),
            joinedload(Offer.order),
            joinedload(Offer.entry).options(*WHOLE),
        )
    )


def find_live(event_id: int, email_key: str) -> Entry | None:
    """Find the entry of an address that is on an event's list."""
    query = _whole().where(Entry.event_id == event_id, Entry.email_key == email_key)
    return db.session.scalar(query.where(Entry.state.in_(LIVE)))


def find_of_application(application_id: int) -> Entry | None:
    """Find the entry with which an application waits, or waited."""
    return db.session.scalar(select(Entry).where(Entry.application_id == application_id))


def list_entries(event_id: int) -> list[Entry]:
    """List everybody who is or was on an event's list, in order."""
    query = _whole().where(Entry.event_id == event_id).order_by(*IN_LINE)
    return list(db.session.scalars(query))


def _whole() -> Select[Entry]:
    return select(Entry).options(*WHOLE)


def list_line(event_id: int) -> list[Entry]:
    """List who waits at an event, in order, freshly read."""
    query = _whole().where(Entry.event_id == event_id, Entry.state == S.WAITING).order_by(*IN_LINE)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def list_live(event_id: int) -> list[Entry]:
    """List everybody who is on an event's list, in order, freshly read."""
    query = _whole().where(Entry.event_id == event_id, Entry.state.in_(LIVE)).order_by(*IN_LINE)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def list_confirmed(entries: Sequence[Entry]) -> list[Entry]:
    """List which of these entries of one event have a confirmed place in it."""
    query = select(Registration.email_key).where(
        Registration.event_id.in_({e.event_id for e in entries}),
        Registration.email_key.in_([e.email_key for e in entries]),
        Registration.state == RegistrationState.CONFIRMED,
    )
    keys = set(db.session.scalars(query))
    return [e for e in entries if e.email_key in keys]


def list_live_ids(event_id: int) -> list[int]:
    """List the ids of the entries that are on an event's list."""
    query = select(Entry.id).where(Entry.event_id == event_id, Entry.state.in_(LIVE))
    return list(db.session.scalars(query.order_by(Entry.id)))


def next_position(event_id: int) -> int:
    """Return the position behind everybody."""
    last = db.session.scalar(select(func.max(Entry.position)).where(Entry.event_id == event_id))
    return (last or 0) + 1


@dataclass(frozen=True)
class Standing:
    """How a waiting party stands: which in line, of how many, and how many offers are out."""

    number: int
    waiting: int
    offered: int


def standing_of(entry: Entry) -> Standing:
    """Return how an entry stands; number 0: it does not wait."""
    query = (
        select(Entry.id, Entry.state)
        .where(Entry.event_id == entry.event_id, Entry.state.in_(LIVE))
        .order_by(*IN_LINE)
    )
    rows = db.session.execute(query).all()
    line = [row.id for row in rows if row.state is S.WAITING]
    number = line.index(entry.id) + 1 if entry.id in line else 0
    return Standing(number, len(line), len(rows) - len(line))


def count_by_event(event_ids: Sequence[int] | None = None) -> dict[int, dict[S, int]]:
    """Count who waits and who was made an offer, by event (None: everywhere)."""
    query = select(Entry.event_id, Entry.state, func.count()).where(Entry.state.in_(LIVE))
    if event_ids is not None:
        query = query.where(Entry.event_id.in_(event_ids))
    found: dict[int, dict[S, int]] = {}
    for event_id, state, n in db.session.execute(query.group_by(Entry.event_id, Entry.state)):
        found.setdefault(event_id, {})[state] = n
    return found


# ---- for the sweep


def list_events_with_line() -> list[int]:
    """List the events at which somebody waits."""
    query = select(Entry.event_id).where(Entry.state == S.WAITING).distinct()
    return list(db.session.scalars(query.order_by(Entry.event_id)))


def list_lapsed_offers(*, now: datetime) -> list[int]:
    """List the entries whose open offer is over."""
    query = select(Offer.entry_id).where(Offer.ended_at.is_(None), Offer.until <= now)
    return list(db.session.scalars(query.order_by(Offer.until, Offer.id)))


def list_over(*, now: datetime) -> list[int]:
    """List the events with a list that has come to its end: called off, or begun, or for a group over."""
    query = (
        select(Entry.event_id)
        .join(Event, Event.id == Entry.event_id)
        .where(Entry.state.in_(LIVE))
        .where(or_(Event.state == EventState.CANCELLED, _ended(now)))
        .distinct()
        .order_by(Entry.event_id)
    )
    return list(db.session.scalars(query))


def _ended(now: datetime) -> ColumnElement[bool]:
    """Say that a list has come to its end: with the event's beginning, for a group with its last day."""
    return case((Event.kind.in_(GROUP_KINDS), Event.ends_at), else_=Event.starts_at) <= now


def list_unfinished() -> list[int]:
    """List accepted offers whose cart was never placed and holds nothing any more, and of which nobody was told."""
    live = select(Registration.id).where(
        Registration.order_id == Offer.order_id, Registration.state.in_(REGISTERED)
    )
    query = (
        select(Offer.id)
        .join(Order, Order.id == Offer.order_id)
        .where(Offer.told_at.is_(None), Order.placed_at.is_(None), ~live.exists())
        .order_by(Offer.id)
    )
    return list(db.session.scalars(query))


def list_claim_ids(offer_id: int) -> list[int]:
    """List the claims that hold the places of an offer."""
    held = waitlist_place.c
    return list(db.session.scalars(select(held.claim_id).where(held.offer_id == offer_id)))


def list_to_enlist(*, now: datetime) -> list[int]:
    """List the applications that were accepted without a place, where a list runs and their address is not on it."""
    accepted = applications.list_accepted_without_place()
    on_it = and_(
        Entry.event_id == Application.event_id,
        or_(
            Entry.application_id == Application.id,
            and_(Entry.email_key == Application.email_key, Entry.state.in_(LIVE)),
        ),
    )
    query = (
        select(Application.id)
        .join(Application.event)
        .where(Application.id.in_(accepted), Event.waitlist, ~_ended(now))
        .where(~select(Entry.id).where(on_it).exists())
        .order_by(Application.state_at, Application.id)
    )
    return list(db.session.scalars(query)) if accepted else []


# ---- what the rules ask for


def get_facts(event: Event, *, now: datetime) -> rules.Facts:
    """Return how an event stands for those who wait."""
    pools = list_pools([event.id])
    counts = capacity.counts([p.id for p in pools], now=now)
    total = next((p.id for p in pools if p.kind is PoolKind.TOTAL), None)
    size = counts[total].size if total is not None else None
    return rules.Facts(
        listed=event.waitlist,
        state=event.state,
        kind=event.kind,
        starts_at=last_call(event),
        pools=list_pool_ids([t.id for t in event.ticket_types]),
        free={p: c.empty for p, c in counts.items() if c.empty is not None},
        total=total,
        places=size or 0,
        mix=rules.Mix(event.keep_physicians, event.keep_mental_health),
        present=_present(event.id),
    )


def _present(event_id: int) -> dict[rules.Group, int]:
    """Count the professions of everybody who has a place, or an offer of one."""
    here = (
        select(Registration.profession, func.count())
        .where(Registration.event_id == event_id, Registration.state.in_(REGISTERED))
        .group_by(Registration.profession)
    )
    asked = (
        select(Entry.profession, func.count())
        .where(Entry.event_id == event_id, Entry.state == S.OFFERED)
        .group_by(Entry.profession)
    )
    found: dict[rules.Group, int] = {}
    for query in (here, asked):
        for profession, n in db.session.execute(query):
            group = rules.group_of(profession)
            if group:
                found[group] = found.get(group, 0) + n
    return found


def waiting_of(entries: Sequence[Entry]) -> list[rules.Waiting]:
    """Return these entries as the rules see them."""
    keys = {(e.event_id, e.email_key) for e in entries}
    query = select(Registration.event_id, Registration.email_key).where(
        Registration.event_id.in_({event_id for event_id, _key in keys}),
        Registration.email_key.in_({key for _event_id, key in keys}),
        Registration.state.in_(REGISTERED),
    )
    here = {tuple(row) for row in db.session.execute(query)} if keys else set()
    return [
        rules.Waiting(
            id=e.id,
            size=e.size,
            types=[t.id for t in e.types],
            zone=e.zone,
            group=rules.group_of(e.profession),
            skipped=e.note if e.skipped_at else None,
            registered=(e.event_id, e.email_key) in here,
        )
        for e in entries
    ]


def turns_of(event: Event, *, now: datetime) -> Mapping[int, rules.Turn]:
    """Return what is decided at this moment for each party that waits, by entry."""
    line = waiting_of(list_line(event.id))
    return {t.id: t for t in rules.take_turns(get_facts(event, now=now), line, now)}
