"""A fund, and people who ask it for help."""

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.aid import jobs, queries, services
from regsys.aid.services import Plan
from regsys.aid.states import RequestState
from regsys.events.models import Event
from regsys.kernel.actors import STRIPE, SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.outbox.models import Message
from regsys.policies import services as policies
from regsys.policies.rules import read
from regsys.registration import jobs as registration_jobs
from regsys.registration import services as registering
from regsys.registration.models import Registration
from regsys.registration.queries import due
from regsys.registration.states import RegistrationState
from regsys.verify import Said, examine
from tests import cast
from tests.conftest import Clock

WORDS = "I am the only nurse on the island. Yours, Una Nettlefold of Copperline Clinic"
# Everything is allowed without a fee, and half comes back until 30 days before.
TERMS = {
    "substitute": {"allowed": "free"},
    "transfer": {"allowed": "free"},
    "steps": [{"ahead": {"days": 30}, "back": {"percent": 50}}],
}


def make_fund(clock: Clock, budget: int = 100000, **more: Any) -> int:
    plan = Plan(name="Travel", budget=budget, currency="USD", **more)
    with transaction():
        return services.make_fund(plan, actor=SYSTEM, now=clock.now)


def an_event(price: int = 92000, *, clock: Clock, places: int | None = 32) -> Event:
    """Make an event whose places can be given up, handed on and moved."""
    event = cast.make_event(types={"Standard": price}, places=places)
    with transaction():
        row = db.session.get_one(Event, event.id)
        row.policy = policies.save_version(
            "T", read(TERMS), before=None, actor=SYSTEM, now=clock.now
        )
    return event


def asked(
    clock: Clock, name: str = "Una Nettlefold", price: int = 92000, *, event: Event | None = None
) -> tuple[int, int]:
    """Let somebody with an unpaid place ask; return the ids of their order and of the request."""
    order = cast.make_order(
        event or cast.make_event(types={"Standard": price}), [cast.a_person(name)]
    )
    order_id, place = order.id, cast.list_people(order)[0].id
    with transaction():
        return order_id, services.ask(place, WORDS, asked_amount=None, now=clock.now)


def award(request_id: int, amount: int, clock: Clock) -> bool:
    with transaction():
        return services.award(request_id, amount, scope=None, actor=SYSTEM, now=clock.now)


def pay(
    order_id: int, clock: Clock, amount: int | None = None, *, method: Method = Method.CHEQUE
) -> int:
    """Let money come, over all that is due unless an amount is said; return its amount."""
    db.session.rollback()
    amount = due(order_id).due if amount is None else amount
    with transaction():
        if amount:
            ledger.record_payment(
                order_id, amount=amount, currency="USD", method=method, actor=STRIPE, now=clock.now,
                reference=f"pi_{order_id}_{amount}_{clock.now.timestamp():.0f}",
            )  # fmt: skip
        registering.confirm_paid(order_id, actor=STRIPE, now=clock.now)
    return amount


def helped(
    clock: Clock, amount: int, name: str = "Una Nettlefold", *, event: Event | None = None
) -> tuple[int, int]:
    """Let somebody ask, get help and pay the rest; return the ids of their order and of the request."""
    order_id, request_id = asked(clock, name, event=event or an_event(clock=clock))
    if not award(request_id, amount, clock):
        pay(order_id, clock)
    sweep()
    return order_id, request_id


def place_of(order_id: int) -> Registration:
    """Return the newest place of an order."""
    db.session.rollback()
    mine = select(Registration).where(Registration.order_id == order_id)
    return db.session.scalars(mine.order_by(Registration.id.desc())).first() or _none()


def _none() -> Registration:
    raise AssertionError("nobody is in this order")


def state(request_id: int) -> tuple[RequestState, RegistrationState]:
    db.session.rollback()
    found = queries.get_request(request_id)
    return found.state, found.registration.state


def sweep() -> None:
    registration_jobs.sweep({})
    jobs.sweep({})


def left(fund_id: int) -> int:
    return queries.lefts_of({fund_id: queries.get_fund(fund_id)})[fund_id]


def differences(clock: Clock) -> list[str]:
    """Return what `regsys verify` finds; no worker sends letters here."""
    found = [s for s in examine(now=clock.now) if isinstance(s, Said) and not s.fine]
    return [s.sentence for s in found if "queued for too long" not in s.sentence]


def told(address: str) -> str:
    """Return all letters to an address in one text."""
    db.session.rollback()
    found = db.session.scalars(select(Message).where(Message.to_email == address))
    return "\n".join(f"{m.subject}\n{m.text}\n{m.html}" for m in found)


def silent(text: str) -> bool:
    """Tell whether nothing in a text speaks of help, of an award or of a committee."""
    said = text.lower()
    return not [w for w in ("help with the fee", "award", "committee", "fund ") if w in said]


def without_secrets(client: FlaskClient, path: str) -> str:
    """Return a page as it is for the same person again: without the tokens of its forms."""
    text = client.get(path).text
    return "\n".join(line for line in text.splitlines() if "csrf" not in line)
