"""A cart that a room above opens for somebody, with places that are held until a time."""

from collections.abc import Mapping
from datetime import datetime

from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_, email_key
from regsys.registration import queries, rules
from regsys.registration.models import Order
from regsys.registration.services.carts import Proof, check_proof, hold_places
from regsys.registration.services.describing import Person
from regsys.registration.services.places import get_for_sale
from regsys.registration.services.shared import make_order


def reserve(
    event_id: int,
    ticket_type_id: int,
    count: int,
    payer: Person,
    *,
    about: Mapping[str, str],
    until: datetime,
    now: datetime,
    proof: Proof | None = None,
) -> Order:
    """Open a cart of so many places, the first of them the payer's own, at the price of this moment.

    It goes on like any cart, behind /o/<order.token>. Opening times and people who wait do not stand in the way. Raises
    Refused where there is no place, or the address is here already; locks the pools last.
    """
    event = get_for_sale([event_id]).get(event_id)
    if event is None or not any(t.id == ticket_type_id and t.prices for t in event.ticket_types):
        raise NotFound(N_("There is no such ticket type."))
    if event.state is EventState.CANCELLED:
        raise Refused(rules.EVENT_CANCELLED)
    key = email_key(payer.email)
    if queries.list_live_emails(event_id, [key]):
        raise Refused(rules.EMAIL_HERE)
    order = make_order(event.currency, now=now)
    order.first_name, order.last_name = payer.first_name, payer.last_name
    order.email, order.held_until = payer.email, until
    plan = {event_id: (event, {ticket_type_id: count})}
    check_proof(event, plan[event_id][1], plan[event_id][1], proof)
    hold_places(order, plan, [], first=1, until=until, now=now, proof=proof)
    db.session.refresh(order, ["registrations"])
    own = order.registrations[0]
    own.is_payer, own.email, own.email_key = True, payer.email, key
    own.first_name, own.last_name = payer.first_name, payer.last_name
    for name, value in about.items():
        setattr(own, name, value)
    db.session.flush()
    return order
