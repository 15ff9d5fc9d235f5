"""A code that somebody has: it lowers the price of the places in an order, and is taken off again by a button."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.discounts import queries as codes
from regsys.discounts import rules as discounts
from regsys.discounts.models import Code
from regsys.discounts.words import code_words
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import email_key
from regsys.registration import chosen, queries, rules
from regsys.registration.models import LineKind, OrderLine, Registration
from regsys.registration.queries import Held
from regsys.registration.services.shared import add_line, check_open, lock_order, record
from regsys.registration.states import RegistrationState as S


@dataclass(frozen=True)
class Applied:
    """For how many of the places a code counts; `short`: for more it was used up."""

    places: int
    short: bool


def apply_code(
    which: int | str, typed: str, *, workplace: str = "", actor: Actor, now: datetime
) -> Applied:
    """Lower the price of an order's places by a code; each place is one use. The same code again changes nothing.

    `workplace`: where everybody works who has not said so, for a code that asks for a group. Locks order, then the
    code's pool. Raises Refused: nothing is changed then.
    """
    held = lock_order(which, now=now)
    check_open(held)
    code = codes.find_code(typed)
    if code and (code.once or code.email_key):
        capacity.lock_pools(
            [code.pool_id]
        )  # who has used it, and how much of it, is read under its lock
        db.session.refresh(code)
    people = [r for r in held.unpaid if code and code.counts_at(r.event)]
    if code is None or not people:
        raise Refused(discounts.UNKNOWN)
    if any(r.code_id not in (None, code.id) for r in held.unpaid):
        raise Refused(discounts.OTHER_CODE)
    if not all(r.email for r in people):
        raise Refused(rules.NOT_COMPLETE)
    people = _owners(people, code)
    terms = codes.terms_of(code)
    _raise(discounts.why_not(terms, held.order.currency, now))
    new = _who(people, code, terms, workplace)
    if not new:
        return Applied(sum(r.code_id == code.id for r in people), short=False)
    alone = _place_prices(held)
    cuts = _cuts(code, terms, new, alone, held.order.currency)
    new = [r for r in new if cuts[r.id]]
    if not new:
        raise Refused(discounts.NOTHING_OFF)
    got = capacity.claim([], now=now, until=held.ends_at, up_to=[(r.id, code.pool_id) for r in new])
    if not got:
        raise Refused(discounts.USED_UP)
    lowered = [r for r in new if r.id in got]
    for r in lowered:
        r.price, r.code_id = r.price - cuts[r.id], code.id
        r.credit_used = cuts[r.id] if code.email_key else 0
        why = code_words(code, held.order.currency)
        add_line(held.order.id, r.id, LineKind.DISCOUNT, why, -cuts[r.id])
    _raise(discounts.why_not_left(sum(r.price for r in held.unpaid), held.order.currency))
    sums = sum(cuts[r.id] for r in lowered)
    _record("order.code_used", held, code, actor=actor, now=now, places=len(lowered), off=sums)
    return Applied(sum(r.code_id == code.id for r in people), short=len(lowered) < len(new))


def drop_code(which: int | str, *, actor: Actor, now: datetime) -> None:
    """Take the code off an order that is not paid; repeating it changes nothing."""
    held = lock_order(which, now=now)
    check_open(held)
    having = [r for r in held.unpaid if r.code_id]
    code = codes.find_by_id(having[0].code_id) if having else None
    if code is None:
        return
    ids = [r.id for r in having]
    lines = [x for x in queries.list_lines(held.order.id) if x.kind is LineKind.DISCOUNT]
    off = {i: -sum(x.amount for x in lines if x.registration_id == i) for i in ids}
    for r in having:
        r.price, r.code_id, r.credit_used = r.price + off[r.id], None, 0
        if held.order.placed_at:
            gone = _("Code %(code)s is taken off.", code=code.code)
            add_line(held.order.id, r.id, LineKind.DISCOUNT, gone, off[r.id])
    if not held.order.placed_at:
        mine = (OrderLine.registration_id.in_(ids), OrderLine.kind == LineKind.DISCOUNT)
        db.session.execute(delete(OrderLine).where(*mine))
    capacity.release(ids, now=now, pools=[code.pool_id])
    _record("order.code_dropped", held, code, actor=actor, now=now, places=len(ids), off=0)


def why_not_keep(people: Sequence[Registration]) -> Refusal | None:
    """Refuse where these people are no longer those for whom the code of their order may count.

    Its dates do not matter any more: what was decided stays as long as the places are held. Where people work counts
    until they are placed; whoever moves on later keeps the price.
    """
    having = [r for r in people if r.code_id]
    code = codes.find_by_id(having[0].code_id) if having else None
    if code is None:
        return None
    if code.email_key and any(r.email_key != code.email_key for r in having):
        return discounts.OF_ANOTHER
    places = [discounts.Place(r.id, r.price, r.workplace) for r in having]
    look = all(r.state is S.DRAFT for r in having)
    refusal = discounts.why_not_stay(code.code, codes.terms_of(code), places, look=look)
    if refusal:
        return refusal
    keys = [r.email_key for r in having]
    used = chosen.list_code_users(code.id, but=having[0].order_id) if code.once else set()
    if code.once and (len(set(keys)) < len(keys) or used & set(keys)):
        return discounts.code_used_already(code.code)
    return None


def note_group(r: Registration, before: str, *, actor: Actor, now: datetime) -> None:
    """Write down that somebody with a group's code works elsewhere now: their price stays, and here is why."""
    code = codes.find_by_id(r.code_id)
    if code is None or code.min_group < 2 or email_key(before) == email_key(r.workplace):
        return
    record(
        "registration.group_left",
        r,
        actor=actor,
        now=now,
        reason=_("The price stays: it was a group when the places were taken."),
        after={"code": code.code},
    )


