"""Plain functions that make what tests need; each opens its own transaction, so call them outside of one.

Rows that come back stay attached to the test's session (fixture `db`); after a request in between, read them afresh.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.accounts import services as accounts
from regsys.accounts.kinds import Role
from regsys.accounts.models import Grant, User
from regsys.accounts.setup import TOKEN
from regsys.capacity import services as capacity
from regsys.capacity.models import Pool, PoolKind
from regsys.events.kinds import (
    Enrollment,
    EventKind,
    EventMode,
    LeaderLevel,
    LeaderRole,
    PublicContact,
    Rate,
    Visibility,
)
from regsys.events.models import (
    Assignment,
    Event,
    Leader,
    Price,
    Session,
    TicketType,
    Venue,
    ticket_type_pool,
)
from regsys.events.states import EventState
from regsys.kernel import clock
from regsys.kernel.actors import STRIPE
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.questions.kinds import QuestionType
from regsys.questions.models import Question
from regsys.registration import services
from regsys.registration.models import Order, Registration
from regsys.registration.services import PaidOutcome, Person

_count = itertools.count(1)

# Ticket type → price in cents, or (early, regular).
Prices = Mapping[str, int | tuple[int, int]]
STANDARD: Prices = {"Standard": 99000}


def make_event(
    *,
    places: int | None = 32,
    types: Prices = STANDARD,
    early_places: int | None = None,
    own_places: Mapping[str, int] | None = None,
    sessions: Sequence[tuple[datetime, datetime]] = (),
    now: datetime | None = None,
    **changes: Any,
) -> Event:
    """Make a published event in five months that sells `places` places (None: without limit).

    `early_places`: a pool of the first N early prices. `own_places`: ticket types with a pool of their own.
    """
    now = now or clock.now()
    n = next(_count)
    start = now + timedelta(days=149)
    values = {
        "slug": f"event-{n}",
        "kind": EventKind.LEADERSHIP_TRAINING_INTENSIVE,
        "mode": EventMode.IN_PERSON,
        "visibility": Visibility.PUBLIC,
        "enrollment": Enrollment.OPEN,
        "state": EventState.PUBLISHED,
        "state_at": now,
        "title": f"Intensive {n}",
        "time_zone": "America/Los_Angeles",
        "starts_at": start,
        "ends_at": start + timedelta(days=3),
        "currency": "USD",
        "created_at": now,
        **changes,
    }
    with transaction():
        event = Event(**values)
        event.sessions = [
            Session(starts_at=a, ends_at=b, title=f"Meeting {i}")
            for i, (a, b) in enumerate(sessions, start=1)
        ]
        db.session.add(event)
        db.session.flush()
        total = capacity.make_pool(
            event_id=event.id, name="total", kind=PoolKind.TOTAL, size=places
        )
        if early_places is not None:
            capacity.make_pool(
                event_id=event.id, name="early", kind=PoolKind.EARLY, size=early_places
            )
        for position, (name, price) in enumerate(types.items()):
            own = (own_places or {}).get(name)
            _make_type(event, name, position, price, total, own)
    return event


def _make_type(
    event: Event,
    name: str,
    position: int,
    price: int | tuple[int, int],
    total: Pool,
    own: int | None,
) -> None:
    amounts = (
        {Rate.REGULAR: price} if isinstance(price, int) else dict(zip(Rate, price, strict=True))
    )
    made = TicketType(name=name, position=position)
    made.prices = [Price(rate=rate, amount=amount) for rate, amount in amounts.items()]
    event.ticket_types.append(made)
    db.session.flush()
    pools = [total.id]
    if own is not None:
        kind = PoolKind.TICKET_TYPE
        pools.append(capacity.make_pool(event_id=event.id, name=name, kind=kind, size=own).id)
    rows = [{"ticket_type_id": made.id, "pool_id": p} for p in pools]
    db.session.execute(ticket_type_pool.insert(), rows)


def make_question(event: Event, key: str, type: str = "short_text", **changes: Any) -> Question:
    """Ask a question at an event."""
    values = {
        "label": key.replace("_", " ").capitalize(),
        "column_title": key,
        "position": next(_count),
        "created_at": clock.now(),
        **changes,
    }
    with transaction():
        question = Question(event_id=event.id, key=key, type=QuestionType(type), **values)
        db.session.add(question)
    return question


def make_venue(**changes: Any) -> Venue:
    """Make a house."""
    values = {"name": "Riverbend House", "address": "100 Example Street", "city": "Spokane"}
    with transaction():
        venue = Venue(**{**values, **changes})
        db.session.add(venue)
    return venue


# ---- carts, orders, registrations


def a_person(name: str = "Lysander Saltmarsh", email: str | None = None) -> Person:
    """Return a person; the address follows from the name."""
    first, _, last = name.partition(" ")
    return Person(first, last or "Nutkin", email or f"{name.lower().replace(' ', '.')}@example.org")


def make_cart(
    event: Event,
    *,
    quantities: Mapping[str, int] | None = None,
    cart: Order | None = None,
    minutes: int = 30,
) -> Order:
    """Hold places: one of the first ticket type, or `quantities` by the type's name."""
    types = {t.name: t.id for t in event.ticket_types}
    wanted = {types[n]: q for n, q in (quantities or {next(iter(types)): 1}).items()}
    with transaction():
        return services.put_in_cart(
            event.id, wanted, cart_id=cart.id if cart else None, minutes=minutes, now=clock.now()
        )


