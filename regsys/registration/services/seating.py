"""A host's order: one payer, and people who are put on its places one at a time."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.audit import services as audit
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import N_, email_key
from regsys.registration import queries, rules
from regsys.registration.kinds import OrderSource
from regsys.registration.models import LineKind, Order, Registration
from regsys.registration.services.byhand import claim_place, make_place, regular_price
from regsys.registration.services.describing import Person
from regsys.registration.services.places import get_for_sale
from regsys.registration.services.shared import add_line, lock_order, make_order, move_all
from regsys.registration.states import RegistrationState as S


def open_host_order(
    currency: str, payer: Person, *, until: datetime, actor: Actor, now: datetime
) -> Order:
    """Begin the order of a host, whose unpaid places are held until a time; people are put on it later."""
    order = make_order(currency, now=now)
    order.source, order.placed_at, order.held_until = OrderSource.HOST, now, until
    set_payer(order, payer)
    subject = ("order", order.id)
    audit.record("order.opened_for_host", subject, actor=actor, now=now, order_id=order.id)
    db.session.flush()
    return order


def set_payer(order: Order, payer: Person) -> None:
    """Name who pays an order."""
    order.first_name, order.last_name = payer.first_name, payer.last_name
    order.email = payer.email


def set_agreed_sum(order_id: int, amount: int, *, actor: Actor, now: datetime) -> None:
    """Let everything together cost what was agreed; a change of it is a line of its own. Locks the order."""
    held = lock_order(order_id, now=now)
    before = sum(x.amount for x in queries.list_lines(order_id) if x.registration_id is None)
    if amount == before:
        return
    why = _("Agreed with the host for all seats.") if not before else _("The agreed sum changed.")
    add_line(order_id, None, LineKind.OTHER, why, amount - before)
    audit.record(
        "order.agreed_sum_set",
        ("order", held.order.id),
        actor=actor,
        now=now,
        order_id=order_id,
        before={"sum": before},
        after={"sum": amount},
    )
    db.session.flush()


def seat_person(
    order_id: int,
    event_id: int,
    ticket_type_id: int,
    person: Person,
    *,
    covered: bool,
    actor: Actor,
    now: datetime,
) -> Registration:
    """Put a person on a place of a host's order: confirmed where nothing is to pay for it, else held to be paid.

    `covered`: the agreed sum pays for it. The caller writes the letter. Raises Refused where there is no place, the
    address is here already, or a payment page with the old sum is open; locks order, then pools.
    """
    held = lock_order(order_id, now=now)
    event = get_for_sale([event_id]).get(event_id)
    prices = {t.id: t.prices for t in event.ticket_types} if event else {}
    if event is None or not prices.get(ticket_type_id):
        raise NotFound(N_("There is no such ticket type."))
    price = 0 if covered else regular_price(prices[ticket_type_id])
    refusal = _why_not_seat(held, event_id, event.state, person, price)
    if refusal:
        raise Refused(refusal)
    order, number = held.order, len(held.order.registrations) + 1
    r = make_place(
        order,
        event,
        ticket_type_id,
        person,
        price,
        number=number,
        is_payer=False,
        actor=actor,
        now=now,
    )
    why = _("Regular price.") if price else _("Covered by the host.")
    add_line(order.id, r.id, LineKind.PLACE, why, price)
    # Where an invoice was not paid by its day, what is named later waits for money until the event begins.
    until = order.held_until if order.held_until and order.held_until > now else event.starts_at
    claim_place(r, until=until if price else None, now=now)
    move_all([r], S.AWAITING_PAYMENT if price else S.CONFIRMED, actor=actor, now=now)
    return r


def _why_not_seat(
    held: queries.Held, event_id: int, event: EventState, person: Person, price: int
) -> Refusal | None:
    if event is EventState.CANCELLED:
        return rules.EVENT_CANCELLED
    if queries.list_live_emails(event_id, [email_key(person.email)]):
        return rules.EMAIL_HERE
    paying = any(held.ends.get(r.id, held.order.held_until) is None for r in held.unpaid)
    return rules.why_not_remove(S.AWAITING_PAYMENT, paying=paying and price > 0)
