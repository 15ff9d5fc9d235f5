"""Reading orders of which a deposit is paid and the rest is not, or something was added to the price."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from regsys.kernel.db import db
from regsys.payments.queries.money import Scope, all_in
from regsys.policies.rules import REMIND
from regsys.registration.models import Order, Registration
from regsys.registration.owing import lets_go_at
from regsys.registration.queries import balances_of, owes
from regsys.registration.states import RegistrationState as S


@dataclass(frozen=True)
class Rest:
    """An order whose rest is due soon or was due, in minor units; `ends_at`: when its place is let go, None: never."""

    order: Order
    due: int
    at: datetime
    ends_at: datetime | None


def list_rests(scope: Scope = None, *, now: datetime, limit: int = 200) -> list[Rest]:
    """List orders with a rest that is due within two weeks, or was due, the most urgent first."""
    split = select(Registration.order_id).where(
        Registration.state == S.CONFIRMED, Registration.rest_at <= now + REMIND
    )
    query = (
        select(Order)
        .where(Order.id.in_(split), all_in(scope), owes(Order.id))
        .options(
            selectinload(Order.registrations).options(
                joinedload(Registration.event), joinedload(Registration.policy)
            )
        )
        .order_by(Order.id)
        .limit(limit)
    )
    orders = db.session.scalars(query).unique().all()
    balances = balances_of([o.id for o in orders])
    rests = [_rest(o, balances[o.id].due) for o in orders if balances[o.id].due]
    return sorted(rests, key=lambda r: (r.at, r.order.id))


def _rest(order: Order, due: int) -> Rest:
    first = min(places_with_rest(order), key=lambda r: (r.rest_at or order.created_at, r.id))
    at = first.rest_at or order.created_at
    return Rest(order, due, at, lets_go_at(first))


def places_with_rest(order: Order) -> Sequence[Registration]:
    """List the confirmed places of an order of which something was to be paid by a day."""
    return [r for r in order.registrations if r.state is S.CONFIRMED and r.rest_at]
