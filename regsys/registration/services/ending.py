"""Registrations that end before anything was paid for them, and carts that are forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from regsys.policies.rules import Leaving
from regsys.questions import services as questions
from regsys.registration import mail, queries, rules
from regsys.registration.kinds import OrderSource
from regsys.registration.models import LineKind, OptionChoice, Order, OrderLine, Registration
from regsys.registration.queries import Held
from regsys.registration.services.leaving import keep, note_returned
from regsys.registration.services.reducing import why_not_keep
from regsys.registration.services.shared import add_line, end, is_paying, let_lapse, lock_order
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S


def expire_lapsed(order_id: int, *, now: datetime) -> int:
    """End the unpaid registrations of an order that hold nothing any more; return how many."""
    held = lock_order(order_id, now=now)
    lapsed = [r for r in held.unpaid if r.id not in held.ends]
    if not lapsed:
        return 0
    reason = _("The time for which the place was held was over.")
    gone = let_lapse(held.order, lapsed, actor=SYSTEM, now=now, reason=reason)
    if gone and held.order.placed_at and not held.order.offered:
        mail.send_hold_expired(held.order, gone, now=now)
    return len(lapsed)


def remove_person(
    order_id: int, registration_id: int, *, reason: str = "", actor: Actor, now: datetime
) -> None:
    """Take one person off a placed order that is not paid yet; raise Refused while a payment page is open."""
    held = lock_order(order_id, now=now)
    mine = [r for r in held.order.registrations if r.id == registration_id]
    if not mine:
        raise NotFound(N_("There is no such registration."))
    refusal = rules.why_not_remove(mine[0].state, paying=is_paying(mine[0], held.ends))
    refusal = refusal or why_not_keep([r for r in held.unpaid if r.id != registration_id])
    if refusal:
        raise Refused(refusal)
    reason = reason or _("Taken off by the payer before paying.")
    end(held.order, mine, S.CANCELLED, actor=actor, now=now, reason=reason, line=reason)


def cancel_unpaid(
    registration_id: int, *, event_id: int, reason: str, actor: Actor, now: datetime
) -> None:
    """Cancel a registration for which nothing was paid, and tell the person; raise Refused otherwise."""
    order_id = queries.get_registration(registration_id, event_id=event_id).order_id
    held = lock_order(order_id, now=now)
    r = next(r for r in held.order.registrations if r.id == registration_id)
    money = ledger.sums_of([order_id])[order_id]
    paid = (money.paid - money.refunded if r.price else 0) + r.credit_used
    was_confirmed = r.state is S.CONFIRMED
    refusal = rules.why_not_cancel(r.state, paid=paid, paying=is_paying(r, held.ends))
    if refusal:
        raise Refused(refusal)
    end(held.order, [r], S.CANCELLED, actor=actor, now=now, reason=reason, line=_("Cancelled."))
    mail.send_cancelled(r, reason=reason, was_confirmed=was_confirmed, now=now)
    if was_confirmed:
        mail.send_place_free(r.event, [r.name], key=f"cancelled:{r.id}", now=now)


def cancel_paid(
    registration_id: int, *, event_id: int, money: Leaving, reason: str, actor: Actor, now: datetime
) -> None:
    """Cancel a registration for an organizer, and tell the person, the payer and who leads, as `money` says.

    What goes back is requested by the caller in the same transaction; what is kept of the price stays on the order as a
    line. Locks the order. Raises Refused where it has ended already or a payment page is open.
    """
    order_id = queries.get_registration(registration_id, event_id=event_id).order_id
    held = lock_order(order_id, now=now)
    order = held.order
    r = next(r for r in order.registrations if r.id == registration_id)
    refusal = rules.why_not_cancel(r.state, paid=0, paying=is_paying(r, held.ends))
    if refusal:
        raise Refused(refusal)
    was_confirmed = r.state is S.CONFIRMED
    end(order, [r], S.CANCELLED, actor=actor, now=now, reason=reason, line=_("Cancelled."))
    keep(r, money, actor=actor, now=now)
    db.session.flush()
    mail.send_cancelled(r, reason=reason, was_confirmed=was_confirmed, money=money, now=now)
    if was_confirmed:
        mail.send_place_free(r.event, [r.name], key=f"cancelled:{r.id}", now=now)
    if money.value and order.email.casefold() != r.email_key:
        back, key = money.card, f"order-cancelled:{order_id}:{r.id}"
        mail.send_order_cancelled(
            order,
            [r],
            key=key,
            refund=back,
            by_hand=money.by_hand,
            reason=reason,
            money=[money],
            now=now,
        )


@dataclass(frozen=True)
class Share:
    """What goes back for one person of an event that is called off, to the card and (`by_hand`) in another way.

    `to_credit`: what counts again of a credit that paid a part of it.
    """

    registration_id: int
    amount: int = 0
    by_hand: int = 0
    to_credit: int = 0


def cancel_for_event(
    order_id: int,
    *,
    event_id: int,
    most: int,
    contested: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> list[Share]:
    """End what an order has of an event that is called off, tell everybody, and return what goes back for whom.

    That is what was paid above the price of what is left of the order: `most` (minor units) at most to the card,
    nothing of what is `contested`, the rest by hand. Locks the order; doing it again finds nothing.
    """
    held = lock_order(order_id, now=now)
    gone = [r for r in held.order.registrations if r.event_id == event_id and r.state in LIVE]
    if not gone:
        return []
    paid = {r.id for r in gone if r.state is S.CONFIRMED}
    credits = {r.id: r.credit_used if r.id in paid else 0 for r in gone}
    came = queries.due(order_id).net
    costs = (
        queries.costs_of([r.id for r in gone]) if came else dict.fromkeys([r.id for r in gone], 0)
    )
    line = _("The event does not take place.")
    end(held.order, gone, S.CANCELLED, actor=actor, now=now, reason=reason, line=line)
    _return_agreed_sum(held.order, line)
    over = queries.due(order_id).over
    card = min(over, most)
    hand = max(0, over - card - contested)
    shares = _share_out(gone, costs, paid, card, hand)
    shares = [replace(share, to_credit=credits[share.registration_id]) for share in shares]
    for r in gone:
        note_returned(r, credits[r.id], actor=actor, now=now)
    _tell_of_event(held, gone, shares, paid, costs, reason=reason, now=now)
    return [s for s in shares if s.amount]


def _return_agreed_sum(order: Order, line: str) -> None:
    """Take off what a host owed for all seats together: a host's order is for one event."""
    if order.source is OrderSource.HOST:
        lines = queries.list_lines(order.id)
        agreed = sum(one.amount for one in lines if one.registration_id is None)
        if agreed:
            add_line(order.id, None, LineKind.RETURN, line, -agreed)
            db.session.flush()


