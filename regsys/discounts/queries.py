"""Reading codes and how often they are used."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from regsys.capacity import services as capacity
from regsys.capacity.rules import PoolCount
from regsys.discounts.models import Code, discount_code_event
from regsys.discounts.rules import Terms
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_


def terms_of(code: Code) -> Terms:
    """Return what a code says, for the rules."""
    return Terms(
        code.percent,
        code.amount,
        code.currency,
        code.starts_at,
        code.ends_at,
        code.min_group,
        ended=code.ended_at is not None,
    )


def spelled(typed: str) -> str:
    """Return a code as it is stored: in capitals, without spaces."""
    return "".join(typed.split()).upper()


def find_code(typed: str) -> Code | None:
    """Find a code as somebody typed it, with its events."""
    query = select(Code).where(Code.code == spelled(typed)).options(selectinload(Code.events))
    return db.session.scalar(query)


def find_by_id(code_id: int | None) -> Code | None:
    """Find the code of a registration that has one."""
    return db.session.get(Code, code_id) if code_id else None


def get_code(code_id: int, *, event_id: int) -> Code:
    """Get a code that counts in this event; raise NotFound, also where it belongs to others."""
    query = (
        select(Code)
        .join(discount_code_event)
        .where(Code.id == code_id, discount_code_event.c.event_id == event_id)
        .options(selectinload(Code.events), joinedload(Code.pool))
    )
    code = db.session.scalar(query)
    if code is None:
        raise NotFound(N_("There is no such code."))
    return code


@dataclass(frozen=True)
class Used:
    """A code with how often it is used, or kept for somebody who is about to pay."""

    code: Code
    count: PoolCount


def list_used(event_id: int, *, now: datetime) -> list[Used]:
    """List the codes that count in an event, the valid ones first, with their uses."""
    query = (
        select(Code)
        .join(discount_code_event)
        .where(discount_code_event.c.event_id == event_id)
        .options(selectinload(Code.events))
        .order_by(Code.ended_at.is_not(None), Code.code)
    )
    codes = list(db.session.scalars(query))
    counts = capacity.counts([c.pool_id for c in codes], now=now)
    return [Used(c, counts[c.pool_id]) for c in codes]


def count_uses(code: Code, *, now: datetime) -> PoolCount:
    """Count the uses of one code."""
    return capacity.counts([code.pool_id], now=now)[code.pool_id]


def list_events(
    scope: Collection[int] | None, also: Sequence[int], *, now: datetime
) -> list[Event]:
    """List events of this scope that are not over, and those of `also`: where a code can count."""
    open_ones = (Event.ends_at > now) & (Event.state != EventState.CANCELLED)
    query = select(Event).where(open_ones | Event.id.in_(also)).order_by(Event.starts_at, Event.id)
    if scope is not None:
        query = query.where(Event.id.in_(scope))
    return list(db.session.scalars(query))
