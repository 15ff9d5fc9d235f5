"""Loads the demo for `regsys run`, and writes down who may sign in to it."""

import json
import os
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from regsys.accounts.kinds import Role
from regsys.accounts.models import Grant, User
from regsys.app import create_app
from regsys.demo import services as demo
from regsys.events.models import Assignment, Leader
from regsys.kernel import clock
from regsys.kernel.db import db, transaction
from regsys.kernel.money import to_stripe
from regsys.kernel.settings import Settings
from regsys.ledger.models import Payment
from regsys.registration.models import Order

LEADERS_SHOWN = 2
# The stand-in for Stripe reads it when it starts (regsys/sandbox/past.py).
PAST = "sandbox-past.json"
SHOWN = (Role.OWNER, Role.REGISTRAR, Role.TREASURER, Role.REVIEWER, Role.COMMITTEE)


def load(settings: Settings, sign_ins: Path) -> None:
    """Load the demo into an empty database, say what was loaded, and write the sign-ins into the file."""
    app = create_app(settings)
    with app.app_context():
        _load()
        write_past(settings.DATA_DIR / PAST)
    write_sign_ins(app, sign_ins)


def _load() -> None:
    with transaction():
        if not demo.is_empty():
            return
        loaded = demo.load(now=clock.now())
    print(
        f"The demo is loaded: {loaded.events} events, {loaded.registrations} registrations, "
        f"dates shifted by {loaded.weeks} weeks."
    )
    print("Left out for now: " + "; ".join(loaded.left_out) + ".")


def write_past(file: Path) -> None:
    """Write down what the demo's payers have paid by card, so that the stand-in for Stripe knows of it."""
    query = select(Payment, Order).join(Order, Order.id == Payment.order_id)
    query = query.where(Payment.charge.like("ch_demo%")).options(selectinload(Payment.refunds))
    past = [_paid(payment, order) for payment, order in db.session.execute(query)]
    file.write_text(json.dumps(past))


def _paid(p: Payment, order: Order) -> dict[str, Any]:
    backs = [
        {
            "id": r.stripe_id,
            "amount": to_stripe(r.amount, r.currency),
            "at": int(r.requested_at.timestamp()),
            "status": str(r.state),
        }
        for r in p.refunds
    ]
    return {
        "intent": p.reference,
        "charge": p.charge,
        "amount": to_stripe(p.amount, p.currency),
        "currency": p.currency.lower(),
        "fee": p.fee or 0,
        "at": int(p.received_at.timestamp()),
        "name": order.payer_name,
        "email": order.email,
        "order": order.code,
        "refunds": backs,
    }


def write_sign_ins(app: Flask, file: Path) -> None:
    """Write the file that the sign-in page and the first lines on the terminal show."""
    with app.app_context():
        found = [*_organizers(), *_leaders(), *_coordinators()]
    half = file.with_suffix(".part")
    half.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    os.replace(half, file)


def _organizers() -> list[dict[str, str | None]]:
    """List those who have pages of their own and a password, from the owner to the committee."""
    query = select(Grant).join(Grant.user).where(Grant.role.in_(SHOWN))
    query = query.where(User.password_hash.is_not(None)).options(joinedload(Grant.user))
    grants = db.session.scalars(query.order_by(Grant.user_id, Grant.id))
    names = {g.user_id: (f"{g.role}: {g.user.name}", g.user.email) for g in grants}
    return [_sign_in(who, email, demo.PASSWORD) for who, email in names.values()]


def _leaders() -> list[dict[str, str | None]]:
    """List the first leaders who lead something and are no organizers."""
    leads = select(Assignment.leader_id).where(Assignment.leader_id == Leader.id).exists()
    query = select(User).join(Leader, Leader.user_id == User.id).where(leads, ~User.grants.any())
    users = db.session.scalars(query.order_by(Leader.id).limit(LEADERS_SHOWN))
    return [_sign_in(f"leader: {user.name}", user.email, None) for user in users]


def _coordinators() -> list[dict[str, str | None]]:
    """List those who coordinate a host's seats, and nothing else."""
    query = select(User).join(User.grants).where(Grant.role == Role.HOST_COORDINATOR)
    users = db.session.scalars(query.order_by(User.id)).unique()
    return [_sign_in(f"host coordinator: {user.name}", user.email, None) for user in users]


def _sign_in(who: str, email: str, password: str | None) -> dict[str, str | None]:
    return {"who": who[0].upper() + who[1:], "email": email, "password": password}
