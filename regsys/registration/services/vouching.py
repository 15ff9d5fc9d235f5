"""A trainee's word for their price: accepted, or not, which makes the place cost what it costs everybody else."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.discounts import queries as codes
from regsys.discounts import rules as discounts
from regsys.kernel import money
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.registration import mail, queries, rules
from regsys.registration.models import LineKind, Registration
from regsys.registration.owing import lets_go_at
from regsys.registration.proving import Difference, as_said, price_without
from regsys.registration.queries import Held
from regsys.registration.services.owing import ask_by
from regsys.registration.services.places import get_for_sale, shelves_of
from regsys.registration.services.pricing import others_of
from regsys.registration.services.shared import add_line, is_paying, lock_order, record
from regsys.registration.states import RegistrationState as S

PLACED = (S.AWAITING_PAYMENT, S.CONFIRMED)


def accept_proof(registration_id: int, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Accept what a trainee said for their price; repeating it changes nothing.

    Where it was not accepted before, the price is what it was, and the payer is told. Locks the order. Raises Refused
    while a payment page with the higher price is open.
    """
    held, r = _open(registration_id, event_id, now)
    proof = dict(r.proof or {})
    if proof.get("kind") != "trainee" or proof.get("by"):
        return
    more = Difference(proof.get("place", 0), proof.get("off", 0))
    if more.amount and r.state in PLACED:
        _check_quiet(held, r)
        why = _("The word about training is accepted after all.")
        _change(held, r, Difference(-more.place, -more.off), why)
        r.rest_at = datetime.fromisoformat(proof["rest_at"]) if proof.get("rest_at") else None
        r.deposit = proof.get("deposit", r.deposit)
    r.proof = {**(as_said(proof) or {}), "by": actor.label, "looked": now.date().isoformat()}
    _record("registration.proof_accepted", r, -more.amount, actor=actor, now=now)
    db.session.flush()
    if more.amount and r.state in PLACED:
        over = queries.due(held.order.id).over
        mail.send_proof_accepted(r, less=more.amount, over=over, now=now)


def refuse_proof(
    registration_id: int, *, reason: str, seen: int, event_id: int, actor: Actor, now: datetime
) -> None:
    """Ask for the price without a word about training, and write the payer why and until when; the place stays.

    `seen` is the difference that was shown, in minor units. Locks the order. Raises Refused where the word was looked
    at already, the difference is another, or a payment page is open.
    """
    held, r = _open(registration_id, event_id, now)
    if not rules.is_unseen(r.proof, r.state):
        raise Refused(rules.PROOF_SEEN)
    more = difference_of(r)
    if more.amount != seen:
        raise Refused(rules.DIFFERENCE_CHANGED)
    said: dict[str, Any] = {"refused_by": actor.label, "why_not": reason[:500]}
    if more.amount:
        _check_quiet(held, r)
        said |= {"place": more.place, "off": more.off}
        if r.state is S.CONFIRMED:
            said |= {"rest_at": r.rest_at.isoformat() if r.rest_at else None, "deposit": r.deposit}
            ask_by(r, settled=not queries.due(held.order.id).due, now=now)
        _change(held, r, more, _("The price without a word about training."))
    r.proof = {**(r.proof or {}), **said}
    _record("registration.proof_refused", r, more.amount, actor=actor, now=now, reason=reason)
    until = r.rest_at if r.state is S.CONFIRMED else held.ends.get(r.id)
    ends = lets_go_at(r) if r.state is S.CONFIRMED else None
    mail.send_proof_refused(r, reason=reason, more=more.amount, until=until, ends=ends, now=now)
    db.session.flush()


def difference_of(r: Registration) -> Difference:
    """Return what a place costs more without what was said for its price: as it was when the place was held.

    A percentage counts for the higher price too. What no card can be charged with is not asked for.
    """
    lines = [x for x in queries.list_lines(r.order_id) if x.registration_id == r.id]
    place = sum(x.amount for x in lines if x.kind is LineKind.PLACE)
    off = -sum(x.amount for x in lines if x.kind is LineKind.DISCOUNT)
    full = _full_price(r) or place
    code, currency = codes.find_by_id(r.code_id), r.event.currency
    terms = codes.terms_of(code) if code else None
    # A percentage that was changed since then keeps what it took off, as every amount does.
    same = terms and terms.percent and discounts.discount(terms, place, currency) == off
    new = discounts.discount(terms, full, currency) if terms and same else off
    more = Difference(full - place, new - off)
    return more if more.amount > 0 and money.chargeable(more.amount, currency) else Difference()


def _full_price(r: Registration) -> int | None:
    if r.full_price is not None:
        return r.full_price
    event = get_for_sale([r.event_id])[r.event_id]  # from before it was kept: as the prices are now
    mine = next(t for t in event.ticket_types if t.id == r.ticket_type_id)
    shelf = shelves_of([r.event_id])[r.event_id]
    return price_without(r.price, others_of(mine, r.rate, event, shelf, share=None))


def _open(registration_id: int, event_id: int, now: datetime) -> tuple[Held, Registration]:
    order_id = queries.get_registration(registration_id, event_id=event_id).order_id
    held = lock_order(order_id, now=now)
    for r in held.order.registrations:
        if r.id == registration_id:
            return held, r
    raise NotFound


def _check_quiet(held: Held, r: Registration) -> None:
    """Raise Refused while somebody pays for a place that waits for it."""
    if is_paying(r, held.ends):
        raise Refused(rules.PAYMENT_OPEN)


def _change(held: Held, r: Registration, more: Difference, why: str) -> None:
    add_line(held.order.id, r.id, LineKind.PLACE, why, more.place)
    if more.off:
        code = codes.find_by_id(r.code_id)
        also = _("Code %(code)s counts for this price too.", code=code.code if code else "")
        add_line(held.order.id, r.id, LineKind.DISCOUNT, also, -more.off)
    r.price += more.amount
    db.session.flush()


def _record(
    action: str, r: Registration, more: int, *, actor: Actor, now: datetime, reason: str = ""
) -> None:
    record(
        action,
        r,
        actor=actor,
        now=now,
        reason=reason,
        after={"more": more, "currency": r.event.currency} if more else None,
    )
