"""What a place costs at the moment at which it is held, and why."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.events.kinds import Proof, Rate
from regsys.events.models import Event, TicketType
from regsys.events.queries import price_of, share_of, to_pay
from regsys.events.rules import Share
from regsys.events.words import share_words
from regsys.registration import proving
from regsys.registration.models import Registration
from regsys.registration.owing import parts_of
from regsys.registration.services.places import Shelf
from regsys.web.html import deadline


def divide(r: Registration, event: Event, *, now: datetime) -> None:
    """Freeze what makes the place sure and when the rest is due, where the rules of this moment divide the price."""
    parts = parts_of(event, r.price, now=now)
    if parts:
        r.deposit, r.rest_at = parts.first, parts.rest_at


def price_at(ticket_type: TicketType, rate: Rate) -> int:
    """Return the price at a rate; a grid with one column has it for both."""
    found = price_of(ticket_type, rate)
    return found if found is not None else min(p.amount for p in ticket_type.prices)


def full_price(
    r: Registration, ticket_type: TicketType, event: Event, shelf: Shelf, *, now: datetime
) -> int | None:
    """Return what the place would cost somebody who is not in training; None where their word counts for nothing."""
    if ticket_type.proof is not Proof.TRAINEE:
        return None
    others = others_of(ticket_type, r.rate, event, shelf, share=share_of(event, now))
    return proving.price_without(r.price, others)


def others_of(
    ticket_type: TicketType, rate: Rate, event: Event, shelf: Shelf, *, share: Share | None
) -> list[tuple[int, bool]]:
    """Return what places cost that ask for no proof, each with whether it draws on the same pools as this type."""
    pools = shelf.pools(ticket_type.id)
    return [
        (to_pay(price_at(t, rate), share, event.currency), shelf.pools(t.id) == pools)
        for t in event.ticket_types
        if t.prices and t.on_sale and t.proof is Proof.NONE
    ]


def price_words(r: Registration, event: Event, shelf: Shelf, now: datetime) -> str:
    """Return the reason for the price, in the words of this moment."""
    if r.price == 0:
        return _("Nothing to pay.")
    share = share_of(event, now)
    if share:
        return share_words(share)
    if r.rate is Rate.EARLY and shelf.early_id is not None:
        return _("Early price: one of the first %(n)s places.", n=shelf.early_size)
    if r.rate is Rate.EARLY and event.early_until:
        until = deadline(event.early_until, event.time_zone)
        return _("Early price, for places taken until %(until)s.", until=until)
    return _("Regular price.")