def _owners(people: list[Registration], code: Code) -> list[Registration]:
    """Return whose place a credit may lower: everybody's where the code is no credit."""
    if code.email_key is None:
        return people
    own = [r for r in people if r.email_key == code.email_key]
    if not own:
        raise Refused(discounts.OF_ANOTHER)
    return own


def _cuts(
    code: Code,
    terms: discounts.Terms,
    new: Sequence[Registration],
    alone: dict[int, int],
    currency: str,
) -> dict[int, int]:
    """Return what a code takes off each place; a credit as far as something is left of it.

    Some of the price may be taken over already.
    """
    most = {r.id: min(alone[r.id], r.price) for r in new}
    if code.email_key is None or code.amount is None:
        off = {r.id: discounts.discount(terms, alone[r.id], currency) for r in new}
        return {r.id: min(off[r.id], most[r.id]) for r in new}
    left = code.amount - chosen.spent_of(code.id)
    if left <= 0:
        raise Refused(discounts.USED_UP)
    cuts = {}
    for r in new:
        cuts[r.id] = min(left, most[r.id])
        left -= cuts[r.id]
    return cuts


def _place_prices(held: Held) -> dict[int, int]:
    """Return what each place of an order costs alone."""
    prices = dict.fromkeys((r.id for r in held.unpaid), 0)
    for line in queries.list_lines(held.order.id):
        if line.kind is LineKind.PLACE and line.registration_id in prices:
            prices[line.registration_id] += line.amount
    return prices


def _who(
    people: Sequence[Registration], code: Code, terms: discounts.Terms, workplace: str
) -> list[Registration]:
    """Return whose price a code lowers that it does not lower yet; raise Refused where nobody's can be."""
    if code.min_group > 1:
        _raise(discounts.why_not_group(terms, len(people)))
        unsaid = [r for r in people if not r.workplace]
        if unsaid and not workplace:
            raise Refused(discounts.WORKPLACE_UNSAID)
        for r in unsaid:
            r.workplace = workplace
    places = [discounts.Place(r.id, r.price, r.workplace) for r in people]
    group = {p.id for p in discounts.group_of(terms, places)}
    _raise(discounts.why_not_group(terms, len(group)))
    new = [r for r in people if r.id in group and r.code_id is None]
    if not code.once:
        return new
    used = chosen.list_code_users(code.id, but=0)
    fresh: list[Registration] = []
    for r in new:
        if r.email_key not in used:
            fresh.append(r)
            used.add(r.email_key)
    if new and not fresh:
        raise Refused(discounts.USED_BY_THEM)
    return fresh


def _raise(refusal: Refusal | None) -> None:
    if refusal:
        raise Refused(refusal)


def _record(
    action: str, held: Held, code: Code, *, actor: Actor, now: datetime, places: int, off: int
) -> None:
    after = {"code": code.code, "places": places}
    if off:
        after |= {"off": off, "currency": held.order.currency}
    audit.record(
        action, ("order", held.order.id), actor=actor, now=now, order_id=held.order.id, after=after
    )
    db.session.flush()
