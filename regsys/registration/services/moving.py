"""Moving to another event: the new place is held first, and the old one goes when the new one is sure."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.events.models import Event
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.policies.rules import Moving
from regsys.registration import mail, proving, queries, rules
from regsys.registration.models import LineKind, Order, Registration
from regsys.registration.owing import due_later
from regsys.registration.queries import Held
from regsys.registration.services.adjusting import take_off
from regsys.registration.services.carts import PERSON, check_proof, hold_places
from regsys.registration.services.leaving import note_returned
from regsys.registration.services.places import get_for_sale
from regsys.registration.services.shared import add_line, lock_order, move_all, record
from regsys.registration.states import UNPAID
from regsys.registration.states import RegistrationState as S


def begin_move(
    order_id: int,
    registration_id: int,
    wish: Moving,
    *,
    until: datetime,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Registration:
    """Hold a place in another event for somebody who has one here, and move them there at once if nothing is to pay.

    Otherwise the new place waits for its payment like any other, and the old one stays until then. What is given back
    is requested by the caller in the same transaction. Locks the order, then the pools. Raises Refused.
    """
    held = lock_order(order_id, now=now)
    old = _one_of(held, registration_id)
    refusal = rules.why_not_leave(
        old.state, event=old.event.state, ends_at=old.event.ends_at, now=now
    )
    if refusal:
        raise Refused(refusal)
    if any(r.moved_from_id == old.id and r.state in UNPAID for r in held.order.registrations):
        raise Refused(rules.MOVES_ALREADY)
    event = get_for_sale_of(wish.ticket_type_id, wish.event_id)
    if old.email_key and queries.list_live_emails(event.id, [old.email_key]):
        raise Refused(rules.EMAIL_HERE)
    cost = queries.costs_of([old.id])[old.id]
    new = _hold(held, old, event, wish, until=until, now=now)
    if new.price != wish.price:
        raise Refused(rules.PRICE_CHANGED)
    take_off(new, wish.adjusted)
    if wish.fee:
        add_line(order_id, new.id, LineKind.OTHER, _("Fee for moving to another event."), wish.fee)
    if cost:
        why = _("What “%(title)s” costs counts here.", title=old.event.title)
        add_line(order_id, new.id, LineKind.OTHER, why, -cost)
    if wish.spared:
        spared = _("Spared by the organizers: %(reason)s", reason=reason)
        add_line(order_id, new.id, LineKind.OTHER, spared, -wish.spared)
        new.price = max(0, new.price - wish.spared)
    db.session.flush()
    more = wish.price - wish.adjusted + wish.fee - cost - wish.spared
    _record("registration.move_begun", old, new, actor=actor, now=now, reason=reason, more=more)
    if wish.to_pay:
        move_all([new], S.AWAITING_PAYMENT, actor=actor, now=now, reason=reason)
        return new
    if not capacity.extend([new.id], until=None, now=now):
        raise Refused(rules.HOLD_EXPIRED)
    move_all([new], S.CONFIRMED, actor=actor, now=now, reason=reason)
    finish_moves(held.order, [new], actor=actor, now=now, money=wish)
    if wish.kept:
        why = _("Kept of the difference, by the refund rules of that day.")
        add_line(order_id, old.id, LineKind.KEPT, why, wish.kept)
        db.session.flush()
    return new


def get_for_sale_of(ticket_type_id: int, event_id: int) -> Event:
    """Return the event of a ticket type that has a price; raise NotFound."""
    event = get_for_sale([event_id]).get(event_id)
    if event is None or not any(t.id == ticket_type_id and t.prices for t in event.ticket_types):
        raise NotFound(N_("There is no such ticket type."))
    return event


def _hold(
    held: Held, old: Registration, event: Event, wish: Moving, *, until: datetime, now: datetime
) -> Registration:
    order, first = held.order, len(held.order.registrations) + 1
    plan = {event.id: (event, {wish.ticket_type_id: 1})}
    shown = proving.still_proves(old.proof, now.date())
    check_proof(event, plan[event.id][1], plan[event.id][1], shown)
    hold_places(order, plan, [], first=first, until=until, now=now, behind=wish.behind, proof=shown)
    db.session.refresh(order, ["registrations"])
    new = order.registrations[-1]
    for name in PERSON:
        if name != "answered_at":
            setattr(new, name, getattr(old, name))
    new.proof = proving.as_said(old.proof)
    # All of it is paid at once, or a deposit and the fee; what is owed of the old place keeps its day.
    new.deposit = wish.parts.first + wish.fee if wish.parts else None
    new.rest_at = wish.rest_at or old.rest_at
    new.moved_from_id, new.times_moved = old.id, old.times_moved + 1
    db.session.flush()
    return new


def finish_moves(
    order: Order,
    confirmed: Sequence[Registration],
    *,
    actor: Actor,
    now: datetime,
    money: Moving | None = None,
) -> list[Registration]:
    """Give the old places up of those who are confirmed elsewhere now, and tell everybody; return who has moved."""
    moved = [r for r in confirmed if r.moved_from_id]
    if not moved:
        return []
    by_id = {r.id: r for r in order.registrations}
    costs = queries.costs_of([r.moved_from_id for r in moved if r.moved_from_id])
    for new in moved:
        old = by_id[new.moved_from_id or 0]
        cost, again, old.credit_used = costs[old.id], old.credit_used, 0
        note_returned(old, again, actor=actor, now=now)
        reason = _("Moved to “%(title)s”.", title=new.event.title)
        move_all([old], S.TRANSFERRED, actor=actor, now=now, reason=reason)
        if cost:
            add_line(order.id, old.id, LineKind.RETURN, reason, -cost)
            why = _("“%(title)s” is given up for it.", title=old.event.title)
            add_line(order.id, new.id, LineKind.OTHER, why, cost)
        db.session.flush()
        rest = due_later(order, queries.due(order.id).due, now=now)
        later = rest - due_later(order, rest, but=[new.id], now=now)
        mail.send_moved(old, new, cost=cost, later=later, to_credit=again, money=money, now=now)
    capacity.release([r.moved_from_id for r in moved if r.moved_from_id], now=now)
    return moved


def ask_to_move(
    order_id: int, registration_id: int, ticket_type_id: int, event_id: int, *,
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    """Ask the organizers for a move to which they have to agree; the same wish twice is one letter. Locks the order."""
    old = _one_of(lock_order(order_id, now=now), registration_id)
    event = get_for_sale_of(ticket_type_id, event_id)
    kind = next(t for t in event.ticket_types if t.id == ticket_type_id)
    _record("registration.move_asked", old, None, actor=actor, now=now, reason=event.title)
    mail.send_move_asked(old, event, kind, now=now)


def _one_of(held: Held, registration_id: int) -> Registration:
    for r in held.order.registrations:
        if r.id == registration_id:
            return r
    raise NotFound(N_("There is no such registration."))


def _record(
    action: str,
    old: Registration,
    new: Registration | None,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    more: int = 0,
) -> None:
    record(
        action,
        old,
        actor=actor,
        now=now,
        reason=reason,
        after={"to": new.code, "difference": more, "currency": old.event.currency} if new else None,
    )
