"""What tests of hosts do: agree on seats, name them, ask for one, sweep."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from regsys.capacity.models import Claim
from regsys.events.kinds import Enrollment, EventKind, Visibility
from regsys.events.models import Event
from regsys.hosts import jobs, queries, services
from regsys.hosts.queries import Table
from regsys.kernel import clock, tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, transaction
from regsys.outbox.models import Message
from regsys.registration.models import Registration
from tests import cast

ORGANIZER = Actor("user", label="Tilda Marchbanks")
PRUDENCE = Actor("user", label="Prudence Larkhall-Vane")
CODE = "FERN-7K2Q"


def hosted(*, seats: int = 3, places: int = 4, price: int = 50000, **plan: Any) -> Event:
    """Make a private event whose host has seats in it, and invite its coordinator."""
    event = cast.make_event(
        places=places,
        types={"Seat": price},
        kind=EventKind.INTENSIVE_ON_THE_ROAD,
        visibility=Visibility.PRIVATE_LINK,
        enrollment=Enrollment.HOST_APPROVES,
        private_key=CODE,
        private_key_hash=tokens.hash_token(CODE),
    )
    agree(event, seats=seats, **plan)
    with transaction():
        services.invite(event.id, actor=ORGANIZER, now=clock.now())
    return event


def agree(event: Event, **plan: Any) -> None:
    """Write down what was agreed with the host."""
    values = {
        "organisation": "Fernhollow Health",
        "first_name": "Prudence",
        "last_name": "Larkhall-Vane",
        "email": "prudence@example.org",
        "seats": 3,
        "ticket_type_id": event.ticket_types[0].id,
        **plan,
    }
    with transaction():
        services.set_host(event.id, services.HostPlan(**values), actor=ORGANIZER, now=clock.now())


def name(event: Event, who: str) -> Registration:
    with transaction():
        person = cast.a_person(who)
        return services.name_seat(event.id, person, actor=PRUDENCE, now=clock.now())


def ask(event: Event, who: str) -> None:
    with transaction():
        services.ask(event.id, cast.a_person(who), now=clock.now())


def do(verb: Any, event: Event, *args: Any) -> Any:
    with transaction():
        return verb(event.id, *args, actor=PRUDENCE, now=clock.now())


def table(event: Event) -> Table:
    """Return the seats, freshly read."""
    db.session.rollback()
    db.session.expire_all()
    return queries.get_table(event.id, now=clock.now())


def words(event: Event) -> list[tuple[str, str]]:
    """Return (first name, state) of every named seat."""
    return [(s.first_name, str(s.word)) for s in table(event).seats]


def live(event: Event) -> int:
    """Count the places of an event that somebody holds at this moment."""
    db.session.rollback()
    lasting = (Claim.until.is_(None)) | (Claim.until > clock.now())
    query = select(func.count()).select_from(Claim).where(Claim.released_at.is_(None), lasting)
    return db.session.scalar(query) or 0


def sweep() -> None:
    db.session.rollback()
    jobs.sweep({})


def letters() -> list[tuple[str, str]]:
    """Return (kind, first name) of every letter, in order."""
    found = db.session.scalars(select(Message).order_by(Message.id))
    return [(m.kind, m.to_name.split()[0]) for m in found]


def in_days(n: float) -> Any:
    return clock.now() + timedelta(days=n)
