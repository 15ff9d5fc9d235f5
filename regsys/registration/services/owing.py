"""Places that are paid later: confirmed although something is due, or held until a day; and what is written off."""

from collections.abc import Sequence
from datetime import datetime

from regsys.capacity import services as capacity
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refused
from regsys.registration import mail, rules
from regsys.registration.models import Registration
from regsys.registration.services.lowering import lower_price
from regsys.registration.services.shared import lock_order, move_all
from regsys.registration.states import RegistrationState as S


def confirm_owing(order_id: int, *, actor: Actor, now: datetime, reason: str) -> None:
    """Confirm the places of an order before they are paid, because somebody owes for them; repeating changes nothing.

    Locks the order. Raises Refused where a place is held no longer.
    """
    held = lock_order(order_id, now=now)
    waiting = held.unpaid
    if not waiting:
        return
    _ask_for_all(waiting)
    if not held.holding or not capacity.extend([r.id for r in waiting], until=None, now=now):
        raise Refused(rules.HOLD_EXPIRED)
    move_all(waiting, S.CONFIRMED, actor=actor, now=now, reason=reason)
    mail.send_confirmations(held.order, waiting, now=now)


def hold_for_payer(order_id: int, *, until: datetime, now: datetime) -> None:
    """Hold the unpaid places of an order until a day; while a payment page is open they have no end, and get it after.

    Locks the order. Raises Refused where a place is held no longer.
    """
    held = lock_order(order_id, now=now)
    if not held.holding:
        raise Refused(rules.HOLD_EXPIRED)
    _ask_for_all(held.unpaid)
    held.order.held_until = until
    db.session.flush()
    if held.ends_at is None:
        return
    if not capacity.extend([r.id for r in held.unpaid], until=until, now=now):
        raise Refused(rules.HOLD_EXPIRED)


def _ask_for_all(registrations: Sequence[Registration]) -> None:
    """An invoice is over the whole price: nobody is asked for a deposit beside it, nor reminded of a rest."""
    for r in registrations:
        r.deposit, r.rest_at = None, None


def ask_by(r: Registration, *, settled: bool, now: datetime) -> None:
    """Note until when something is to be paid that was added to the price of a confirmed place.

    `settled`: nothing was owed before, so the rule about a deposit and its rest has done its work.
    """
    if settled:
        r.deposit = None
    starts_at, zone = r.event.starts_at, r.event.time_zone
    r.rest_at = rules.asked_until(r.rest_at, starts_at=starts_at, zone=zone, now=now)


def write_off(order_id: int, amount: int, *, line: str) -> None:
    """Take what will not be paid any more off the price (minor units); the places stay. The caller holds the lock."""
    lower_price(order_id, None, amount, line=line)
