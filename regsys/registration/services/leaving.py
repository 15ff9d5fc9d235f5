"""People who give their confirmed places up, or whose payer does."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.discounts import services as discounts
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.registration import chosen, mail, queries, rules
from regsys.registration.models import LineKind, Registration
from regsys.registration.rules import Leaving
from regsys.registration.services.shared import add_line, end, lock_order
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
        if one.kept:
            add_line(order_id, r.id, LineKind.KEPT, one.why or _("Kept of the price."), one.kept)
        if one.credit and one.credit_until:
            _give_credit(r, one.credit, one.credit_until, actor=actor, now=now)
    db.session.flush()
    key = f"{order_id}:{'-'.join(str(r.id) for r in gone)}"
    pairs = list(zip(gone, leavings, strict=True))
    mail.send_left(held.order, pairs, key=key, lapsed=lapsed, now=now)


def _give_credit(
    r: Registration, amount: int, until: datetime, *, actor: Actor, now: datetime
) -> None:
    """Make the code by which this person uses what was kept at a later event."""
    currency, note = r.event.currency, _("Kept of place %(code)s.", code=r.code)
    r.credit = discounts.make_credit(
        r.email, amount=amount, currency=currency, until=until, note=note, now=now
    )
    audit.record(
        "registration.credit_given",
        ("registration", r.id),
        actor=actor,
        now=now,
        event_id=r.event_id,
        order_id=r.order_id,
        after={"code": r.credit.code, "amount": amount, "currency": currency},
    )


def fit_credit(registration_id: int, back: int, *, now: datetime) -> int:
    """Return how much of `back` may still come back of what was kept, besides a credit that was used.

    One that was not used becomes as small as what is kept then, or ends. The caller holds the order's lock.
    """
    r = db.session.get_one(Registration, registration_id)
    code, kept = r.credit, queries.costs_of([registration_id])[registration_id]
    if code is None or code.amount is None or code.ended_at:
        return min(back, max(0, kept))
    capacity.lock_pools([code.pool_id])
    if chosen.is_spent(code.id, but=0):
        return min(back, max(0, kept - code.amount))
    back = min(back, max(0, kept))
    if kept - back:
        code.amount = min(code.amount, kept - back)
    else:
        code.ended_at = now
    return back


def keep_less(order_id: int, registration_id: int, amount: int, *, reason: str) -> None:
    """Give up some of what was kept of a price when somebody left. The caller holds the order's lock."""
    add_line(order_id, registration_id, LineKind.KEPT, reason, -amount)
    db.session.flush()
