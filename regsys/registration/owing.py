"""Reading what is due now, what is due later, and who else may pay it."""

from datetime import datetime

from sqlalchemy import select

from regsys.kernel import tokens
from regsys.kernel.db import db
from regsys.ledger.rules import Balance
from regsys.registration.models import Order, Registration
from regsys.registration.queries import WHOLE, costs_of
from regsys.registration.states import LIVE


def find_shared_order(token: str) -> Order | None:
    """Find an order by the secret of the link by which somebody else can pay it."""
    query = select(Order).where(Order.share_hash == tokens.hash_token(token)).options(*WHOLE)
    return db.session.scalars(query).unique().one_or_none()


def split_places(order: Order) -> list[Registration]:
    """List the places of an order that a deposit makes sure."""
    return [r for r in order.registrations if r.state in LIVE and r.deposit is not None]


def rest_at(order: Order) -> datetime | None:
    """Return when the first of what an order owes later is due: rests, and what was added to a price; none: nothing."""
    return min(
        (r.rest_at for r in order.registrations if r.state in LIVE and r.rest_at), default=None
    )


def due_first(order: Order, balance: Balance, *, now: datetime) -> int:
    """Return what is to pay now, in minor units: without what a place's deposit leaves for later.

    It asks the database only where there is such a rest. Nothing: what is due is due later.
    """
    later = [r for r in split_places(order) if r.rest_at and r.rest_at > now]
    if not later:
        return balance.due
    costs = costs_of([r.id for r in later])
    rest = sum(max(0, costs[r.id] - (r.deposit or 0)) for r in later)
    return max(0, balance.due - rest)
