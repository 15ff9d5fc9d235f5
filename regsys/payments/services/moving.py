"""People move to another event: what is paid or given back is what they were shown, or nothing happens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refused
from regsys.payments import queries
from regsys.payments.queries import Moves, Scope, Way
from regsys.payments.services.giving import request
from regsys.registration import mail
from regsys.registration import services as registration
from regsys.registration.models import Order
from regsys.registration.rules import PRICE_CHANGED, hold_until, pay_link_until
from regsys.registration.states import RegistrationState as S
from regsys.web.urls import settings


@dataclass(frozen=True)
class Moved:
    """What was done: the refunds to carry out, and what is to pay first or goes back, in minor units."""

    registration_id: int
    refunds: Sequence[int]
    to_pay: int
    back: int


def move_place(
    order_id: int,
    registration_id: int,
    ticket_type_id: int,
    *,
    mark: str,
    actor: Actor,
    now: datetime,
) -> Moved | None:
    """Let a person move as the page has shown it; None: they had moved there before.

    Where something is to pay, the new place is held and the old one stays. Locks the order. Raises Refused.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    found = queries.get_moves(order_id, registration_id, now=now)
    if _has_moved(found, ticket_type_id):
        return None
    way = _check(found, ticket_type_id, mark)
    until = hold_until(now, settings().HOLD_MINUTES)
    return _move(found, way, until=until, reason="", actor=actor, now=now)


def move_for(
    order_id: int,
    registration_id: int,
    ticket_type_id: int,
    *,
    mark: str,
    spare: bool,
    reason: str,
    actor: Actor,
    now: datetime,
    scope: Scope = None,
) -> Moved | None:
    """Move somebody for an organizer: the difference is paid by a mailed link within days, or (`spare`) never.

    `scope`: where the organizer's word counts. None: they had moved there before. Locks the order. Raises Refused.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    found = queries.get_moves(order_id, registration_id, now=now, by_organizer=True, scope=scope)
    if _has_moved(found, ticket_type_id):
        return None
    way = _check(found, ticket_type_id, mark)
    until = hold_until(now, settings().HOLD_MINUTES)
    if spare:
        all_of_it = way.move.to_pay + way.move.later
        way = replace(way, move=replace(way.move, to_pay=0, later=0, parts=None, spared=all_of_it))
    elif way.move.to_pay:
        until = pay_link_until(now, way.to.event.starts_at)
        found.order.held_until = until
    moved = _move(found, way, until=until, reason=reason, actor=actor, now=now)
    if moved.to_pay:
        new = next(r for r in found.order.registrations if r.id == moved.registration_id)
        mail.send_move_waits(new, due=moved.to_pay, until=until, now=now)
    return moved


def _has_moved(found: Moves, ticket_type_id: int) -> bool:
    """Tell whether a second click asks for what the first one has done."""
    mine = found.registration
    return mine.state is S.TRANSFERRED and any(
        r.moved_from_id == mine.id and r.ticket_type_id == ticket_type_id
        for r in found.order.registrations
    )


def _check(found: Moves, ticket_type_id: int, mark: str) -> Way:
    way = found.find(ticket_type_id)
    refusal = found.refusal or queries.why_not_way(way)
    if refusal:
        raise Refused(refusal)
    if way is None or found.mark(way) != mark:
        raise Refused(PRICE_CHANGED)
    return way


def _move(
    found: Moves, way: Way, *, until: datetime, reason: str, actor: Actor, now: datetime
) -> Moved:
    order_id, old, move = found.order.id, found.registration, way.move
    title = way.to.event.title
    new = registration.begin_move(
        order_id, old.id, move, until=until, reason=reason, actor=actor, now=now
    )
    made: list[int] = []
    if move.card:
        made = request(
            queries.list_card_payments(order_id),
            move.card,
            reason=_("Moved to “%(title)s”, which costs less.", title=title),
            actor=actor,
            now=now,
            registration_id=old.id,
        )
    return Moved(new.id, made, move.to_pay, move.back)
