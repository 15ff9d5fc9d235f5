"""Who pays, who comes, and what they answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Invalid, NotFound, Refusal, Refused
from regsys.kernel.text import N_, email_key
from regsys.questions import services as questions
from regsys.questions.queries import Entry
from regsys.registration import mail, proving, queries, rules
from regsys.registration.models import Registration
from regsys.registration.queries import Held
from regsys.registration.services.ending import expire_lapsed
from regsys.registration.services.reducing import note_group
from regsys.registration.services.shared import lock_order, record
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S

# What a person tells about themselves, apart from name and address.
ABOUT = ("badge_name", "pronouns", "phone", "profession", "credentials", "workplace", "city")


@dataclass(frozen=True)
class Person:
    """Name and address of somebody."""

    first_name: str
    last_name: str
    email: str


def mail_cart_link(which: int | Held, *, now: datetime) -> str:
    """Mail the payer the link to their cart, at most once in an hour; return the address."""
    held = _open_cart(which, now=now)
    if not held.order.email:
        raise Refused(rules.NOT_COMPLETE)
    mail.send_cart_link(held.order, held.people, until=held.ends_at, now=now)
    return held.order.email


def describe_payer(
    which: int | Held,
    payer: Person,
    *,
    phone: str,
    mine: Mapping[int, int | None],
    now: datetime,
    look: bool = True,
) -> Refusal | None:
    """Note who pays, and which place of each event is theirs (event id → ticket type id, None: they do not come).

    Returns a refusal where the address cannot be used; then nothing is noted, but a letter may have been written:
    the caller commits in either case. Without `look` an address that has a place elsewhere is not looked for: the
    unique index then raises IntegrityError, and the caller tries again in a new transaction, with it.
    """
    held = _open_cart(which, now=now)
    seats = {e: _seat_for(held, e, t) for e, t in mine.items()}
    chosen = [r for r in seats.values() if r is not None]
    own = {r.id for r in held.people if r.is_payer}
    refusal = _why_not_address(held, chosen, payer, own=own, now=now, look=look)
    if refusal:
        return refusal
    order = held.order
    order.first_name, order.last_name = payer.first_name, payer.last_name
    order.email, order.phone = payer.email, phone
    for r in held.people:
        if r.is_payer and r not in chosen:
            _clear(r)
    db.session.flush()
    for r in chosen:
        _name(r, payer)
        r.is_payer, r.phone = True, r.phone or phone
    db.session.flush()
    return None


def describe_person(
    which: int | Held, registration_id: int, person: Person, *, now: datetime, look: bool = True
) -> Refusal | None:
    """Note who comes on one place; the answer and the letter are as in `describe_payer`."""
    held = _open_cart(which, now=now)
    r = _one_of(held, registration_id)
    refusal = _why_not_address(held, [r], person, own=(), now=now, look=look)
    if refusal:
        return refusal
    _name(r, person)
    db.session.flush()
    return None


def keep_answers(
    which: int | Held,
    registration_id: int,
    *,
    about: Mapping[str, str],
    values: Mapping[str, Any],
    form: Sequence[Entry],
    now: datetime,
) -> None:
    """Keep what is fine of a form in a cart that still misses something: it is there on another device, too."""
    r = _one_of(lock_order(which, now=now), registration_id)
    for key in ABOUT:
        if about.get(key):
            setattr(r, key, about[key])
    questions.keep_answers(r.id, values=values, form=form, now=now)


def answer(
    which: int | Held,
    registration_id: int,
    *,
    about: Mapping[str, str],
    values: Mapping[str, Any],
    kept: Collection[str],
    actor: Actor,
    now: datetime,
    form: Sequence[Entry] | None = None,
    reason: str = "",
) -> None:
    """Store what one person tells about themselves and answers; raise Invalid if something is missing.

    `form`: what they were asked, where this transaction has read it; `reason`: why somebody else does it for them.
    Possible while they have a place or are about to get one, until the event is over.
    """
    held = lock_order(which, now=now)
    r = _one_of(held, registration_id)
    lapsed_cart = held.order.placed_at is None and r.state is S.EXPIRED
    if not lapsed_cart and not rules.may_answer(r.state, ends_at=r.event.ends_at, now=now):
        raise Refused(rules.NO_MORE_ANSWERS)
    required = rules.required_of_person(r.event.kind)
    missing = {k: [_("Please fill this in.")] for k in sorted(required) if not about.get(k)}
    if missing:
        raise Invalid(missing)
    questions.store_answers(r.id, event_id=r.event_id, values=values, kept=kept, now=now, form=form)
    changed = [k for k in ABOUT if k in about and getattr(r, k) != about[k]]
    before = r.workplace
    for key in changed:
        setattr(r, key, about[key])
    first = r.answered_at is None
    r.answered_at = now
    db.session.flush()
    if held.order.placed_at:
        record(
            "registration.answered" if first else "registration.answers_changed",
            r,
            actor=actor,
            now=now,
            reason=reason,
            after={"about": changed},
        )
        if "workplace" in changed:
            note_group(r, before, actor=actor, now=now)
        if reason:
            mail.send_answers_changed(r, reason=reason, now=now)


def _open_cart(which: int | Held, *, now: datetime) -> Held:
    held = lock_order(which, now=now)
    if held.order.placed_at:
        raise Refused(rules.PLACED_ALREADY)
    return held


def _one_of(held: Held, registration_id: int) -> Registration:
    for r in held.people:
        if r.id == registration_id:
            return r
    raise NotFound(N_("There is no such registration."))


def _seat_for(held: Held, event_id: int, type_id: int | None) -> Registration | None:
    """Return the payer's place of this type: the one they have, or the first that nobody is named on."""
    if type_id is None:
        return None
    fitting = [r for r in held.people if r.event_id == event_id and r.ticket_type_id == type_id]
    free = [r for r in fitting if r.is_payer] or [r for r in fitting if not r.email]
    if not free:
        raise Refused(rules.ALL_NAMED)
    return free[0]


def _why_not_address(
    held: Held,
    seats: Sequence[Registration],
    person: Person,
    *,
    own: Collection[int],
    now: datetime,
    look: bool,
) -> Refusal | None:
    """Return why this address cannot be used for these places; where it is another's, mail them their link.

    `own` are ids of places which the same person has now, and may give up. What lapsed elsewhere is let go first.
    """
    key = email_key(person.email)
    if any(r.proof and r.proof.get("email_key", key) != key for r in seats):
        return proving.PROOF_OF_ANOTHER
    events = {r.event_id for r in seats}
    mine = {r.id for r in seats} | set(own)
    others = [r for r in held.people if r.id not in mine and r.event_id in events]
    if any(r.email_key == key for r in others):
        return rules.SAME_PERSON_TWICE
    taken = [
        r
        for event_id in (sorted(events) if look else ())
        for r in queries.list_live_emails(event_id, [key])
        if r.order_id != held.order.id
    ]
    for r in taken:
        expire_lapsed(r.order_id, now=now)
    standing = [r for r in taken if r.state in LIVE]
    for r in standing:
        mail.send_existing_link(r, now=now)
    return rules.EMAIL_TAKEN if standing else None


def _name(r: Registration, person: Person) -> None:
    r.first_name, r.last_name = person.first_name, person.last_name
    r.email, r.email_key = person.email, email_key(person.email)


def _clear(r: Registration) -> None:
    """Make a place nameless again; its answers were the former person's."""
    r.is_payer, r.email_key, r.answered_at = False, None, None
    for name in ("first_name", "last_name", "email", *ABOUT):
        setattr(r, name, "")
    questions.drop_answers(r.id)
