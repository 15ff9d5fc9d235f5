"""Reading what can be chosen with a place."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select

from regsys.capacity import services as capacity
from regsys.capacity.rules import PoolCount
from regsys.events.models import Option
from regsys.events.rules.options import Choosable
from regsys.kernel.db import db


def list_options(event_ids: Iterable[int]) -> list[Option]:
    """List all options of these events, in order."""
    query = select(Option).where(Option.event_id.in_(set(event_ids)))
    return list(db.session.scalars(query.order_by(Option.event_id, Option.position, Option.id)))


def count_options(options: Sequence[Option], *, now: datetime) -> dict[int, PoolCount]:
    """Count how often each option is taken or held, by the option's id."""
    counts = capacity.counts([o.pool_id for o in options], now=now) if options else {}
    return {o.id: counts[o.pool_id] for o in options}


def choosable(options: Sequence[Option], *, now: datetime) -> dict[int, list[Choosable]]:
    """Return what can be chosen now, by event."""
    counts = count_options(options, now=now)
    found: dict[int, list[Choosable]] = {}
    for o in options:
        if o.on_sale:
            one = Choosable(o.id, o.name, o.choice, o.price, counts[o.id].free, o.per_order)
            found.setdefault(o.event_id, []).append(one)
    return found
