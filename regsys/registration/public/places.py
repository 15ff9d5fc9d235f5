"""Step 1: which places, and how many."""

from collections import Counter
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from regsys.events import queries as events
from regsys.events import rules as event_rules
from regsys.events.kinds import Proof
from regsys.events.models import Event
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refusal, Refused
from regsys.members.badge import find_own_proof
from regsys.registration import queries, rules, services
from regsys.registration.forms import PlacesForm, build_places, read_places
from regsys.registration.public.base import (
    blueprint,
    find_cart,
    keep_cart,
    opened_events,
    words,
)
from regsys.registration.queries import Held, Offer
from regsys.registration.rules import CART
from regsys.web.guard import public
from regsys.web.urls import settings


@blueprint.get("/events/<slug>/register")
@public
def register(slug: str) -> ResponseReturnValue:
    """Show what a place costs now, and ask how many."""
    now = clock.now()
    event = queries.get_event_on_sale(slug, opened=opened_events())
    return _show(event, _own_cart(now), now=now)


@blueprint.post("/events/<slug>/register")
@public
def take(slug: str) -> ResponseReturnValue:
    """Hold the places."""
    now = clock.now()
    cart = _own_cart(now)
    form = read_places(request.form)
    if not form.validate_on_submit():
        return _show_again(slug, cart, now=now, status=422)
    cart_id = cart.order.id if cart else None
    try:
        with transaction():
            order = services.put_in_cart(
                slug,
                form.wanted,
                cart_id=cart_id,
                minutes=settings().HOLD_MINUTES,
                now=now,
                opened=opened_events(),
                proof=find_own_proof(now),
            )
    except Refused as e:
        return _show_again(slug, cart, now=now, refusal=e.refusal, status=409)
    keep_cart(order)
    return redirect(url_for(".go_on") if order.email else url_for(".person", n=0), 303)


def _own_cart(now: datetime) -> Held | None:
    """Find the cart that places are added to: none where the last one is placed."""
    cart = find_cart(now) if CART in session else None
    return None if cart and cart.order.placed_at else cart


def _types(event: Event) -> list[Any]:
    return [t for t in event.ticket_types if t.on_sale and t.prices]


def _show_again(
    slug: str, cart: Held | None, *, now: datetime, status: int, refusal: Refusal | None = None
) -> ResponseReturnValue:
    """Show the form with what was chosen, and why it cannot be."""
    event = queries.get_event_on_sale(slug, opened=opened_events())
    form = build_places([(t.id, t.name, rules.MOST_PLACES, 0) for t in _types(event)])
    form.validate()
    return _show(event, cart, now=now, form=form, refusal=refusal, status=status)


def _show(
    event: Event,
    cart: Held | None,
    *,
    now: datetime,
    form: PlacesForm | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    places = events.places_of([event.id], now=now)[event.id]
    mine = cart.people if cart and cart.holding else []
    here = [r for r in mine if r.event_id == event.id]
    closed = event_rules.why_not_on_sale(events.sale_facts(event, places), now)
    if closed and not here:
        return _closed(event, refusal or closed, status=status if refusal else 200)
    offers = queries.list_offers(event, places, now=now)
    chosen = Counter(r.ticket_type_id for r in here)
    proven = find_own_proof(now) is not None
    form = form or build_places(_rows(offers, chosen, proven), formdata=None)
    return render_template(
        "registration/places.html",
        event=event,
        places=places,
        offers=offers,
        to_prove={
            o.ticket_type.id for o in offers if _asks(o, proven) and not chosen[o.ticket_type.id]
        },
        form=form,
        field_of={o.ticket_type.id: form[f"places_{o.ticket_type.id}"] for o in offers},
        refusal=words(refusal) if refusal else None,
        cart=cart,
        others=[r for r in mine if r.event_id != event.id],
        here=here,
        minutes=settings().HOLD_MINUTES,
        path=request.path,
    ), status


def _asks(offer: Offer, proven: bool) -> bool:
    """Tell whether somebody has to show first that they are a member."""
    return offer.ticket_type.proof is Proof.MEMBER and not proven


def _rows(
    offers: list[Offer], chosen: Counter[int], proven: bool
) -> list[tuple[int, str, int, int]]:
    """Return the rows of the form: one place of the first type that has any, unless something is chosen."""
    free = (o.ticket_type.id for o in offers if o.left != 0 and not _asks(o, proven))
    first = next(free, None)
    shown = chosen or Counter({first: 1} if first else {})
    rows = []
    for o in offers:
        type_id = o.ticket_type.id
        most = rules.MOST_PLACES if o.left is None else o.left + chosen[type_id]
        if o.ticket_type.proof is Proof.MEMBER:
            most = min(most, 1)
        rows.append((type_id, o.ticket_type.name, min(most, rules.MOST_PLACES), shown[type_id]))
    return rows


def _closed(event: Event, refusal: Refusal, *, status: int) -> ResponseReturnValue:
    return render_template(
        "registration/closed.html",
        event=event,
        sentence=words(refusal),
        full=refusal.name == "Full",
    ), status
