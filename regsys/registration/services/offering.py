"""A place that a room above offers to one person: held until a time, then paid, or taken free, or let go."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_, email_key
from regsys.questions import queries as question_queries
from regsys.questions import services as questions
from regsys.registration import mail, queries, rules
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Registration
from regsys.registration.services.carts import Proof, check_proof, hold_places
from regsys.registration.services.describing import Person
from regsys.registration.services.places import get_for_sale
from regsys.registration.services.shared import end, lock_order, make_order, move_all
from regsys.registration.states import RegistrationState as S


def offer_place(
    event_id: int,
    ticket_type_id: int,
    person: Person,
    *,
    until: datetime,
    source: OrderSource,
    reason: str,
    actor: Actor,
    now: datetime,
    about: Mapping[str, str] | None = None,
    proof: Proof | None = None,
) -> Registration:
    """Open an order for one person with a place held until a time, at the price of this moment.

    It waits behind /o/<order.token>: to be paid, or to be taken where nothing is due. If neither happens the sweep
    lets it go. The caller writes the letters: about the offer, and about its end. Opening times do not stand in the
    way. Raises Refused where there is no place, or the address is here already; locks the pools last.
    """
    event = get_for_sale([event_id]).get(event_id)
    chosen = (
        next((t for t in event.ticket_types if t.id == ticket_type_id), None) if event else None
    )
    if event is None or chosen is None or not chosen.prices:
        raise NotFound(N_("There is no such ticket type."))
    if event.state is EventState.CANCELLED:
        raise Refused(rules.EVENT_CANCELLED)
    key = email_key(person.email)
    if queries.list_live_emails(event_id, [key]):
        raise Refused(rules.EMAIL_HERE)
    order = make_order(event.currency, now=now)
    order.first_name, order.last_name, order.email = (
        person.first_name,
        person.last_name,
        person.email,
    )
    order.source, order.held_until, order.placed_at = source, until, now
    check_proof(event, {ticket_type_id: 1}, {ticket_type_id: 1}, proof)
    plan = {event_id: (event, {ticket_type_id: 1})}
    hold_places(order, plan, [], first=1, until=until, now=now, proof=proof)
    db.session.refresh(order, ["registrations"])
    (r,) = order.registrations
    r.is_payer, r.email_key = True, key
    for name, value in {**_known(person), **(about or {})}.items():
        setattr(r, name, value)
    db.session.flush()
    if _is_answered(r):
        r.answered_at = now
    move_all([r], S.AWAITING_PAYMENT, actor=actor, now=now, reason=reason)
    return r


def _known(person: Person) -> dict[str, str]:
    names = ("first_name", "last_name", "email")
    return {name: getattr(person, name) for name in names}


def _is_answered(r: Registration) -> bool:
    """Tell whether nothing is left to ask."""
    wanted = rules.required_of_person(r.event.kind)
    form = question_queries.list_form(r.event_id, r.id)
    return all(getattr(r, name) for name in wanted) and questions.is_complete(form)


def take_offer(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an offered place for which nothing is to pay; repeating it changes nothing.

    Raises Refused where the hold is over, or something is due.
    """
    held = lock_order(order_id, now=now)
    if held.order.by_link and held.order.registrations[0].state is S.CONFIRMED:
        return
    refusal = rules.why_not_take(
        offered=held.order.by_link, holding=held.holding, due=queries.due(order_id).due
    )
    if refusal:
        raise Refused(refusal)
    waiting = held.unpaid
    if not capacity.extend([r.id for r in waiting], until=None, now=now):
        raise Refused(rules.HOLD_EXPIRED)
    move_all(waiting, S.CONFIRMED, actor=actor, now=now)
    mail.send_confirmations(held.order, waiting, now=now)


def decline_offer(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Give an offered place back before it is paid, without a letter; raise Refused while a payment page is open."""
    held = lock_order(order_id, now=now)
    refusal = rules.why_not_decline(
        offered=held.order.offered,
        holding=held.holding,
        paying=held.holding and held.ends_at is None,
    )
    if refusal:
        raise Refused(refusal)
    reason = _("Given back by the person to whom it was offered.")
    end(held.order, held.unpaid, S.CANCELLED, actor=actor, now=now, reason=reason, line=reason)