def _share_out(
    gone: Sequence[Registration], costs: dict[int, int], paid: set[int], card: int, hand: int
) -> list[Share]:
    """Give everybody what their place cost as far as it was paid, by card first; the rest goes with the first."""
    amounts = dict.fromkeys([r.id for r in gone], 0)
    by_hand = dict(amounts)
    for r_id in sorted(paid):
        cost = max(0, costs[r_id])
        amounts[r_id] = min(cost, card)
        by_hand[r_id] = min(cost - amounts[r_id], hand)
        card -= amounts[r_id]
        hand -= by_hand[r_id]
    amounts[gone[0].id] += card
    by_hand[gone[0].id] += hand
    return [Share(r_id, amount, by_hand[r_id]) for r_id, amount in amounts.items()]


def _tell_of_event(
    held: Held,
    gone: Sequence[Registration],
    shares: Sequence[Share],
    confirmed: set[int],
    costs: dict[int, int],
    *,
    reason: str,
    now: datetime,
) -> None:
    mine = {s.registration_id: s for s in shares}
    for r in gone:
        if r.email:
            share = mine[r.id]
            mail.send_event_cancelled(
                r,
                reason=reason,
                was_confirmed=r.id in confirmed,
                refund=share.amount,
                by_hand=share.by_hand,
                to_credit=share.to_credit,
                paid=r.id in confirmed and costs[r.id] > 0,
                now=now,
            )
    order = held.order
    if order.placed_at and order.email.casefold() not in {r.email_key for r in gone}:
        mail.send_order_cancelled(
            order,
            gone,
            key=f"order-cancelled:{order.id}:event-{gone[0].event_id}",
            refund=sum(s.amount for s in shares),
            by_hand=sum(s.by_hand for s in shares),
            reason=reason,
            now=now,
        )


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
    db.session.execute(delete(OptionChoice).where(OptionChoice.registration_id.in_(ids)))
    db.session.execute(delete(Registration).where(Registration.id.in_(ids)))
    db.session.execute(delete(Order).where(Order.id == order_id))
