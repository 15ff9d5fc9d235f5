"""What a payment does to an order: hold it, confirm it, let it go. `payments` calls these inside its transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.db import BUSY_SENTENCE
from regsys.kernel.errors import Busy, Refused
from regsys.registration import chosen, mail, queries, rules
from regsys.registration.models import LineKind, Registration
from regsys.registration.owing import due_first
from regsys.registration.queries import Held
from regsys.registration.services.moving import finish_moves
from regsys.registration.services.places import pools_of
from regsys.registration.services.shared import add_line, let_lapse, lock_order, move_all
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S


@dataclass(frozen=True)
class CheckoutFacts:
    """What a payment page needs to know; `lines` are (name, amount in minor units) and add up to `amount`."""

    order_id: int
    code: str
    token: str
    currency: str
    amount: int
    payer_email: str
    payer_name: str
    lines: Sequence[tuple[str, int]]
    titles: Sequence[str]


class PaidOutcome(StrEnum):
    """What a payment led to; `no_place`: the places are gone, and nothing was changed."""

    CONFIRMED = "confirmed"
    ALREADY = "already"
    NO_PLACE = "no_place"


def hold_for_checkout(
    which: int | str | Held, *, now: datetime, whole: bool = False, most: int | None = None
) -> CheckoutFacts:
    """Lock an order (by id, or by its token) and hold its places without an end, for as long as a payment is open.

    It asks for the deposit where there is one and nothing was paid, else (or if `whole`) for all that is due, or for
    `most` of it, as much as an invoice is about. Raises Refused unless something is due and every unpaid place is still
    held.
    """
    held = lock_order(which, now=now, money=True)
    order = held.order
    balance = held.balance or queries.due(order.id)
    refusal = rules.why_not_pay(
        {r.state for r in order.registrations},
        due=balance.due if order.placed_at else 0,
        holding=held.holding,
        off=any(
            r.event.state is EventState.CANCELLED for r in order.registrations if r.state in LIVE
        ),
    )
    if refusal:
        raise Refused(refusal)
    if not capacity.extend([r.id for r in held.unpaid], until=None, now=now):
        raise Refused(rules.HOLD_EXPIRED)
    first = due_first(order, balance, now=now)
    amount = balance.due if whole or not first else first
    amount = amount if most is None else min(amount, most)
    coming = held.unpaid or [r for r in order.registrations if r.state is S.CONFIRMED]
    return CheckoutFacts(
        order_id=order.id,
        code=order.code,
        token=order.token,
        currency=order.currency,
        amount=amount,
        payer_email=order.email,
        payer_name=order.payer_name,
        lines=_lines(held, amount),
        titles=list(dict.fromkeys(r.event.title for r in coming)),
    )


def _lines(held: Held, due: int) -> list[tuple[str, int]]:
    """Return a line for each person, or one for everything where these do not add up to what is due."""
    lines = [
        (f"{r.event.title}: {r.ticket_type.name}, {r.name}", r.price)
        for r in held.unpaid
        if r.price
    ]
    if sum(amount for _name, amount in lines) == due:
        return lines
    return [(_("Order %(code)s", code=held.order.code), due)]


def confirm_paid(
    which: int | Held, *, actor: Actor, now: datetime, made_by: datetime | None = None
) -> PaidOutcome:
    """Confirm what was paid for; repeating it changes nothing.

    `made_by`: what an invoice of that time was about was paid. While something is due besides, places that came to the
    order later are not confirmed by it.

    Places that were let go meanwhile are taken again under the lock, if what came is enough for them too. If there are
    none any more, or the same address has another live registration, nothing is changed and the answer is NO_PLACE.
    """
    held = lock_order(which, now=now)
    waiting = _paid_for(held)
    later = [r for r in waiting if made_by and r.created_at > made_by]
    if later and queries.due(held.order.id).due:
        waiting = [r for r in waiting if r not in later]
    if not waiting:
        some = bool(later) or any(r.state is S.CONFIRMED for r in held.order.registrations)
        return PaidOutcome.ALREADY if some else PaidOutcome.NO_PLACE
    if not _keep_places(held, waiting, now=now):
        return PaidOutcome.NO_PLACE
    for r in waiting:
        if r.state is S.EXPIRED:
            again = _("The place was taken again when the payment came.")
            add_line(held.order.id, r.id, LineKind.PLACE, again, r.price)
    move_all(waiting, S.CONFIRMED, actor=actor, now=now)
    moved = finish_moves(held.order, waiting, actor=actor, now=now)
    new = [r for r in waiting if r not in moved]
    if new:
        mail.send_confirmations(held.order, new, now=now)
    return PaidOutcome.CONFIRMED


def _paid_for(held: Held) -> list[Registration]:
    """Return whom money that came confirms: who waits, and of those whose places were let go whom it is enough for.

    A host's order is paid as often as it grows: money for a new seat takes no seat again that nobody pays. The same
    holds for a cheque that is less than what an order cost.
    """
    waiting = [r for r in held.order.registrations if r.state is S.AWAITING_PAYMENT]
    gone = [r for r in held.order.registrations if r.state is S.EXPIRED]
    spare = queries.due(held.order.id).over if gone else 0
    for r in gone:
        first = r.price if r.deposit is None else r.deposit
        if first <= spare:
            waiting.append(r)
            spare -= first
    return waiting


def _keep_places(held: Held, waiting: Sequence[Registration], *, now: datetime) -> bool:
    """Hold these places for good: keep those that are held, and take the others again, or change nothing."""
    gone = [r for r in waiting if r.id not in held.ends]
    if any(_is_elsewhere(r) for r in gone if r.state is S.EXPIRED):
        return False
    if gone:
        capacity.release([r.id for r in gone], now=now)  # what lapsed and was not let go yet
        pools = pools_of(gone)
        try:
            capacity.claim(pools.wanted, now=now, until=None, up_to=pools.early)
        except Refused:
            return False
        if chosen.is_overdrawn(gone):
            capacity.release([r.id for r in gone], now=now)
            return False
    endless = not gone and all(held.ends[r.id] is None for r in waiting)
    if not endless and not capacity.extend([r.id for r in waiting], until=None, now=now):
        raise Busy(BUSY_SENTENCE)  # a hold ended between two lines: the next try sees it
    return True


def _is_elsewhere(r: Registration) -> bool:
    found = queries.list_live_emails(r.event_id, [r.email_key]) if r.email_key else []
    return any(other.id != r.id for other in found)


def release_checkout(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Let the places go because the payment ended without money; repeating it changes nothing.

    Places behind a mailed link are held on until the time that the letter named.
    """
    held = lock_order(order_id, now=now)
    waiting = [r for r in held.order.registrations if r.state is S.AWAITING_PAYMENT]
    if not waiting:
        return
    until, ids = held.order.held_until, [r.id for r in waiting]
    if until and until > now and capacity.extend(ids, until=until, now=now):
        return
    reason = _("The payment page was closed without a payment.")
    gone = let_lapse(held.order, waiting, actor=actor, now=now, reason=reason)
    if gone and not held.order.offered:
        mail.send_hold_expired(held.order, gone, now=now)
