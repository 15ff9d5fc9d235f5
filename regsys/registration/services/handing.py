"""Handing a place to a colleague: a link, the colleague's form, and - where the rules say so - our word."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.states import move
from regsys.kernel.text import N_, email_key
from regsys.policies.rules import Allowed, Handing, Terms, read, why_not_hand_over
from regsys.registration import handed, mail, queries, rules
from regsys.registration.models import HandOver, LineKind, Registration
from regsys.registration.services.choosing import copy_choices
from regsys.registration.services.describing import ABOUT, Person
from regsys.registration.services.owing import ask_by
from regsys.registration.services.shared import add_line, drop_moves, lock_order, move_all, record
from regsys.registration.states import HandOverState as H
from regsys.registration.states import RegistrationState as S


def why_not_hand(r: Registration, *, now: datetime, workplace: str | None = None) -> Refusal | None:
    """Refuse to hand this place on; `workplace` of whoever takes it, None: not known yet."""
    refusal = rules.why_not_leave(r.state, event=r.event.state, ends_at=r.event.ends_at, now=now)
    if refusal:
        return refusal
    if queries.adjusted_of(r.id):
        return rules.PRICE_FOR_ONE
    same = None if workplace is None else email_key(workplace) == email_key(r.workplace)
    facts = Handing(
        r.event.starts_at,
        r.event.time_zone,
        paid_by_other=r.order.email.casefold() != r.email_key,
        same_workplace=same,
    )
    return why_not_hand_over(_terms(r), now, facts)


def _terms(r: Registration) -> Terms:
    return read(r.policy.body) if r.policy else Terms()


def offer_hand_over(
    order_id: int, registration_id: int, *, actor: Actor, now: datetime
) -> HandOver:
    """Make the link with which a colleague can take this place; asking again gives the same one. Locks the order."""
    r = _lock(order_id, registration_id, now)
    found = handed.find_open_hand_over(r.id)
    if found:
        return found
    refusal = why_not_hand(r, now=now)
    if refusal:
        raise Refused(refusal)
    row = _make_row(r, now=now)
    record("registration.hand_over_begun", r, actor=actor, now=now)
    return row


def _make_row(r: Registration, *, now: datetime) -> HandOver:
    token = tokens.new_token()
    row = HandOver(
        registration_id=r.id,
        token=token,
        token_hash=tokens.hash_token(token),
        state=H.OPEN,
        state_at=now,
        created_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row


def withdraw_hand_over(order_id: int, registration_id: int, *, actor: Actor, now: datetime) -> None:
    """Let the link open nothing any more; repeating it changes nothing."""
    r = _lock(order_id, registration_id, now)
    row = handed.find_open_hand_over(r.id)
    if row:
        move(row, H.WITHDRAWN, now=now)
        db.session.flush()
        record("registration.hand_over_withdrawn", r, actor=actor, now=now)


def fill_hand_over(
    hand_over_id: int, person: Person, *, about: Mapping[str, str], actor: Actor, now: datetime
) -> Refusal | None:
    """Take what the colleague tells, and give them the place, or ask the organizers; the same twice changes nothing.

    Returns a refusal where the address has a place here already: then a letter may have been written, and the caller
    commits in either case. Raises Refused where the rules forbid it.
    """
    row, r = _lock_row(hand_over_id, now)
    if row.state is not H.OPEN:
        return None
    refusal = why_not_hand(r, now=now, workplace=about.get("workplace", ""))
    if refusal:
        raise Refused(refusal)
    taken = _why_not_address(r, person.email, now=now)
    if taken:
        return taken
    row.first_name, row.last_name, row.email = person.first_name, person.last_name, person.email
    row.about = {k: about[k] for k in ABOUT if about.get(k)}
    # A price for which something was shown is not the colleague's by itself.
    if r.proof or _terms(r).substitute.allowed is Allowed.APPROVAL:
        move(row, H.ASKED, now=now)
        db.session.flush()
        record("registration.hand_over_asked", r, actor=actor, now=now)
        mail.send_hand_over_asked(r, row, now=now)
        return None
    _pass_on(r, row, fee=_terms(r).substitute.fee, actor=actor, now=now)
    return None


def decide_hand_over(
    hand_over_id: int, *, event_id: int, agreed: bool, actor: Actor, now: datetime
) -> HandOver:
    """Agree to a colleague, or not; raise NotFound for another event's, IllegalMove where it is decided already."""
    row, r = _lock_row(hand_over_id, now)
    if r.event_id != event_id:
        raise NotFound(N_("There is no such hand-over."))
    if not agreed:
        move(row, H.DECLINED, now=now)
        db.session.flush()
        record("registration.hand_over_declined", r, actor=actor, now=now)
        mail.send_hand_over_declined(r, row, now=now)
        return row
    refusal = rules.why_not_leave(r.state, event=r.event.state, ends_at=r.event.ends_at, now=now)
    refusal = refusal or _why_not_address(r, row.email, now=now)
    if refusal:
        raise Refused(refusal)
    _pass_on(r, row, fee=_terms(r).substitute.fee, actor=actor, now=now)
    return row


