"""Reading hosts and their seats. Only names, addresses and states are selected: what is not loaded cannot leak."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import joinedload

from regsys.capacity.models import Claim
from regsys.events.models import Event
from regsys.events.queries import list_pool_ids
from regsys.events.states import EventState
from regsys.hosts import rules
from regsys.hosts.models import Host, SeatRequest, host_place
from regsys.hosts.rules import Facts, SeatWord, seat_word
from regsys.hosts.states import RequestState
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.outbox.models import Message
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Order, Registration
from regsys.registration.states import LIVE, RegistrationState

SOURCES = (OrderSource.HOST, OrderSource.HOST_SEAT)


@dataclass(frozen=True)
class Seat:
    """A seat with a name: all that a coordinator knows of its person. `price` is in minor units."""

    id: int
    order_id: int
    first_name: str
    last_name: str
    email: str
    state: RegistrationState
    answered: bool
    price: int

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def word(self) -> SeatWord:
        return seat_word(self.state, answered=self.answered)


@dataclass(frozen=True)
class Table:
    """A host with everything that its pages show."""

    host: Host
    seats: Sequence[Seat]
    waiting: Sequence[SeatRequest]
    facts: Facts


def get_host(event_id: int) -> Host:
    """Get the host of an event; raise NotFound."""
    host = find_host(event_id)
    if host is None:
        raise NotFound(N_("This event has no host."))
    return host


def find_host(event_id: int) -> Host | None:
    """Find the host of an event, with the event, its place, and the order."""
    return db.session.scalar(_hosts().where(Host.event_id == event_id))


def _hosts() -> Select[Host]:
    return (
        select(Host)
        .options(
            joinedload(Host.event).joinedload(Event.venue),
            joinedload(Host.ticket_type),
            joinedload(Host.order),
        )
        .execution_options(populate_existing=True)
    )


def list_hosts(event_ids: Collection[int] | None) -> list[Host]:
    """List the hosts of these events (None: all), those to come last on top; drafts are not for coordinators."""
    query = _hosts().join(Host.event).where(Event.state != EventState.DRAFT)
    if event_ids is not None:
        query = query.where(Host.event_id.in_(event_ids))
    return list(db.session.scalars(query.order_by(Event.starts_at.desc(), Host.id)))


def list_seats(event_id: int) -> list[Seat]:
    """List the named seats of an event in the order in which they got their names."""
    r = Registration
    query = (
        select(
            r.id, r.order_id, r.first_name, r.last_name, r.email, r.state,
            r.answered_at.is_not(None).label("answered"), r.price,
        )
        .join(Order, Order.id == r.order_id)
        .where(r.event_id == event_id, Order.source.in_(SOURCES), r.state.in_(LIVE))
        .order_by(r.id)
    )  # fmt: skip
    return [Seat(**row._mapping) for row in db.session.execute(query)]


def get_seat(event_id: int, seat_id: int) -> Seat:
    """Get a named seat of an event; raise NotFound, also where it is another's or nobody's seat here."""
    found = next((s for s in list_seats(event_id) if s.id == seat_id), None)
    if found is None:
        raise NotFound(N_("There is no such seat."))
    return found


def list_claims(host_id: int, *, now: datetime) -> dict[int, list[int]]:
    """List the live claims that are kept for seats without a name, by pool."""
    query = (
        select(Claim.pool_id, Claim.id)
        .join(host_place, host_place.c.claim_id == Claim.id)
        .where(host_place.c.host_id == host_id, Claim.released_at.is_(None))
        .where(or_(Claim.until.is_(None), Claim.until > now))
        .order_by(Claim.id)
    )
    found: dict[int, list[int]] = {}
    for pool_id, claim_id in db.session.execute(query):
        found.setdefault(pool_id, []).append(claim_id)
    return found


def pools_of(host: Host) -> list[int]:
    """List the pools on which a seat of this host draws."""
    return list_pool_ids([host.ticket_type_id])[host.ticket_type_id]


def count_kept(host: Host, *, now: datetime) -> int:
    """Count the seats without a name for which places are kept, in each pool of their kind."""
    claims = list_claims(host.id, now=now)
    return min((len(claims.get(pool, ())) for pool in pools_of(host)), default=0)


def get_facts(host: Host, named: int, *, now: datetime) -> Facts:
    """Return what decides about the names of a host's seats."""
    event = host.event
    return Facts(
        event.state,
        event.starts_at,
        seats=host.seats,
        named=named,
        kept=count_kept(host, now=now),
        pays=host.pays,
        names_until=host.names_until,
        kept_until=host.kept_until,
    )


def get_table(event_id: int, *, now: datetime) -> Table:
    """Get the host of an event with its seats, and who asks for one; raise NotFound."""
    host = get_host(event_id)
    seats = list_seats(event_id)
    return Table(host, seats, list_waiting(host.id), get_facts(host, len(seats), now=now))


def list_waiting(host_id: int) -> list[SeatRequest]:
    """List who asks for a seat, the first on top."""
    query = select(SeatRequest).where(
        SeatRequest.host_id == host_id, SeatRequest.state == RequestState.WAITING
    )
    return list(db.session.scalars(query.order_by(SeatRequest.id)))


def get_request(event_id: int, request_id: int) -> SeatRequest:
    """Get somebody's wish for a seat of this event, freshly read; raise NotFound."""
    query = (
        select(SeatRequest)
        .join(SeatRequest.host)
        .where(SeatRequest.id == request_id, Host.event_id == event_id)
    )
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(N_("Nobody like that asks for a seat."))
    return found


# ---- what the sweep looks for


def list_upcoming(*, now: datetime) -> list[int]:
    """List the events with a host that take place and are to come."""
    query = (
        select(Host.event_id)
        .join(Host.event)
        .where(Event.starts_at > now, Event.state != EventState.CANCELLED)
        .order_by(Host.event_id)
    )
    return list(db.session.scalars(query))


def lapsed_key(registration_id: int) -> str:
    """Return the key under which somebody is told once that their unpaid seat was let go."""
    return f"seat-lapsed:{registration_id}"


def list_untold(*, now: datetime) -> list[int]:
    """List the registrations whose seat was not paid in time in the last days, and who do not know yet."""
    query = (
        select(Registration.id)
        .join(Order, Order.id == Registration.order_id)
        .where(Order.source == OrderSource.HOST_SEAT)
        .where(Registration.state == RegistrationState.EXPIRED)
        .where(Registration.state_at > now - rules.PAY_WITHIN)
        .order_by(Registration.id)
    )
    keys = {lapsed_key(i): i for i in db.session.scalars(query)}
    told = set(db.session.scalars(select(Message.key).where(Message.key.in_(keys))))
    return [i for key, i in keys.items() if key not in told]


def list_unanswered(*, now: datetime) -> list[int]:
    """List who asks for a seat that nobody can give any more: it is called off, or the time for names is over."""
    last = case((Host.names_until < Event.starts_at, Host.names_until), else_=Event.starts_at)
    query = (
        select(SeatRequest.id)
        .join(SeatRequest.host)
        .join(Host.event)
        .where(SeatRequest.state == RequestState.WAITING)
        .where(or_(Event.state == EventState.CANCELLED, last <= now))
    )
    return list(db.session.scalars(query.order_by(SeatRequest.id)))


def count_waiting(event_id: int) -> int:
    """Count who asks for a seat of an event."""
    query = select(func.count()).select_from(SeatRequest).join(SeatRequest.host)
    wanted = (Host.event_id == event_id, SeatRequest.state == RequestState.WAITING)
    return db.session.scalar(query.where(*wanted)) or 0
