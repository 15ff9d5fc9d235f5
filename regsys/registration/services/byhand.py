"""What organizers do with one registration: add it, mend it, write to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.events.kinds import Proof, Rate
from regsys.events.models import Event, Price, TicketType
from regsys.events.queries import last_call, list_options, share_of
from regsys.events.queries import to_pay as part_of
from regsys.events.states import EventState
from regsys.events.words import share_words
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import N_, email_key
from regsys.registration import mail, queries, rules
from regsys.registration.kinds import OrderSource
from regsys.registration.models import LineKind, Order, Registration
from regsys.registration.services.describing import Person
from regsys.registration.services.places import get_for_sale, pools_of
from regsys.registration.services.reducing import note_group
from regsys.registration.services.shared import add_line, lock_order, make_order, move_all, record
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S

CONTACT = (
    "first_name", "last_name", "badge_name", "pronouns", "email", "phone", "profession",
    "credentials", "workplace", "city",
)  # fmt: skip


def add_by_hand(
    event_id: int,
    person: Person,
    *,
    ticket_type_id: int,
    to_pay: bool,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Registration:
    """Give a person a place: confirmed with nothing to pay, or held for a week behind a mailed link to pay.

    Rooms and meals are chosen by the person: behind the link to pay, or on their own page when they are confirmed.
    Neither opening times nor a closed event stand in the way; full pools do, and an address that is here already.
    """
    event = get_for_sale([event_id]).get(event_id)
    prices = {t.id: t.prices for t in event.ticket_types} if event else {}
    if event is None or not prices.get(ticket_type_id):
        raise NotFound(N_("There is no such ticket type."))
    refusal = _why_not_add(event, person)
    if refusal:
        raise Refused(refusal)
    share = share_of(event, now)
    whole = regular_price(prices[ticket_type_id])
    price = part_of(whole, share, event.currency) if to_pay else 0
    order = make_order(event.currency, now=now)
    order.first_name, order.last_name = person.first_name, person.last_name
    order.email, order.placed_at = person.email, now
    r = make_place(order, event, ticket_type_id, person, price, actor=actor, now=now)
    r.note, r.options_open = reason, any(o.on_sale for o in list_options([event_id]))
    why = share_words(share) if share else _("Regular price.")
    why = why if price else _("Added by the organizers: nothing to pay.")
    add_line(order.id, r.id, LineKind.PLACE, why, price)
    db.session.flush()
    until = rules.pay_link_until(now, last_call(event)) if price else None
    order.source, order.held_until = OrderSource.BY_HAND, until
    claim_place(r, until=until, now=now)
    to = S.AWAITING_PAYMENT if price else S.CONFIRMED
    move_all([r], to, actor=actor, now=now, reason=reason)
    if until:
        mail.send_pay_link(r, until=until, now=now)
    else:
        mail.send_confirmations(order, [r], now=now)
    return r


def _why_not_add(event: Event, person: Person) -> Refusal | None:
    if event.state is EventState.CANCELLED:
        return rules.EVENT_CANCELLED
    if queries.list_live_emails(event.id, [email_key(person.email)]):
        return rules.EMAIL_HERE
    return None


def regular_price(prices: Sequence[Price]) -> int:
    """Return the regular price of a ticket type; a grid with one column has it for both."""
    regular = [p.amount for p in prices if p.rate is Rate.REGULAR]
    return (regular or [p.amount for p in prices])[0]


def make_place(
    order: Order,
    event: Event,
    type_id: int,
    person: Person,
    price: int,
    *,
    number: int = 1,
    is_payer: bool = True,
    actor: Actor,
    now: datetime,
) -> Registration:
    """Write a place of an order down for a person, at a price that is given; nothing is claimed yet."""
    token = tokens.new_token()
    types = {t.id: t for t in event.ticket_types}
    r = Registration(
        code=f"{order.code}-{number}",
        token=token,
        token_hash=tokens.hash_token(token),
        order=order,
        event=event,
        ticket_type_id=type_id,
        state=S.DRAFT,
        state_at=now,
        rate=Rate.REGULAR,
        price=price,
        room_part=min(price, types[type_id].room_part),
        policy_id=event.policy_id,
        promised_at=event.starts_at,
        proof=_vouched(types[type_id], actor, now),
        is_payer=is_payer,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        email_key=email_key(person.email),
        created_at=now,
    )
    db.session.add(r)
    db.session.flush()
    return r


def _vouched(ticket_type: TicketType, actor: Actor, now: datetime) -> dict[str, str] | None:
    """Return the proof of a price that an organizer gives: their word."""
    if ticket_type.proof is Proof.NONE:
        return None
    return {"kind": "by_hand", "by": actor.label, "on": now.date().isoformat()}


def claim_place(r: Registration, *, until: datetime | None, now: datetime) -> None:
    """Claim what a place draws on; raise Refused where that is full."""
    capacity.claim(pools_of([r]).wanted, now=now, until=until)


def edit_contact(
    registration_id: int,
    data: Mapping[str, str],
    *,
    event_id: int,
    actor: Actor,
    now: datetime,
) -> bool:
    """Mend a person's contact data; return whether a letter went to a new address.

    A new address makes new secret links, so that the old letters open nothing any more: a payer's also to the order.
    """
    order_id = queries.get_registration(registration_id, event_id=event_id).order_id
    held = lock_order(order_id, now=now)
    r = next(r for r in held.order.registrations if r.id == registration_id)
    before = {k: getattr(r, k) for k in CONTACT if k in data and getattr(r, k) != data[k]}
    if not before:
        return False
    moved = "email" in before and email_key(data["email"]) != r.email_key
    if moved and r.state in LIVE and queries.list_live_emails(event_id, [email_key(data["email"])]):
        raise Refused(rules.EMAIL_HERE)
    for key in before:
        setattr(r, key, data[key])
    r.email_key = email_key(r.email) or None
    if r.is_payer:
        held.order.first_name, held.order.last_name = r.first_name, r.last_name
        held.order.email = r.email
    if moved:
        r.token = tokens.new_token()
        r.token_hash = tokens.hash_token(r.token)
    if moved and r.is_payer and held.order.placed_at:
        held.order.token = tokens.new_token()
        held.order.token_hash = tokens.hash_token(held.order.token)
    after = {k: data[k] for k in before}
    record("registration.contact_changed", r, actor=actor, now=now, before=before, after=after)
    if "workplace" in before:
        note_group(r, before["workplace"], actor=actor, now=now)
    db.session.flush()
    return moved and _write_again(r, now=now)


def _write_again(r: Registration, *, now: datetime) -> bool:
    """Send what the old address had, with the new links, and tell whether there was anything."""
    fresh, until = f"{r.id}:{r.token_hash[:16]}", r.order.held_until
    if r.state is S.CONFIRMED:
        mail.send_confirmation(r, key=f"confirm:{fresh}", now=now)
        return True
    if r.state is S.AWAITING_PAYMENT and r.order.source is OrderSource.BY_HAND and until:
        mail.send_pay_link(r, key=f"pay-link:{fresh}", until=until, now=now)
        return True
    return False


def write_note(
    registration_id: int, text: str, *, event_id: int, actor: Actor, now: datetime
) -> None:
    """Keep an organizers' note on a registration; what it says stays out of the audit."""
    r = queries.get_registration(registration_id, event_id=event_id)
    if r.note != text:
        r.note = text
        record("registration.note_changed", r, actor=actor, now=now)
        db.session.flush()


def resend(registration: Registration, *, actor: Actor, now: datetime) -> None:
    """Send a confirmed person their confirmation once more, at most once a minute; raise Refused for others."""
    if registration.state is not S.CONFIRMED:
        raise Refused(rules.NOT_CONFIRMED)
    minute = int(now.timestamp()) // 60
    mail.send_confirmation(registration, key=f"confirm:{registration.id}:{minute}", now=now)
    record("registration.confirmation_resent", registration, actor=actor, now=now)
