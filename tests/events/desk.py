"""What the tests of the organizer's side of events begin with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from regsys.capacity import services as capacity
from regsys.capacity.queries import list_pools
from regsys.events import queries, services
from regsys.events.kinds import EventKind, EventMode, LeaderLevel, PublicContact, Rate
from regsys.events.models import Event, TicketType
from regsys.events.services import LeaderFacts, PlacesPlan, TypePlan
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, transaction
from regsys.kernel.zones import moment
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState

PACIFIC = "America/Los_Angeles"
REGISTRAR = Actor(
    "user", 1, "Tilda Marchbanks", "tilda@example.org", frozenset({("registrar", None)})
)


def at(text: str, zone: str = PACIFIC) -> datetime:
    """Return the moment of a wall time such as "2027-05-14T09:00"."""
    return moment(datetime.fromisoformat(text), zone).at


def draft(now: datetime, **changes: Any) -> int:
    """Make a draft: three days in May 2027."""
    facts: dict[str, Any] = {
        "title": "Introductory Intensive",
        "kind": EventKind.LEADERSHIP_TRAINING_INTENSIVE,
        "mode": EventMode.IN_PERSON,
        "time_zone": PACIFIC,
        "starts_at": at("2027-05-14T09:00"),
        "ends_at": at("2027-05-16T13:30"),
        "currency": "USD",
    }
    with transaction():
        return services.create_event(**{**facts, **changes}, actor=REGISTRAR, now=now)


def plan(*types: TypePlan, **changes: Any) -> PlacesPlan:
    """Return a plan of places: 24 of them, one ticket type unless others are given."""
    given = types or (TypePlan(name="Clinicians in practice", regular=60000, early=54000),)
    return PlacesPlan(**{"currency": "USD", "total": 24, "types": given, **changes})


def set_places(event_id: int, now: datetime, places: PlacesPlan | None = None) -> None:
    """Give an event its places, whatever its version."""
    with transaction():
        services.set_places(event_id, places or plan(), version=None, actor=REGISTRAR, now=now)


def leader(now: datetime, name: str = "Lettice Oakenshire", **changes: Any) -> int:
    """Add a leader."""
    first, last = name.split()
    facts: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}@example.org".lower(),
        "level": LeaderLevel.CREDENTIALED_LEADER,
        "public_contact": PublicContact.EMAIL,
    }
    with transaction():
        wanted = LeaderFacts(**{**facts, **changes})
        return services.save_leader(None, wanted, actor=REGISTRAR, now=now)


def event(event_id: int) -> Event:
    """Read an event freshly."""
    db.session.rollback()
    db.session.expire_all()
    return queries.get_event(event_id)


def version(event_id: int) -> int:
    return event(event_id).version


def ticket(event_id: int, name: str = "Clinicians in practice") -> TicketType:
    return next(t for t in event(event_id).ticket_types if t.name == name)


def hold(
    event_id: int,
    how_many: int = 1,
    *,
    now: datetime,
    name: str = "Clinicians in practice",
    until: datetime | None = None,
) -> list[int]:
    """Let people hold places of a ticket type, and return their registrations."""
    type_id = ticket(event_id, name).id
    with transaction():
        ids = [_registration(event_id, type_id, now) for _ in range(how_many)]
        pools = queries.list_pool_ids([type_id])[type_id]
        capacity.claim([(i, pools) for i in ids], now=now, until=until)
    return ids


def _registration(event_id: int, type_id: int, now: datetime) -> int:
    token = tokens.new_token()
    order = Order(
        code=tokens.new_code(),
        token=token,
        token_hash=tokens.hash_token(token),
        currency="USD",
        created_at=now,
    )
    db.session.add(order)
    db.session.flush()
    registration = Registration(
        code=tokens.new_code(8),
        token=token,
        token_hash=tokens.hash_token(token),
        order_id=order.id,
        event_id=event_id,
        ticket_type_id=type_id,
        state=RegistrationState.DRAFT,
        state_at=now,
        rate=Rate.REGULAR,
        price=60000,
        created_at=now,
    )
    db.session.add(registration)
    db.session.flush()
    return registration.id


def let_go(registration_ids: Sequence[int], *, now: datetime) -> None:
    with transaction():
        capacity.release(registration_ids, now=now)


def sizes(event_id: int, now: datetime) -> dict[str, tuple[int | None, int]]:
    """Return each pool's size and how many hold a place in it."""
    db.session.rollback()
    pools = {p.id: p.name for p in list_pools([event_id])}
    counts = capacity.counts(pools, now=now)
    return {name: (counts[i].size, counts[i].settled + counts[i].held) for i, name in pools.items()}


NEVER = datetime(2030, 1, 1, tzinfo=UTC)
