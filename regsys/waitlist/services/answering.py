"""What a person answers: yes, no, or that they no longer wait."""

from datetime import datetime

from regsys.applications import services as applications
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.registration import services as registration
from regsys.registration.models import Order
from regsys.registration.services import Person
from regsys.waitlist import rules
from regsys.waitlist.models import Entry, Offer
from regsys.waitlist.services.shared import end_offer, lock_entry, move_entry_to
from regsys.waitlist.states import EntryState as S


def accept(offer_id: int, *, actor: Actor, now: datetime) -> Order:
    """Take what was offered: open an order with the places held; a second click finds the same order.

    Raises Refused where the time is over, or it was given back. Locks entry, then pools.
    """
    entry, offer = _lock(offer_id)
    if offer.order_id is not None:
        return db.session.get_one(Order, offer.order_id)
    refusal = rules.why_not_answer(until=offer.until, ended=offer.ended_at is not None, now=now)
    if refusal:
        raise Refused(refusal)
    end_offer(offer, now=now)
    until = rules.finish_until(offer.until, now)
    order = _open_order(entry, offer.ticket_type_id, until=until, actor=actor, now=now)
    offer.order_id = order.id
    facts = {"offer": offer.id, "order": order.id}
    move_entry_to(entry, S.TAKEN, actor=actor, now=now, facts=facts)
    return order


def _open_order(
    entry: Entry, type_id: int, *, until: datetime, actor: Actor, now: datetime
) -> Order:
    """Open a cart; or, with an application, an order that has its answers, and that is taken where nothing is due."""
    if entry.application_id is None:
        person = Person(entry.first_name, entry.last_name, entry.email)
        about = {"profession": entry.profession}
        return registration.reserve(
            entry.event_id,
            type_id,
            entry.size,
            person,
            about=about,
            until=until,
            now=now,
            proof=entry.proof,
        )
    r = applications.hold_from_list(
        entry.application_id, type_id, until=until, actor=actor, now=now
    )
    if r.price == 0:
        registration.take_offer(r.order_id, actor=actor, now=now)
    return r.order


def decline(offer_id: int, *, actor: Actor, now: datetime) -> None:
    """Give an offer back, and leave the list with it; a second click changes nothing."""
    entry, offer = _lock(offer_id)
    if entry.state is S.LEFT and offer is entry.offer:
        return
    refusal = rules.why_not_answer(until=offer.until, ended=offer.ended_at is not None, now=now)
    if refusal:
        raise Refused(refusal)
    end_offer(offer, now=now)
    move_entry_to(entry, S.LEFT, actor=actor, now=now, facts={"offer": offer.id})


def leave(entry_id: int, *, actor: Actor, now: datetime) -> None:
    """Leave the list, with an offer that may be open; a second click changes nothing."""
    entry = lock_entry(entry_id)
    if entry.state is S.LEFT:
        return
    if entry.offer:
        end_offer(entry.offer, now=now)
    move_entry_to(entry, S.LEFT, actor=actor, now=now)


def _lock(offer_id: int) -> tuple[Entry, Offer]:
    found = db.session.get(Offer, offer_id)
    if found is None:
        raise NotFound(N_("There is no such offer."))
    entry = lock_entry(found.entry_id)
    return entry, next(o for o in entry.offers if o.id == offer_id)
