"""What the verbs share: the order's lock, moving registrations with their audit, and lines that take a price back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, has_lock, lock_where, this_transaction
from regsys.kernel.errors import Refused
from regsys.kernel.states import move
from regsys.registration import mail, queries, rules
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.queries import Ends, Held
from regsys.registration.states import UNPAID, RegistrationState

ENDED = frozenset(
    {RegistrationState.CANCELLED, RegistrationState.TRANSFERRED, RegistrationState.EXPIRED}
)


def record(
    action: str,
    r: Registration,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write into the audit what was done about a registration, with its event and its order."""
    audit.record(
        action,
        ("registration", r.id),
        actor=actor,
        now=now,
        event_id=r.event_id,
        order_id=r.order_id,
        reason=reason,
        before=before,
        after=after,
    )


def lock_order(
    which: int | str | Held, *, now: datetime, money: bool = False, sessions: bool = False
) -> Held:
    """Lock an order (by id, or by the secret of its link), then read it with its registrations and holds.

    What was locked and read in this transaction before is taken as it is. `money` and `sessions` are read with it, as
    `get_held` says. Raises NotFound.
    """
    if isinstance(which, Held):
        if which.transaction is None or which.transaction is not this_transaction():
            raise RuntimeError("this order was not locked in this transaction")
        return which
    if not has_lock(Order, which):
        lock_where(Order, queries.is_order(which))
    held = queries.get_held(which, now=now, money=money, sessions=sessions)
    return replace(held, transaction=this_transaction())


def check_open(held: Held) -> None:
    """A price is changed in a cart, or behind a mailed link where nobody is paying for now; raise Refused otherwise."""
    if held.order.placed_at and not held.order.by_link:
        raise Refused(rules.PLACED_ALREADY)
    if not held.holding:
        raise Refused(rules.HOLD_EXPIRED)
    if held.ends_at is None:
        raise Refused(rules.PAYMENT_OPEN)


def is_paying(r: Registration, ends: Ends) -> bool:
    """Tell whether a payment page may be open: then the claims of an unpaid place have no end."""
    return r.state is RegistrationState.AWAITING_PAYMENT and r.id in ends and ends[r.id] is None


def make_order(currency: str, *, now: datetime) -> Order:
    """Begin an order; it is a cart until it is placed."""
    token = tokens.new_token()
    order = Order(
        code=f"{tokens.new_code(4)}-{tokens.new_code(4)}",
        token=token,
        token_hash=tokens.hash_token(token),
        currency=currency,
        created_at=now,
    )
    db.session.add(order)
    db.session.flush()
    return order


def move_all(
    registrations: Iterable[Registration],
    to: RegistrationState,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    """Move registrations and write each into the audit; those that end note by whom and why."""
    for r in registrations:
        before = r.state
        move(r, to, now=now)
        if to in ENDED:
            r.ended_at, r.ended_by, r.end_reason = now, actor.label or actor.kind, reason[:500]
        elif to is RegistrationState.CONFIRMED:
            r.confirmed_at, r.ended_at, r.ended_by, r.end_reason = now, None, "", ""
        record(
            f"registration.{to}",
            r,
            actor=actor,
            now=now,
            reason=reason,
            before={"state": before},
            after={"state": to},
        )
    db.session.flush()


def end(
    order: Order,
    registrations: Sequence[Registration],
    to: RegistrationState,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    line: str,
) -> None:
    """End registrations: free their places and take their price back with a line that says why.

    Where somebody was about to move from one of these places, the place that is not paid yet ends with it.
    """
    ids = [r.id for r in registrations]
    moves = [m for m in order.registrations if m.state in UNPAID and m.moved_from_id in ids]
    moves = [m for m in moves if m.id not in ids]
    if moves:
        end(
            order,
            moves,
            RegistrationState.CANCELLED,
            actor=actor,
            now=now,
            reason=reason,
            line=line,
        )
    move_all(registrations, to, actor=actor, now=now, reason=reason)
    capacity.release(ids, now=now)
    if to is RegistrationState.CANCELLED:
        # All of it counts again; whoever keeps some of it by a rule writes that down afterwards.
        for r in registrations:
            r.credit_used = 0
    if order.placed_at is None:
        db.session.execute(delete(OrderLine).where(OrderLine.registration_id.in_(ids)))
        return
    lines = queries.list_lines(order.id)
    for r in registrations:
        amount = sum(one.amount for one in lines if one.registration_id == r.id)
        if amount:
            add_line(order.id, r.id, LineKind.RETURN, line, -amount)
    db.session.flush()


def drop_moves(order: Order, ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """End what is not paid yet of moves from these places: they go another way."""
    moves = [m for m in order.registrations if m.state in UNPAID and m.moved_from_id in ids]
    if moves:
        reason = _("The place from which this move began has gone another way.")
        cancelled = RegistrationState.CANCELLED
        end(order, moves, cancelled, actor=actor, now=now, reason=reason, line=reason)


def let_lapse(
    order: Order,
    registrations: Sequence[Registration],
    *,
    actor: Actor,
    now: datetime,
    reason: str,
) -> list[Registration]:
    """End what was not paid in time, and return whose places are gone; a move ends as if it was never begun."""
    moves = [r for r in registrations if r.moved_from_id]
    gone = [r for r in registrations if not r.moved_from_id]
    if moves:
        line = _("The move was not paid in time: everything stays as it was.")
        end(
            order,
            moves,
            RegistrationState.CANCELLED,
            actor=actor,
            now=now,
            reason=reason,
            line=line,
        )
        mail.send_move_lapsed(order, moves, now=now)
    if gone:
        line = _("Not paid in time: the place was let go.")
        end(order, gone, RegistrationState.EXPIRED, actor=actor, now=now, reason=reason, line=line)
    return gone


def add_line(
    order_id: int, registration_id: int | None, kind: LineKind, reason: str, amount: int
) -> None:
    """Add one line of the price."""
    db.session.add(
        OrderLine(
            order_id=order_id,
            registration_id=registration_id,
            kind=kind,
            reason=reason[:300],
            amount=amount,
        )
    )
