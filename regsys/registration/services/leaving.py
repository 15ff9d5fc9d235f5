"""People who give their confirmed places up, or whose payer does."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.discounts import services as discounts
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.policies.rules import Leaving, Settled
from regsys.registration import chosen, mail, queries, rules
from regsys.registration.models import LineKind, Registration
from regsys.registration.services.shared import add_line, end, lock_order, record
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S


def leave(
    order_id: int,
    leavings: Sequence[Leaving],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    lapsed: bool = False,
) -> None:
    """End these confirmed registrations, keep on the order what is not given back, and tell everybody concerned.

    `lapsed`: not because they wish to, but because the rest was not paid. What goes back is requested by the caller in
    the same transaction. Locks the order. Raises Refused where somebody has left already, or the event is over.
    """
    held = lock_order(order_id, now=now)
    by_id = {r.id: r for r in held.order.registrations}
    gone: list[Registration] = []
    for one in leavings:
        r = by_id.get(one.registration_id)
        if r is None:
            raise NotFound(N_("There is no such registration."))
        refusal = rules.why_not_leave(
            r.state, event=r.event.state, ends_at=r.event.ends_at, now=now
        )
        if refusal:
            raise Refused(refusal)
        gone.append(r)
    end(held.order, gone, S.CANCELLED, actor=actor, now=now, reason=reason, line=_("Cancelled."))
    for r, one in zip(gone, leavings, strict=True):
        keep(r, one, actor=actor, now=now)
    db.session.flush()
    key = f"{order_id}:{'-'.join(str(r.id) for r in gone)}"
    pairs = list(zip(gone, leavings, strict=True))
    mail.send_left(held.order, pairs, key=key, lapsed=lapsed, now=now)


def keep(r: Registration, one: Leaving, *, actor: Actor, now: datetime) -> None:
    """Write down what of a place that has just ended is not given back, and the credits by which some of it counts."""
    if one.kept:
        add_line(r.order_id, r.id, LineKind.KEPT, one.why or _("Kept of the price."), one.kept)
    r.credit_used = one.by_credit - one.to_credit
    note_returned(r, one.to_credit, actor=actor, now=now)
    if one.credit and one.credit_until:
        _give_credit(r, one.credit, one.credit_until, actor=actor, now=now)


def note_returned(r: Registration, amount: int, *, actor: Actor, now: datetime) -> None:
    """Write into the history of a place that so much of the credit that paid for it counts again."""
    if amount:
        after = {"amount": amount, "currency": r.event.currency}
        record("registration.credit_returned", r, after=after, actor=actor, now=now)


def _give_credit(
    r: Registration, amount: int, until: datetime, *, actor: Actor, now: datetime
) -> None:
    """Make the code by which this person uses what was kept at a later event."""
    currency, note = r.event.currency, _("Kept of place %(code)s.", code=r.code)
    r.credit = discounts.make_credit(
        r.email, amount=amount, currency=currency, until=until, note=note, now=now
    )
    after = {"code": r.credit.code, "amount": amount, "currency": currency}
    record("registration.credit_given", r, after=after, actor=actor, now=now)


def fit_back(registration_id: int, wish: Settled, *, now: datetime) -> Settled:
    """Return how much of this may still come back of what was kept, besides what was used of a credit made of it.

    That credit becomes as small as what is kept then, or ends; what goes back to the credit that paid counts again. The
    caller holds the order's lock, and writes down what goes back in money.
    """
    r = db.session.get_one(Registration, registration_id)
    money, code, spent = money_kept(r), r.credit, 0
    if code:
        capacity.lock_pools([code.pool_id])
        db.session.refresh(code)
        spent = chosen.spent_of(code.id)
    free = max(0, money + r.credit_used - spent)
    again = min(wish.credit, r.credit_used, free)
    back = min(wish.money, money, free - again)
    kept = money + r.credit_used - again - back
    r.credit_used -= again
    if code and code.amount and kept:
        code.amount = min(code.amount, kept)
    elif code and code.ended_at is None:
        code.ended_at, code.end_reason = now, _("All that was kept was given back.")
    db.session.flush()
    return Settled(back, again)


def money_kept(r: Registration) -> int:
    """Return what is still kept of the money for a place that was given up.

    What was given back of an order without naming a person may have been this person's.
    """
    loose = sum(x.amount for x in queries.list_lines(r.order_id) if x.registration_id is None)
    return max(0, queries.costs_of([r.id])[r.id] + min(0, loose))


def keep_less(order_id: int, registration_id: int, amount: int, *, reason: str) -> None:
    """Give up some of what was kept of a price when somebody left. The caller holds the order's lock."""
    add_line(order_id, registration_id, LineKind.KEPT, reason, -amount)
    db.session.flush()


def ask_nobody(order_id: int, *, actor: Actor, now: datetime) -> int:
    """Give up what was kept of places that nobody has any more and whose money turned out never to have come.

    Returns how much, in minor units: nothing while somebody of the order has a place, as they owe it. What a credit
    made of it has paid elsewhere is not given up. The caller holds the order's lock.
    """
    order = queries.get_order(order_id)
    left = queries.due(order_id).due
    given_up = 0
    if not left or any(r.state in LIVE for r in order.registrations):
        return 0
    for r in order.registrations:
        part = fit_back(r.id, Settled(left), now=now).money
        if part:
            keep_less(order_id, r.id, part, reason=_("The money for it never came."))
            record("registration.kept_given_up", r, after={"amount": part}, actor=actor, now=now)
            left, given_up = left - part, given_up + part
    return given_up
