"""What can be chosen with a place: rooms, meals, anything with a stock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regsys.capacity import services as capacity
from regsys.capacity.models import Pool, PoolKind
from regsys.capacity.queries import list_used
from regsys.events import rules
from regsys.events.kinds import OptionKind
from regsys.events.models import Event, Option
from regsys.events.queries.choosing import count_options, list_options
from regsys.events.services.editing import changing
from regsys.events.services.places import fit_pool
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_


@dataclass(frozen=True, kw_only=True)
class OptionPlan:
    """One option; a size of None means that it never runs out. The price is in minor units."""

    name: str
    kind: OptionKind
    price: int
    choice: str = ""
    size: int | None = None
    per_order: bool = False
    asks_wish: bool = False
    on_sale: bool = True
    id: int | None = None


SAID = ("name", "kind", "price", "choice", "per_order", "asks_wish", "on_sale")


def set_options(
    event_id: int,
    plans: Sequence[OptionPlan],
    *,
    version: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Change what can be chosen at an event; options that are not in the plans go, unless somebody took them.

    Who has chosen keeps what it cost. Raises IllegalMove if somebody changed the event meanwhile, Refused below what is
    taken.
    """
    with changing(event_id, "event.options_set", version=version, actor=actor, now=now) as (e, m):
        _check(e, plans)
        known = {o.id: o for o in list_options([event_id])}
        before = [[o.name, o.price] for o in known.values()]
        kept = {p.id for p in plans}
        _remove([o for o in known.values() if o.id not in kept])
        # Names are unique: those that change step aside first, so that two may swap.
        for plan in plans:
            if plan.id in known and known[plan.id].name != plan.name:
                known[plan.id].name = f"{plan.name[:80]} ({plan.id})"
        db.session.flush()
        for position, plan in enumerate(plans):
            _write(e, known.get(plan.id or 0), plan, position, now)
        db.session.flush()
        m["options"] = (before, [[p.name, p.price] for p in plans])


def _check(event: Event, plans: Sequence[OptionPlan]) -> None:
    seen: set[str] = set()
    for plan in plans:
        if plan.name.casefold() in seen:
            sentence = N_("Two of them are called “%(name)s”.")
            raise Refused(Refusal("NameTwice", sentence, {"name": plan.name}))
        seen.add(plan.name.casefold())
        refusal = rules.why_not_price(plan.price, event.currency)
        if refusal:
            raise Refused(refusal)


def _remove(gone: Sequence[Option]) -> None:
    used = list_used([o.pool_id for o in gone])
    for option in gone:
        if option.pool_id in used:
            sentence = N_("Somebody has taken “%(name)s”, so it stays: take it off sale instead.")
            raise Refused(Refusal("OptionUsed", sentence, {"name": option.name}))
        pool = db.session.get_one(Pool, option.pool_id)
        db.session.delete(option)
        db.session.flush()
        db.session.delete(pool)
    db.session.flush()


def _write(
    event: Event, option: Option | None, plan: OptionPlan, position: int, now: datetime
) -> None:
    if option is None:
        option = Option(event_id=event.id, pool_id=make_option_pool(event.id, plan.size).id)
        db.session.add(option)
    else:
        fit_pool(db.session.get_one(Pool, option.pool_id), plan.size, now=now)
    option.position = position
    for name in SAID:
        setattr(option, name, getattr(plan, name))


def make_option_pool(event_id: int, size: int | None) -> Pool:
    """Make the pool of one option; organizers know it by the option's name."""
    name = f"option {tokens.new_code(8)}"
    return capacity.make_pool(event_id=event_id, name=name, kind=PoolKind.OPTION, size=size)


def copy_options(old_id: int, new_id: int, *, now: datetime) -> None:
    """Offer in a new event what an old one offers, with as much of it."""
    options = list_options([old_id])
    sizes = count_options(options, now=now)
    for o in options:
        said = {name: getattr(o, name) for name in SAID}
        pool_id = make_option_pool(new_id, sizes[o.id].size).id
        row = Option(event_id=new_id, position=o.position, pool_id=pool_id, **said)
        db.session.add(row)
    db.session.flush()
