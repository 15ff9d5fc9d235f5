"""Codes, and who has used them."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.demo.services.programme import Programme
from regsys.discounts.models import Code
from regsys.kernel.db import db
from regsys.registration.models import LineKind, OrderLine, Registration
from regsys.registration.states import LIVE

Rows = dict[str, Any]
# What a registration's price is made of, apart from the place.
BESIDE = (LineKind.OPTION, LineKind.DISCOUNT, LineKind.AWARD)


def load_codes(
    data: Rows, programme: Programme, registrations: dict[str, Registration], *, now: datetime
) -> None:
    """Load codes with their uses."""
    used = {
        line["registration"]: line["code"]
        for o in data["orders"]
        for line in o["lines"]
        if line["kind"] == "discount"
    }
    for row in data["organisation"]["discount_codes"]:
        name = f"code {row['code']}"
        pool = capacity.make_pool(
            event_id=None, name=name, kind=PoolKind.CODE, size=row.get("max_uses")
        )
        code = Code(
            code=row["code"],
            note=row.get("note", ""),
            percent=row["percent"] * 100,
            min_group=row.get("min_from_one_workplace", 1),
            pool_id=pool.id,
            created_at=now,
        )
        code.events = [programme.events[e] for e in row["events"]]
        db.session.add(code)
        db.session.flush()
        for r in (registrations[k] for k, v in used.items() if v == code.code):
            r.code_id = code.id
            if r.state in LIVE:
                capacity.claim([(r.id, [pool.id])], now=now, until=None)


def add_up_prices(registrations: dict[str, Registration]) -> None:
    """Make each price what the lines come to: the data file says what the place alone costs."""
    query = select(OrderLine.registration_id, func.sum(OrderLine.amount))
    query = query.where(OrderLine.kind.in_(BESIDE)).group_by(OrderLine.registration_id)
    beside = {r: int(n) for r, n in db.session.execute(query)}
    for r in registrations.values():
        r.price += beside.get(r.id, 0)
