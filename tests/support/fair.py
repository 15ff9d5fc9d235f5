"""Events that are open for registration, for crowds to fall upon."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from regsys.events import queries, services
from regsys.events.kinds import EventKind, EventMode
from regsys.events.services import PlacesPlan, TypePlan
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, transaction
from regsys.kernel.settings import Settings
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState

ORGANIZER = Actor("system", label="tests")
TICKET = "Clinician"


@dataclass(frozen=True)
class Fair:
    """An open event with one ticket type."""

    event_id: int
    slug: str
    type_id: int
    pool_ids: tuple[int, ...]


def open_fair(
    *, places: int | None, now: datetime, price: int = 0, title: str = "Autumn Demonstration"
) -> Fair:
    """Publish an event that sells these places; amounts in minor units, 0 is free. Needs an app context."""
    starts_at = (now + timedelta(days=90)).replace(minute=0, second=0, microsecond=0)
    with transaction():
        event_id = services.create_event(
            title=title,
            kind=EventKind.INTRODUCTORY_DEMONSTRATION,
            mode=EventMode.IN_PERSON,
            time_zone="America/Los_Angeles",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=3),
            currency="USD",
            actor=ORGANIZER,
            now=now,
        )
    plan = PlacesPlan(currency="USD", total=places, types=(TypePlan(name=TICKET, regular=price),))
    with transaction():
        services.set_places(event_id, plan, version=None, actor=ORGANIZER, now=now)
    with transaction():
        services.publish_event(event_id, actor=ORGANIZER, now=now)
    event = queries.get_event(event_id)
    type_id = event.ticket_types[0].id
    pools = tuple(queries.list_pool_ids([type_id])[type_id])
    fair = Fair(event_id, event.slug, type_id, pools)
    db.session.rollback()
    return fair


def add_drafts(fair: Fair, how_many: int, *, now: datetime) -> list[int]:
    """Add nameless registrations that hold nothing yet, each in an order of its own, and return their ids."""
    with transaction() as session:
        made = [_draft(fair, now) for _ in range(how_many)]
        session.add_all(made)
        session.flush()
        return [r.id for r in made]


def _draft(fair: Fair, now: datetime) -> Registration:
    order = Order(
        code=tokens.new_code(10),
        token=tokens.new_token(),
        token_hash=tokens.hash_token(tokens.new_token()),
        currency="USD",
        created_at=now,
    )
    return Registration(
        code=tokens.new_code(12),
        token=order.token,
        token_hash=tokens.hash_token(tokens.new_token()),
        order=order,
        event_id=fair.event_id,
        ticket_type_id=fair.type_id,
        state=RegistrationState.DRAFT,
        state_at=now,
        rate="regular",
        price=0,
        created_at=now,
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """Return settings as `running()` takes them, so that a server shares keys and database with this process."""
    given = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name != "DATA_DIR"}
    return {name: _written(value) for name, value in given.items() if value is not None}


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(str(v) for v in value)
    return str(int(value)) if isinstance(value, bool) else str(value)
