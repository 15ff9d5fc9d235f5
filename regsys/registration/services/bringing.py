"""What went with places that lapsed goes with those that are taken again: rooms, meals, a trainee's word, a code."""

from datetime import datetime

from regsys.discounts import queries as codes
from regsys.kernel.actors import Actor
from regsys.registration import queries
from regsys.registration.chosen import list_choices
from regsys.registration.models import Order
from regsys.registration.queries import Held
from regsys.registration.services.choosing import choose_options, read_options
from regsys.registration.services.reducing import apply_code
from regsys.registration.services.shared import lock_order
from regsys.registration.states import RegistrationState as S


def bring_options(old_id: int, order_id: int, *, actor: Actor, now: datetime) -> list[str]:
    """Choose for the people of a new cart what they had chosen before; return the names of what was left out.

    Where something that has to be chosen is gone, all of it is left out, and people are asked again. Locks the new
    order. Raises Refused where something is taken in this very moment.
    """
    held = lock_order(order_id, now=now)
    pairs = _pairs(queries.get_order(old_id), held)
    had = list_choices(list(pairs))
    said = {
        p.id: str((p.proof or {}).get("said", "")) for p in queries.get_order(old_id).registrations
    }
    words = {new: said[old] for old, new in pairs.items() if said[old]}
    if not had and not words:
        return []
    asked = read_options(held, now=now)
    left = {o.id: o.left for offered in asked.offered.values() for o in offered}
    wishes: dict[int, dict[int, str]] = {new: {} for new in pairs.values()}
    gone: list[str] = []
    for old, new in pairs.items():
        for c in had.get(old, ()):
            n = left.get(c.option_id, 0)
            if n == 0 or c.option_id not in {o.id for o in asked.offered[new]}:
                gone.append(c.option.name)
                continue
            wishes[new][c.option_id] = c.wish
            left[c.option_id] = None if n is None else n - 1
    if choose_options(order_id, wishes, words=words, actor=actor, now=now):
        return [c.option.name for choices in had.values() for c in choices]
    return gone


def bring_code(old_id: int, order_id: int, *, actor: Actor, now: datetime) -> None:
    """Use the code of the old order on the new one; raise Refused where it does not count any more."""
    used = [r.code_id for r in queries.get_order(old_id).registrations if r.code_id]
    code = codes.find_by_id(used[0]) if used else None
    if code:
        apply_code(order_id, code.code, actor=actor, now=now)


def _pairs(old: Order, held: Held) -> dict[int, int]:
    """Return old place → new place of the same person."""
    new = {(r.event_id, r.email_key): r.id for r in held.unpaid if r.email_key}
    lapsed = [
        (r.id, (r.event_id, r.email_key or "")) for r in old.registrations if r.state is S.EXPIRED
    ]
    return {old_id: new[key] for old_id, key in lapsed if key in new}
