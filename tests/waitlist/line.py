"""What tests of the waiting list do: fill an event, wait, sweep, free a place, answer."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from regsys.events.models import Event
from regsys.kernel import clock
from regsys.kernel.actors import Actor, attendee
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refusal
from regsys.outbox.models import Message
from regsys.registration import services as registration
from regsys.registration.models import Order, Registration
from regsys.waitlist import jobs, queries, services
from regsys.waitlist.models import Entry, Offer
from tests import cast

ORGANIZER = Actor("user", id=None, label="Tilda Marchbanks")
FREE = {"Standard": 0}


def full_event(places: int = 2, **more: Any) -> tuple[Event, list[Registration]]:
    """Make an event and fill it with people who paid nothing or by card; return both."""
    more.setdefault("types", FREE)
    event = cast.make_event(places=places, **more)
    name = event.ticket_types[0].name
    people = [
        cast.list_people(
            cast.make_confirmed(event, [cast.a_person(f"Seated{i} Nutkin")], quantities={name: 1})
        )[0]
        for i in range(places)
    ]
    return event, people


def wait(event: Event, name: str, *, types: Sequence[str] = (), **more: Any) -> Entry:
    """Put somebody on the list."""
    ids = [t.id for t in event.ticket_types if not types or t.name in types]
    more.setdefault("profession", "Nurse")
    with transaction():
        made = services.join(
            event.id, services.Wish(cast.a_person(name), type_ids=ids, **more), now=clock.now()
        )
    assert not isinstance(made, Refusal), made
    return made


def sweep() -> None:
    """Run the job of the worker."""
    db.session.rollback()
    jobs.sweep({})


def cancel(registration_: Registration) -> None:
    """Cancel a place for which nothing was paid."""
    with transaction():
        registration.cancel_unpaid(
            registration_.id,
            event_id=registration_.event_id,
            reason="cannot come",
            actor=ORGANIZER,
            now=clock.now(),
        )


def accept(entry: Entry) -> Order:
    """Say yes to the offer that is open."""
    offer = open_offer(entry)
    with transaction():
        return services.accept(offer.id, actor=attendee(entry.name), now=clock.now())


def decline(entry: Entry) -> None:
    offer = open_offer(entry)
    with transaction():
        services.decline(offer.id, actor=attendee(entry.name), now=clock.now())


def open_offer(entry: Entry) -> Offer:
    """Return the last offer to somebody."""
    query = select(Offer).where(Offer.entry_id == entry.id).order_by(Offer.id.desc()).limit(1)
    found = db.session.scalar(query)
    assert found, f"{entry.name} was made no offer"
    return found


def finish(order: Order) -> Registration:
    """Fill in what is missing in an accepted cart, and place it."""
    people = cast.list_people(order)
    for i, r in enumerate(people):
        if not r.is_payer:
            person = cast.a_person(f"Party{order.id}x{i} Nutkin")
            with transaction():
                assert registration.describe_person(order.id, r.id, person, now=clock.now()) is None
    cast.make_answers(people[0])
    with transaction():
        registration.place(order.id, now=clock.now())
    return cast.list_people(order)[0]


def states(event: Event) -> list[tuple[str, str]]:
    """Return (first name, state) of everybody who is or was on the list, in order."""
    db.session.rollback()
    db.session.expire_all()
    return [(e.first_name, str(e.state)) for e in queries.list_entries(event.id)]


def letters() -> list[tuple[str, str]]:
    """Return (kind, first name) of the letters of this room, in order."""
    query = select(Message).where(Message.kind.like("waitlist%")).order_by(Message.id)
    return [
        (m.kind.removeprefix("waitlist_"), m.to_name.split()[0]) for m in db.session.scalars(query)
    ]
