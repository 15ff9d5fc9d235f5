"""Reading where a place can move to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from regsys.events import queries as events
from regsys.events.kinds import Enrollment, Proof, Visibility
from regsys.events.models import Event, TicketType
from regsys.events.rules import SaleFacts, why_not_on_sale
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal
from regsys.policies.rules import Allowed, Handing, Terms, read, why_not_transfer
from regsys.registration import proving, rules
from regsys.registration.models import Registration
from regsys.registration.queries import list_offers

MOST_EVENTS = 60


@dataclass(frozen=True)
class Destination:
    """A place in another event that somebody can move to now, at the price of this moment."""

    event: Event
    ticket_type: TicketType
    price: int
    left: int | None


def terms_of(r: Registration) -> Terms:
    """Return the rules that a place was bought with; without any, nothing is allowed."""
    return read(r.policy.body) if r.policy else Terms()


def may_ask_to_move(r: Registration) -> bool:
    """Tell whether the rules of this place know a move at all."""
    return terms_of(r).transfer.allowed is not Allowed.NO


def why_not_move(r: Registration, *, now: datetime, to: Event | None = None) -> Refusal | None:
    """Refuse to let this place move; `to`: where, None: anywhere."""
    refusal = rules.why_not_leave(r.state, event=r.event.state, ends_at=r.event.ends_at, now=now)
    if refusal:
        return refusal
    facts = Handing(r.event.starts_at, r.event.time_zone)
    there = to.starts_at if to else r.event.starts_at
    return why_not_transfer(terms_of(r), now, facts, moved=r.times_moved, other_starts_at=there)


def list_destinations(
    r: Registration, *, now: datetime, ours: Callable[[int], bool] = lambda _event_id: False
) -> list[Destination]:
    """List the places in other events that this person can move to.

    `ours`: whether the organizers of an event move them; they are bound by no rule of the place, and by no line there.
    A constant number of queries. Whoever waits for a place there comes first.
    """
    found = [e for e in _coming(r, now) if ours(e.id) or _fits(r, e, now)]
    places = events.places_of([e.id for e in found], now=now)
    return [
        Destination(e, offer.ticket_type, offer.price, offer.left)
        for e in found
        for offer in list_offers(e, places[e.id], now=now)
        if offer.left != 0 and _is_open_to(r, offer.ticket_type)
        if offer.ticket_type.proof is not Proof.MEMBER or proving.still_proves(r.proof, now.date())
    ]


def _is_open_to(r: Registration, ticket_type: TicketType) -> bool:
    """Tell whether this person may have such a place: what asks for a proof is for those who gave the same before."""
    return ticket_type.proof in (Proof.NONE, r.ticket_type.proof)


def _coming(r: Registration, now: datetime) -> Sequence[Event]:
    query = (
        select(Event)
        .where(Event.id != r.event_id, Event.currency == r.event.currency)
        .where(Event.starts_at > now, Event.state == EventState.PUBLISHED)
        .options(joinedload(Event.venue), joinedload(Event.policy))
        .options(selectinload(Event.ticket_types).joinedload(TicketType.prices))
        .order_by(Event.starts_at, Event.id)
        .limit(MOST_EVENTS)
    )
    return db.session.scalars(query).unique().all()


def _fits(r: Registration, event: Event, now: datetime) -> bool:
    """Tell whether a visitor could register there, and the rules of the place reach so far."""
    facts = SaleFacts(
        event.state, event.enrollment, event.starts_at, event.opens_at, event.closes_at, None
    )
    return (
        event.visibility is Visibility.PUBLIC
        and event.enrollment is Enrollment.OPEN
        and why_not_on_sale(facts, now) is None
        and why_not_move(r, now=now, to=event) is None
    )