def fill_cart(order: Order, people: Sequence[Person] = (), *, payer: Person | None = None) -> Order:
    """Name everybody in a cart; the first is the payer, and comes, unless `payer` is somebody else."""
    now = clock.now()
    rows = list_people(order)
    people = people or [
        a_person("Lysander Saltmarsh"),
        *(a_person(f"Guest{i} Nutkin") for i in range(2, len(rows) + 1)),
    ]
    mine = {} if payer else {rows[0].event_id: rows[0].ticket_type_id}
    with transaction():
        refusal = services.describe_payer(
            order.id, payer or people[0], phone="", mine=mine, now=now
        )
        assert refusal is None, refusal
    for r, person in zip(rows, people, strict=True):
        if payer or r is not rows[0]:
            with transaction():
                refusal = services.describe_person(order.id, r.id, person, now=now)
                assert refusal is None, refusal
    if not payer:
        make_answers(rows[0])
    return order


def make_answers(registration: Registration, **values: Any) -> None:
    """Answer the form of one person; `values` are what is stored, by question."""
    about = {"profession": "Physician", "credentials": "MD", "workplace": "Copperline Clinic"}
    with transaction():
        services.answer(
            registration.order_id,
            registration.id,
            about=about,
            values=values,
            kept=[],
            actor=STRIPE,
            now=clock.now(),
        )


def make_order(
    event: Event,
    people: Sequence[Person] = (),
    *,
    payer: Person | None = None,
    quantities: Mapping[str, int] | None = None,
) -> Order:
    """Make a placed order that waits for payment (or is confirmed where the event is free)."""
    names = {"quantities": quantities} if quantities else {}
    if people and not quantities:
        names = {"quantities": {event.ticket_types[0].name: len(people)}}
    order = fill_cart(make_cart(event, **names), people, payer=payer)
    with transaction():
        services.place(order.id, now=clock.now())
    return order


def make_confirmed(event: Event, people: Sequence[Person] = (), **more: Any) -> Order:
    """Make an order that is paid by card and confirmed; letters are in the outbox."""
    order = make_order(event, people, **more)
    now = clock.now()
    total = sum(r.price for r in list_people(order))
    if total:
        with transaction():
            ledger.record_payment(
                order.id,
                amount=total,
                currency=order.currency,
                method=Method.CARD,
                actor=STRIPE,
                now=now,
                reference=f"pi_cast_{order.id}",
            )
            outcome = services.confirm_paid(order.id, actor=STRIPE, now=now)
            assert outcome is PaidOutcome.CONFIRMED
    return order


def list_people(order: Order) -> list[Registration]:
    """List an order's registrations, freshly read."""
    query = select(Registration).where(Registration.order_id == order.id).order_by(Registration.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


# ---- people who sign in


def make_user(role: str = "registrar", *, event: Event | None = None, name: str = "") -> User:
    """Make somebody who signs in with a role, for one event or for all; role "leader" makes a leader of the event."""
    n = next(_count)
    first, _, last = (name or f"{role.capitalize()} Number{n}").partition(" ")
    with transaction():
        address = f"{role}{n}@example.org"
        user = User(
            email=address,
            email_key=address,
            first_name=first,
            last_name=last,
            created_at=clock.now(),
        )
        db.session.add(user)
        db.session.flush()
        if role != "leader":
            db.session.add(
                Grant(user_id=user.id, role=Role(role), event_id=event.id if event else None)
            )
        else:
            _make_leader(user, first, last, event)
    return user


def _make_leader(user: User, first: str, last: str, event: Event | None) -> None:
    leader = Leader(
        user_id=user.id,
        first_name=first,
        last_name=last,
        level=LeaderLevel.CREDENTIALED_LEADER,
        email=user.email,
        public_contact=PublicContact.NONE,
    )
    db.session.add(leader)
    db.session.flush()
    if event:
        row = Assignment(event_id=event.id, leader_id=leader.id, role=LeaderRole.LEADER)
        db.session.add(row)


def sign_in(client: FlaskClient, role: str = "registrar", *, event: Event | None = None) -> User:
    """Sign a new user with this role in."""
    user = make_user(role, event=event)
    with transaction():
        token = accounts.start_session(user.id, how="password", old_token=None, now=clock.now())
    with client.session_transaction() as session:
        session[TOKEN] = token
    return user


def make_leader(
    event: Event,
    name: str = "Lettice Oakenshire",
    *,
    contact: PublicContact = PublicContact.EMAIL,
    role: LeaderRole = LeaderRole.LEADER,
    public: bool = True,
    **changes: Any,
) -> Leader:
    """Let somebody lead an event, reachable by visitors as they chose."""
    n = next(_count)
    first, _, last = name.partition(" ")
    address = f"{first}{n}@example.org".lower()
    with transaction():
        user = User(
            email=address,
            email_key=address,
            first_name=first,
            last_name=last,
            created_at=clock.now(),
        )
        db.session.add(user)
        db.session.flush()
        values = {
            "credentials": "MD",
            "level": LeaderLevel.CREDENTIALED_LEADER,
            "email": address,
            "phone": "+1 206 555 0112",
            **changes,
        }
        leader = Leader(
            user_id=user.id, first_name=first, last_name=last, public_contact=contact, **values
        )
        db.session.add(leader)
        db.session.flush()
        row = Assignment(
            event_id=event.id, leader_id=leader.id, role=role, position=n, public=public
        )
        db.session.add(row)
    return leader
