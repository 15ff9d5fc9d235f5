"""Rooms, dinners and codes, and who has chosen and used them."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.demo.services.programme import Programme
from regsys.discounts.models import Code
from regsys.events.kinds import OptionKind
from regsys.events.models import Option
from regsys.events.services import make_option_pool
from regsys.kernel.db import db
from regsys.registration.models import LineKind, OptionChoice, OrderLine, Registration
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


def load_options(
    data: Rows, programme: Programme, registrations: dict[str, Registration], *, now: datetime
) -> None:
    """Load rooms and dinners, and who has chosen them; “yes” or “no” becomes one that may be left out."""
    made: dict[tuple[str, str, str], Option] = {}
    for row in data["events"]:
        stock = {p["id"]: p["size"] for p in row["pools"]}
        for one in row.get("options", []):
            plain = {c["id"] for c in one["choices"]} == {"yes", "no"}
            for c in one["choices"]:
                if plain and c["id"] == "no":
                    continue
                made[row["id"], one["id"], c["id"]] = _make_option(
                    programme.events[row["id"]].id,
                    len(made),
                    choice="" if plain else one["label"],
                    name=one["label"] if plain else c["label"],
                    kind=OptionKind.MEAL if plain else OptionKind.ROOM,
                    price=c["price"],
                    size=stock.get(c.get("pool", "")),
                    asks_wish=c["id"] == "shared",
                )
    took = {
        (line["registration"], line["option"]): "yes"
        for o in data["orders"]
        for line in o["lines"]
        if line["kind"] == "option"
    }
    took |= {(r["id"], k): r["answers"][k] for r in data["registrations"] for k in ("room",)
             if k in r["answers"]}  # fmt: skip
    events = {r["id"]: r["event"] for r in data["registrations"]}
    for (r_id, option_id), choice in took.items():
        option = made.get((events[r_id], option_id, choice))
        if option:
            _choose(registrations[r_id], option, now=now)


def _make_option(event_id: int, position: int, *, size: int | None, **said: Any) -> Option:
    pool = make_option_pool(event_id, size)
    option = Option(event_id=event_id, position=position, pool_id=pool.id, **said)
    db.session.add(option)
    db.session.flush()
    return option


def _choose(r: Registration, option: Option, *, now: datetime) -> None:
    db.session.add(OptionChoice(registration_id=r.id, option_id=option.id))
    if r.state in LIVE:
        capacity.claim([(r.id, [option.pool_id])], now=now, until=None)
