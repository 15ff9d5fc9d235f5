"""Reading what is due now, what is due later, and who else may pay it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from regsys.events.models import Event
from regsys.kernel import money, tokens
from regsys.kernel.db import db
from regsys.ledger.rules import Balance
from regsys.policies.rules import Split, Terms, is_let_go, let_go_at, read, split
from regsys.registration.models import Order, Registration
from regsys.registration.queries import WHOLE, costs_of
from regsys.registration.states import LIVE, UNPAID


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

    While somebody moves, what they pay is for the place to which they go: all of it, or its deposit. It asks the
    database only where there is such a rest. Nothing: what is due is due later.
    """
    moves = [m for m in order.registrations if m.state in UNPAID and m.moved_from_id]
    if not moves:
        return balance.due - due_later(order, balance.due, now=now)
    olds = [m.moved_from_id for m in moves if m.moved_from_id]
    costs = costs_of([*olds, *(m.id for m in moves)])
    more = max(0, sum(costs[m.id] for m in moves))
    but = [*olds, *(m.id for m in moves)]
    owed = balance.due - due_later(order, balance.due - more, but=but, now=now)
    whole = {m.id: costs[m.id] + costs[m.moved_from_id or 0] for m in moves}
    rests = [whole[m.id] - m.deposit for m in moves if m.deposit and m.rest_at and m.rest_at > now]
    return max(0, owed - sum(rests))


def due_later(order: Order, owed: int, *, but: Sequence[int] = (), now: datetime) -> int:
    """Return how much of what an order owes (minor units) its deposits leave for later; `but`: not of these places."""
    later = [r for r in split_places(order) if r.rest_at and r.rest_at > now and r.id not in but]
    if not later:
        return 0
    costs = costs_of([r.id for r in later])
    rest = sum(max(0, costs[r.id] - (r.deposit or 0)) for r in later)
    return min(rest, max(0, owed))


def lets_go_at(r: Registration, rest_at: datetime | None = None) -> datetime | None:
    """Return when a place is let go if its rest is not paid; None: never, as where something was added to its price.

    `rest_at`: as if the rest were due then.
    """
    at = rest_at or r.rest_at
    if r.policy is None or r.deposit is None or at is None:
        return None
    terms = read(r.policy.body)
    return let_go_at(terms, at) if is_let_go(terms) else None


def parts_of(event: Event, price: int, *, now: datetime) -> Split | None:
    """Return what makes a place at this price sure and when the rest is due; None: all of it is paid at once."""
    return split(
        read(event.policy.body) if event.policy else Terms(),
        price,
        starts_at=event.starts_at,
        zone=event.time_zone,
        now=now,
        unit=money.unit(event.currency),
    )
