"""The rest of a price whose deposit is paid: reminded of, and in the end let go or asked for again."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, lock_rows
from regsys.payments import mail, queries
from regsys.payments.services.leaving import let_leave
from regsys.policies.rules import REMIND, REMIND_ADDED, Stage, Terms, read, stage, times_asked
from regsys.registration.models import Order, Registration
from regsys.registration.owing import lets_go_at
from regsys.registration.queries import costs_of, due, get_order


def follow_rest(order_id: int, *, now: datetime) -> Sequence[int]:
    """Write the letter whose time has come, or let the places go; return the refunds to carry out.

    Each letter is written once. Where a payment page is open, or a payment is contested, nothing is let go yet.
    Locks the order.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    order = get_order(order_id)
    places, owed = queries.places_with_rest(order), due(order_id).due
    if not places or not owed:
        return []
    over = [r for r in places if _is_over(r, now)]
    if over:
        return _let_go(order, over, owed - _added(places), now=now)
    first = min(places, key=lambda r: (r.rest_at or now, r.id))
    terms, at = _terms(first), first.rest_at or now
    remind = REMIND_ADDED if first.deposit is None else REMIND
    stands = stage(terms, at, placed_at=order.placed_at or now, now=now, remind=remind)
    ends = lets_go_at(first)
    if stands is Stage.LAST and ends is None:
        stands = Stage.DUE
    if stands is Stage.EARLY:
        return []
    times = times_asked(terms, at, now) if stands is Stage.OVER else 0
    mail.send_rest(order, first, stands, owed=owed, times=times, ends=ends, now=now)
    return []


def _added(places: Sequence[Registration]) -> int:
    """Return the most that can be owed for places to whose price something was added: nobody else goes for it."""
    mine = [r.id for r in places if r.deposit is None]
    return sum(costs_of(mine).values()) if mine else 0


def _is_over(r: Registration, now: datetime) -> bool:
    ends = lets_go_at(r)
    return ends is not None and now >= ends


def _terms(r: Registration) -> Terms:
    """Return the rules that say until when a rest is asked for; what was added later has none."""
    return read(r.policy.body) if r.policy and r.deposit is not None else Terms()


def _let_go(
    order: Order, over: Sequence[Registration], owed: int, *, now: datetime
) -> Sequence[int]:
    """Let as many places go as are not paid, the last first; what was paid for the others keeps them."""
    costs, gone = costs_of([r.id for r in over]), []
    for r in sorted(over, key=lambda r: -r.id):
        if owed > 0:
            gone.append(r.id)
            owed -= costs[r.id] - (r.deposit or 0)
    parting = queries.get_parting(order.id, gone, now=now)
    if parting.refusal or not parting.parts:
        return []
    reason = _("The rest was not paid in time.")
    return let_leave(parting, reason=reason, lapsed=True, actor=SYSTEM, now=now).refunds
