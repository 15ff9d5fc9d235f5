"""What the tests of organizers' pages begin with."""

import re
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.events.models import Event
from regsys.kernel import clock
from regsys.kernel.actors import STRIPE
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.ledger.states import Problem
from regsys.questions.kinds import Audience
from regsys.registration.models import Registration
from tests import cast

STEWARD_SECRET = "keep me apart from Dr Wolf"
PRIVATE_ANSWER = "severe nut allergy"


def signed_in(app: Flask, role: str = "registrar", *, event: Event | None = None) -> FlaskClient:
    """Return a browser in which somebody with this role is signed in."""
    client = app.test_client()
    cast.sign_in(client, role, event=event)
    return client


def text_of(response: Any) -> str:
    """Return what a page says, without tags, in one line."""
    body = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
    line = " ".join(unescape(body).replace("\xa0", " ").split())
    return re.sub(r" ([.,])", r"\1", line)


def names_in(response: Any) -> list[str]:
    """Return the names of a table of people, in its order."""
    body = response.get_data(as_text=True)
    found = re.findall(r'<th scope="row"><a [^>]+>([^<]+)</a>', body)
    return [unescape(name) for name in found]


def make_people(event: Event, count: int, *, first: int = 1) -> list[Registration]:
    """Confirm people one by one: Person 001, Person 002, …"""
    found = []
    for n in range(first, first + count):
        person = cast.a_person(f"Pat Person{n:03}", f"pat{n}.{event.id}@example.org")
        found += cast.list_people(cast.make_confirmed(event, [person]))
    return found


def pay_twice(registration: Registration) -> None:
    """Let 920 dollars come once more for an order."""
    with transaction():
        payment = ledger.record_payment(
            registration.order_id,
            amount=92000,
            currency="USD",
            method=Method.CARD,
            actor=STRIPE,
            now=clock.now(),
            reference=f"pi_twice_{registration.id}",
        )
        ledger.mark_problem(payment.id, Problem.DOUBLE, actor=STRIPE, now=clock.now())


def make_form(event: Event) -> None:
    """Ask three things: one for leaders, one private, one that only the steward may read."""
    cast.make_question(event, "goals", visible_to=Audience.LEADERS)
    cast.make_question(event, "food", visible_to=Audience.ORGANIZER, sensitive=True)
    cast.make_question(event, "apart", visible_to=Audience.STEWARD, sensitive=True)


def answer_form(registration: Registration) -> None:
    """Answer them."""
    cast.make_answers(registration, goals="To listen", food=PRIVATE_ANSWER, apart=STEWARD_SECRET)


def entries(action: str) -> list[AuditEntry]:
    """List the entries of the audit with this action, freshly read."""
    db.session.rollback()
    query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
    return list(db.session.scalars(query, execution_options={"populate_existing": True}))
