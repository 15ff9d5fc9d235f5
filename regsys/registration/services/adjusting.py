"""A place that costs its person less, for a reason that is nobody else's: no line, letter or entry tells it."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refused
from regsys.registration import mail, rules
from regsys.registration.models import LineKind, Registration
from regsys.registration.services.owing import hold_for_payer
from regsys.registration.services.shared import add_line, lock_order, move_all
from regsys.registration.states import RegistrationState as S


def adjust_price(
    order_id: int,
    registration_id: int,
    amount: int,
    *,
    until: datetime,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take an amount (minor units) off an unpaid place and hold it until a time; return whether it is confirmed.

    It is confirmed at once where nothing is left to pay for its order. Locks the order. Raises Refused where it is
    held no longer, or a payment page with the old price is open.
    """
    held = lock_order(order_id, now=now)
    r = next((r for r in held.unpaid if r.id == registration_id), None)
    if r is None or not held.holding:
        raise Refused(rules.HOLD_EXPIRED)
    if held.ends_at is None:
        raise Refused(rules.PAYMENT_OPEN)
    take_off(r, amount)
    if any(one.price for one in held.unpaid):
        hold_for_payer(order_id, until=until, now=now)
        return False
    if not capacity.extend([one.id for one in held.unpaid], until=None, now=now):
        raise Refused(rules.HOLD_EXPIRED)
    waiting = held.unpaid
    r.deposit, r.rest_at = None, None
    move_all(waiting, S.CONFIRMED, actor=actor, now=now)
    mail.send_confirmations(held.order, waiting, now=now)
    return True


def take_off(r: Registration, amount: int) -> None:
    """Take an amount (minor units) off somebody's price for them alone. The caller holds the order's lock."""
    if amount:
        r.price -= amount
        r.room_part = min(r.room_part, r.price)
        add_line(r.order_id, r.id, LineKind.AWARD, _("Adjusted by the society."), -amount)
        db.session.flush()


def put_on_again(r: Registration, amount: int) -> None:
    """Let a place that was let go cost all of it again, should its payment come after all: its lines still add to 0."""
    r.price += amount
    again = _("The place was let go, and its price is the whole one again.")
    add_line(r.order_id, r.id, LineKind.AWARD, again, amount)
    add_line(r.order_id, r.id, LineKind.RETURN, again, -amount)
    db.session.flush()
