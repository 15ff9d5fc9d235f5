"""Registrations that end before anything was paid for them, and carts that are forgotten."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete

from regsys.audit import services as audit
from regsys.capacity.models import Claim
from regsys.events.models import Event
from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.ledger import queries as ledger
from regsys.questions import services as questions
from regsys.registration import mail, queries, rules
from regsys.registration.models import Order, OrderLine, Registration
from regsys.registration.queries import Ends
from regsys.registration.services.shared import end, lock_order
from regsys.registration.states import RegistrationState as S


def expire_lapsed(order_id: int, *, now: datetime) -> int:
    """End the unpaid registrations of an order that hold nothing any more; return how many."""
    held = lock_order(order_id, now=now)
    lapsed = [r for r in held.unpaid if r.id not in held.ends]
    if not lapsed:
        return 0
    reason = _("The time for which the place was held was over.")
    line = _("Not paid in time: the place was let go.")
    end(held.order, lapsed, S.EXPIRED, actor=SYSTEM, now=now, reason=reason, line=line)
    if held.order.placed_at:
        mail.send_hold_expired(held.order, lapsed, now=now)
    return len(lapsed)


def remove_person(order_id: int, registration_id: int, *, actor: Actor, now: datetime) -> None:
    """Take one person off a placed order that is not paid yet; raise Refused while a payment page is open."""
    held = lock_order(order_id, now=now)
    mine = [r for r in held.order.registrations if r.id == registration_id]
    if not mine:
        raise NotFound(N_("There is no such registration."))
    refusal = rules.why_not_remove(mine[0].state, paying=_paying(mine[0], held.ends))
    if refusal:
        raise Refused(refusal)
    reason = _("Taken off by the payer before paying.")
    end(held.order, mine, S.CANCELLED, actor=actor, now=now, reason=reason, line=reason)


def cancel_unpaid(
    registration_id: int, *, event_id: int, reason: str, actor: Actor, now: datetime
) -> None:
    """Cancel a registration for which nothing was paid, and tell the person; raise Refused otherwise."""
    order_id = queries.get_registration(registration_id, event_id=event_id).order_id
    held = lock_order(order_id, now=now)
    r = next(r for r in held.order.registrations if r.id == registration_id)
    money = ledger.sums_of([order_id])[order_id]
    paid = money.paid - money.refunded if r.price else 0
    was_confirmed = r.state is S.CONFIRMED
    refusal = rules.why_not_cancel(r.state, paid=paid, paying=_paying(r, held.ends))
    if refusal:
        raise Refused(refusal)
    end(held.order, [r], S.CANCELLED, actor=actor, now=now, reason=reason, line=_("Cancelled."))
    mail.send_cancelled(r, reason=reason, was_confirmed=was_confirmed, now=now)


def _paying(r: Registration, ends: Ends) -> bool:
    """Tell whether a payment page may be open: then the claims of an unpaid place have no end."""
    return r.state is S.AWAITING_PAYMENT and r.id in ends and ends[r.id] is None


def delete_private_answers(event_id: int, *, now: datetime) -> int:
    """Delete an event's private answers whose time has come, and say so in the audit; return how many."""
    event = db.session.get_one(Event, event_id)
    count = questions.delete_private(event_id, days_over=(now - event.ends_at).days)
    if count:
        audit.record(
            "event.private_answers_deleted",
            ("event", event_id),
            actor=SYSTEM,
            now=now,
            event_id=event_id,
            after={"answers": count},
        )
        db.session.flush()
    return count


def forget(order_id: int, *, now: datetime) -> None:
    """Delete a cart that was never placed, with everything that was typed into it."""
    held = lock_order(order_id, now=now)
    if held.order.placed_at or held.unpaid:
        return
    ids = [r.id for r in held.order.registrations]
    db.session.execute(delete(Claim).where(Claim.registration_id.in_(ids)))
    db.session.execute(delete(OrderLine).where(OrderLine.order_id == order_id))
    db.session.execute(delete(Registration).where(Registration.id.in_(ids)))
    db.session.execute(delete(Order).where(Order.id == order_id))
