"""From a cart to an order."""

from datetime import datetime

from sqlalchemy import update

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.events.states import EventState
from regsys.kernel.actors import payer
from regsys.kernel.db import db, note_lock
from regsys.kernel.errors import Refusal, Refused
from regsys.registration import mail, queries, rules
from regsys.registration.models import Order
from regsys.registration.queries import Held
from regsys.registration.services.reducing import why_not_keep
from regsys.registration.services.shared import lock_order, move_all
from regsys.registration.states import RegistrationState as S


def place(which: int | str, *, now: datetime) -> Order:
    """Place a cart: it waits for payment under the hold that it has, or is confirmed where nothing is to pay.

    `which`: its id, or its token. Placing it again changes nothing. Raises Refused where the hold is over or something
    is missing.
    """
    return place_cart(which, now=now).order


def place_cart(which: int | str, *, now: datetime) -> Held:
    """Place a cart as `place` does; return it as it was locked and read, with how it stands in money."""
    # The row is locked by being changed; where nothing comes of it the transaction is rolled back.
    first = update(Order).where(queries.is_order(which), Order.placed_at.is_(None))
    first = first.values(placed_at=now).returning(Order)
    order = db.session.scalar(first, execution_options={"synchronize_session": False})
    if order is None:
        return lock_order(which, now=now, money=True)  # it was placed before, or is not there
    note_lock(order)
    held = lock_order(order.id, now=now, money=True)
    refusal = _why_not_place(held)
    if refusal:
        raise Refused(refusal)
    actor = payer(order.payer_name)
    free = held.total == 0
    audit.record(
        "order.placed",
        ("order", order.id),
        actor=actor,
        now=now,
        order_id=order.id,
        after={"total": held.total, "currency": order.currency, "places": len(held.people)},
    )
    waiting = held.unpaid
    move_all(waiting, S.CONFIRMED if free else S.AWAITING_PAYMENT, actor=actor, now=now)
    if free:
        if not capacity.extend([r.id for r in waiting], until=None, now=now):
            raise Refused(rules.HOLD_EXPIRED)
        mail.send_confirmations(order, waiting, now=now)
    db.session.flush()
    return held


def _why_not_place(held: Held) -> Refusal | None:
    if not held.people:
        return rules.NOTHING_CHOSEN
    if not held.holding:
        return rules.HOLD_EXPIRED
    if any(r.event.state is EventState.CANCELLED for r in held.people):
        return rules.EVENT_CANCELLED
    if held.next_step[0] is not rules.Step.REVIEW:
        return rules.NOT_COMPLETE
    return why_not_keep(held.unpaid)
