"""Orders to pay, a payer, and somebody who carries Stripe's events: what the tests of this room begin with."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import stripe
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select
from sqlalchemy.event import listen, remove
from werkzeug.test import TestResponse

from regsys.capacity import services as capacity
from regsys.capacity.models import Claim, PoolKind
from regsys.events.kinds import EventKind, EventMode, Rate
from regsys.events.models import Event, Price, TicketType, ticket_type_pool
from regsys.events.states import EventState
from regsys.kernel import tokens
from regsys.kernel.db import db, transaction
from regsys.kernel.text import email_key
from regsys.ledger.models import Payment
from regsys.outbox.models import Message
from regsys.payments.models import PaymentAttempt, StripeEvent
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.states import RegistrationState
from tests.conftest import Clock
from tests.sandbox.control import Sandbox, SandboxControl

Doc = dict[str, Any]
HOLD = 30  # minutes


@dataclass(frozen=True)
class Placed:
    """An order that was placed and is to be paid."""

    id: int
    token: str
    event_id: int
    registrations: list[int]


@dataclass
class Shop:
    """One product in this process, in front of one stand-in."""

    app: Flask
    sandbox: Sandbox
    clock: Clock
    _number: int = 0
    events: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def control(self) -> SandboxControl:
        return self.sandbox.control

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    # ---- what there is to buy

    def event(self, *, size: int = 8, price: int = 92000, currency: str = "USD") -> int:
        """Make an event with so many places."""
        self._number += 1
        now = self.clock.now
        with transaction():
            event = Event(
                slug=f"event-{self._number}",
                kind=EventKind.LEADERSHIP_TRAINING_INTENSIVE,
                mode=EventMode.IN_PERSON,
                state=EventState.PUBLISHED,
                state_at=now,
                title=f"Introductory Intensive {self._number}",
                time_zone="America/Los_Angeles",
                starts_at=now.replace(year=2027, month=4, day=22),
                ends_at=now.replace(year=2027, month=4, day=25),
                currency=currency,
                created_at=now,
            )
            db.session.add(event)
            db.session.flush()
            kind = TicketType(event_id=event.id, name="Standard place")
            kind.prices = [Price(rate=Rate.REGULAR, amount=price)]
            db.session.add(kind)
            pool = capacity.make_pool(
                event_id=event.id, name="Places", kind=PoolKind.TOTAL, size=size
            )
            link = {"ticket_type_id": kind.id, "pool_id": pool.id}
            db.session.execute(ticket_type_pool.insert().values(**link))
            self.events[event.id] = (kind.id, pool.id)
            return event.id

    def order(self, event_id: int | None = None, *, people: int = 1, **more: Any) -> Placed:
        """Place an order whose places are held for half an hour."""
        event_id = event_id or self.event(**more)
        now = self.clock.now
        token = tokens.new_token()
        with transaction():
            event = db.session.get_one(Event, event_id)
            order = Order(
                code=tokens.new_code(),
                token=token,
                token_hash=tokens.hash_token(token),
                currency=event.currency,
                first_name="Lysander",
                last_name="Saltmarsh",
                email="lysander@example.org",
                created_at=now,
                placed_at=now,
            )
            db.session.add(order)
            db.session.flush()
            made = [self._register(order, event) for _ in range(people)]
            pool = self.events[event_id][1]
            until = now.fromtimestamp(now.timestamp() + HOLD * 60, now.tzinfo)
            capacity.claim([(r, [pool]) for r in made], now=now, until=until)
            return Placed(order.id, token, event_id, made)

    def _register(self, order: Order, event: Event) -> int:
        self._number += 1
        kind_id = self.events[event.id][0]
        kind = db.session.get_one(TicketType, kind_id)
        price = kind.prices[0].amount
        email = f"person{self._number}@example.org"
        token = tokens.new_token()
        registration = Registration(
            code=tokens.new_code(8),
            token=token,
            token_hash=tokens.hash_token(token),
            order_id=order.id,
            event_id=event.id,
            ticket_type_id=kind_id,
            state=RegistrationState.AWAITING_PAYMENT,
            state_at=self.clock.now,
            rate=Rate.REGULAR,
            price=price,
            first_name="Person",
            last_name=str(self._number),
            email=email,
            email_key=email_key(email),
            created_at=self.clock.now,
        )
        db.session.add(registration)
        db.session.flush()
        line = OrderLine(
            order_id=order.id,
            registration_id=registration.id,
            kind=LineKind.PLACE,
            reason="Standard place",
            amount=price,
        )
        db.session.add(line)
        db.session.flush()
        return registration.id

    # ---- the payer

    def click_pay(self, order: Placed) -> TestResponse:
        """Press Pay on the order page."""
        return self.press(self.client, f"/o/{order.token}/pay")

    def press(self, client: FlaskClient, path: str, **data: str) -> TestResponse:
        """Send a form with its token, as a page of ours would."""
        raw = "0" * 40
        with client.session_transaction() as session:
            session["csrf_token"] = raw
        token = URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token").dumps(raw)
        return client.post(path, data={"csrf_token": token, **data})

    def open(self, order: Placed) -> str:
        """Press Pay, and return the session at whose page the payer is now."""
        answer = self.click_pay(order)
        assert answer.status_code == 303, answer.text
        assert answer.location.startswith(self.sandbox.url), answer.location
        return urlsplit(answer.location).path.rsplit("/", 1)[-1]

    def pay(self, session: str, **how: Any) -> Doc:
        """Pay at Stripe's page; no event is delivered."""
        done = self.control.pay(session, deliver="never", **how)
        assert done["error"] is None, done["error"]
        return done["session"]

    def come_back(self, order: Placed, session: str, **more: Any) -> TestResponse:
        """Open the page to which Stripe sends the payer."""
        return self.client.get(
            f"/o/{order.token}/paid", query_string={"session_id": session, **more}
        )

    # ---- Stripe's events

    def told(self, session: str, kind: str | None = None) -> list[Doc]:
        """Return the events about a session, oldest first."""
        events = self.control.events()
        mine = [e for e in events if e["data"]["object"]["id"] == session]
        return [e for e in mine if kind in (None, e["type"])]

    def deliver(self, event: Doc, **how: Any) -> int:
        """Deliver an event to the product in this process, and return what it answers."""
        return self.post(json.dumps(event, indent=2), **how)

    def post(
        self,
        body: str,
        *,
        secret: str | None = None,
        age: int = 0,
        client: FlaskClient | None = None,
    ) -> int:
        """Deliver a body, signed so many seconds ago."""
        header = stripe.WebhookSignature.generate_signature_header(
            body, secret or self.sandbox.webhook_secret, int(time.time()) - age
        )
        answer = (client or self.client).post(
            "/webhooks/stripe",
            data=body.encode(),
            headers={"Stripe-Signature": header, "Content-Type": "application/json"},
        )
        return answer.status_code

    def deliver_all(self, session: str) -> list[int]:
        """Deliver every event about a session, oldest first."""
        return [self.deliver(e) for e in self.told(session)]

    # ---- what the database says

    def fresh(self) -> None:
        """End the snapshot of earlier reads."""
        db.session.rollback()
        db.session.expire_all()

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Collect the statements that reach the database, those of the test itself among them."""
        statements: list[str] = []

        def note(_c: object, _k: object, statement: str, *_more: object) -> None:
            statements.append(statement)

        listen(db.engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            remove(db.engine, "before_cursor_execute", note)

    def states(self, order: Placed) -> list[str]:
        """Return the states of an order's registrations."""
        self.fresh()
        query = select(Registration.state).where(Registration.order_id == order.id)
        return [str(s) for s in db.session.scalars(query.order_by(Registration.id))]

    def attempts(self, order: Placed) -> list[PaymentAttempt]:
        self.fresh()
        query = select(PaymentAttempt).where(PaymentAttempt.order_id == order.id)
        return list(db.session.scalars(query.order_by(PaymentAttempt.id)))

    def attempt_states(self, order: Placed) -> list[str]:
        return [str(a.state) for a in self.attempts(order)]

    def payments(self, order: Placed) -> list[tuple[int, str | None]]:
        """Return (amount, problem) of an order's payments, oldest first."""
        self.fresh()
        query = select(Payment).where(Payment.order_id == order.id).order_by(Payment.id)
        return [(p.amount, p.problem) for p in db.session.scalars(query)]

    def outcome(self, order: Placed) -> tuple[Any, ...]:
        """Return how an order has ended: places, attempts, money, confirmations."""
        return (
            self.states(order),
            self.attempt_states(order),
            self.payments(order),
            self.confirmations(order),
        )

    def all_attempts(self) -> list[PaymentAttempt]:
        self.fresh()
        return list(db.session.scalars(select(PaymentAttempt)))

    def refunds_at_stripe(self, order: Placed) -> list[str]:
        """Return the ids of the refunds of an order's payments, as Stripe has them."""
        intents = [p.reference for p in self.payment_rows(order)]
        client = self.sandbox.client()
        return [
            r.id for i in intents for r in client.v1.refunds.list({"payment_intent": i or ""}).data
        ]

    def payment_rows(self, order: Placed) -> list[Payment]:
        self.fresh()
        query = select(Payment).where(Payment.order_id == order.id).order_by(Payment.id)
        return list(db.session.scalars(query))

    def letters_of(self, order: Placed) -> list[tuple[str, str]]:
        """Return (key, address) of the letters about an order."""
        self.fresh()
        query = select(Message.key, Message.to_email).where(Message.order_id == order.id)
        return [(key, to) for key, to in db.session.execute(query)]

    def change_payer(self, order: Placed, email: str) -> None:
        """Give the payer another address."""
        with transaction():
            db.session.get_one(Order, order.id).email = email

    def confirmations(self, order: Placed) -> int:
        """Count the confirmations to an order's attendees."""
        self.fresh()
        keys = [f"confirm:{r}" for r in order.registrations]
        query = select(func.count()).select_from(Message).where(Message.key.in_(keys))
        return db.session.scalar(query) or 0

    def inbox(self) -> list[StripeEvent]:
        self.fresh()
        return list(db.session.scalars(select(StripeEvent).order_by(StripeEvent.received_at)))

    def claims(self, order: Placed) -> list[Claim]:
        """Return the live claims of an order."""
        self.fresh()
        query = select(Claim).where(
            Claim.registration_id.in_(order.registrations), Claim.released_at.is_(None)
        )
        return list(db.session.scalars(query))


def query_of(url: str) -> dict[str, str]:
    """Return the query of an address."""
    return {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