def hand_over_for(
    order_id: int,
    registration_id: int,
    person: Person,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Registration:
    """Give somebody's place to a colleague for an organizer: no rule of the place stands in the way, and no fee.

    A link that was under way is taken back. Locks the order. Raises Refused.
    """
    r = _lock(order_id, registration_id, now)
    refusal = rules.why_not_leave(r.state, event=r.event.state, ends_at=r.event.ends_at, now=now)
    if not refusal and queries.list_live_emails(r.event_id, [email_key(person.email)]):
        refusal = rules.EMAIL_HERE
    if refusal:
        raise Refused(refusal)
    under_way = handed.find_open_hand_over(r.id)
    if under_way:
        move(under_way, H.WITHDRAWN, now=now)
        db.session.flush()
    row = _make_row(r, now=now)
    row.first_name, row.last_name, row.email = person.first_name, person.last_name, person.email
    row.about = {}
    record("registration.handed_over_for", r, actor=actor, now=now, reason=reason)
    return _pass_on(r, row, fee=0, actor=actor, now=now)


def _pass_on(
    r: Registration, row: HandOver, *, fee: int, actor: Actor, now: datetime
) -> Registration:
    """Make the colleague's registration from the place, and none of the answers, of the first person.

    What was adjusted of the price for the first person alone is not the colleague's: they have the whole price.
    """
    move(row, H.DONE, now=now)
    drop_moves(r.order, [r.id], actor=actor, now=now)
    order, cost, more = r.order, queries.costs_of([r.id])[r.id], queries.adjusted_of(r.id)
    token = tokens.new_token()
    new = Registration(
        code=f"{order.code}-{len(order.registrations) + 1}",
        token=token,
        token_hash=tokens.hash_token(token),
        state=S.DRAFT,
        state_at=now,
        created_at=now,
        **{k: getattr(r, k) for k in ("order_id", "event_id", "ticket_type_id", "rate",
                                      "room_part", "policy_id", "promised_at", "times_moved", "code_id", "credit_used",
                                      "deposit", "rest_at")},
        **{k: getattr(row, k) for k in ("first_name", "last_name", "email")},
        price=r.price + more,
        email_key=email_key(row.email),
        **row.about,
    )  # fmt: skip
    db.session.add(new)
    db.session.flush()
    settled = not queries.due(order.id).due
    reason = _("Handed over to %(name)s.", name=row.name)
    capacity.pass_on(r.id, new.id)
    copy_choices(r.id, new.id)
    r.credit_used = 0
    move_all([r], S.TRANSFERRED, actor=actor, now=now, reason=reason)
    add_line(r.order_id, r.id, LineKind.RETURN, reason, -cost)
    why = _("Taken over from %(name)s.", name=r.name)
    add_line(r.order_id, new.id, LineKind.PLACE, why, new.price)
    if cost != r.price:
        changed = _("What was changed of the price before.")
        add_line(r.order_id, new.id, LineKind.OTHER, changed, cost - r.price)
    if fee:
        add_line(r.order_id, new.id, LineKind.OTHER, _("Fee for handing the place over."), fee)
    if fee or more:
        ask_by(new, settled=settled, now=now)
    row.successor_id = new.id
    move_all([new], S.CONFIRMED, actor=actor, now=now)
    db.session.refresh(new)
    mail.send_handed_over(r, new, more=more, now=now)
    return new


def _lock(order_id: int, registration_id: int, now: datetime) -> Registration:
    held = lock_order(order_id, now=now)
    for r in held.order.registrations:
        if r.id == registration_id:
            return r
    raise NotFound(N_("There is no such registration."))


def _lock_row(hand_over_id: int, now: datetime) -> tuple[HandOver, Registration]:
    row = db.session.get(HandOver, hand_over_id)
    if row is None:
        raise NotFound(N_("There is no such hand-over."))
    r = _lock(row.registration.order_id, row.registration_id, now)
    db.session.refresh(row)
    return row, r


def _why_not_address(r: Registration, address: str, *, now: datetime) -> Refusal | None:
    taken = queries.list_live_emails(r.event_id, [email_key(address)])
    for other in taken:
        mail.send_existing_link(other, now=now)
    return rules.EMAIL_TAKEN if taken else None
