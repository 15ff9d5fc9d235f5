"""The list of members: who paid the price for members, and the leaders."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from regsys.applications.models import Application
from regsys.demo.services.calendar import Calendar
from regsys.events.kinds import Proof
from regsys.kernel.db import db
from regsys.kernel.text import email_key
from regsys.members.models import Member
from regsys.members.rules import proof_of
from regsys.registration.models import Registration
from regsys.waitlist.models import Entry

Rows = dict[str, Any]
FIRST_NUMBER = 1041


def load_members(data: Rows, calendar: Calendar) -> None:
    """Load the members, and what they have shown for the places that they have; two memberships are over."""
    query = select(Registration).order_by(Registration.id)
    shown = [r for r in db.session.scalars(query) if r.ticket_type.proof is Proof.MEMBER]
    emails = dict.fromkeys([*(r.email for r in shown), *(p["email"] for p in data["leaders"])])
    names = {p["email"]: p for p in [*data["people"], *data["leaders"]]}
    until = date(calendar.loaded_at.year + 1, 12, 31)
    members = {}
    for number, email in enumerate(emails, start=FIRST_NUMBER):
        members[email_key(email)] = _make(number, names[email], until, calendar)
    former = [p for p in data["people"] if p["email"] not in emails][:2]
    ended = calendar.loaded_at.date() - timedelta(days=40)
    over = [_make(1000 + n, p, ended, calendar) for n, p in enumerate(former)]
    db.session.add_all([*members.values(), *over])
    for r in shown:
        r.proof = _proof(members[email_key(r.email)], r)
    _show_elsewhere(members)
    db.session.flush()


def _make(number: int, person: Rows, until: date, calendar: Calendar) -> Member:
    return Member(
        number=str(number),
        name=f"{person['first_name']} {person['last_name']}",
        email=person["email"],
        email_key=email_key(person["email"]),
        valid_until=until,
        created_at=calendar.loaded_at,
        changed_at=calendar.loaded_at,
    )


def _proof(m: Member, r: Registration) -> dict[str, Any]:
    return proof_of(number=m.number, email=m.email, valid_until=m.valid_until, at=r.created_at)


def _show_elsewhere(members: dict[str, Member]) -> None:
    """Give applications and entries of the waiting list the proof that their price asks for."""
    for a in db.session.scalars(select(Application)):
        m = members.get(a.email_key)
        if m and a.ticket_type.proof is Proof.MEMBER:
            a.proof = proof_of(
                number=m.number, email=m.email, valid_until=m.valid_until, at=a.submitted_at
            )
    for e in db.session.scalars(select(Entry)):
        m = members.get(e.email_key)
        if m and any(t.proof is Proof.MEMBER for t in e.types):
            e.proof = proof_of(
                number=m.number, email=m.email, valid_until=m.valid_until, at=e.joined_at
            )
