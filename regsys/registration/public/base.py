"""What the public doors of this room share: the blueprint, and whose cart this is."""

from collections import Counter
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, request, session, url_for
from flask_babel import gettext as _

from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.events import visiting
from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import N_
from regsys.registration import mail, queries, services
from regsys.registration.models import Order, Registration
from regsys.registration.queries import Held
from regsys.registration.rules import CART, Step
from regsys.web.ring import Ring, ring_of
from regsys.web.security import count_and_limit

blueprint = Blueprint("registration", __package__)

LINKS_AN_HOUR = 12


def find_token() -> str | None:
    """Find the secret of this browser's cart."""
    token = session.get(CART)
    return token if isinstance(token, str) else None


def find_cart(now: datetime) -> Held | None:
    """Find the cart of this browser, with what is held for it; a placed order is returned too."""
    token = find_token()
    return queries.find_held(token, now=now) if token else None


def find_open_cart(now: datetime) -> Held | None:
    """Find the cart of this browser, if its places are held and it is not placed yet."""
    held = find_cart(now)
    return held if held and held.holding and not held.order.placed_at else None


def keep_cart(order: Order) -> None:
    """Remember the cart in this browser."""
    session[CART] = order.token


def opened_events() -> list[int]:
    """Return the events that are open to this browser beside the public ones."""
    return visiting.opened_events(clock.now())


def place_of(held: Held, number: int) -> Registration:
    """Return the place with this number in a cart (1 is the first); raise NotFound."""
    if not 1 <= number <= len(held.people):
        raise NotFound(N_("There is no such place."))
    return held.people[number - 1]


def words(refusal: Refusal) -> str:
    """Return a refusal's sentence in the reader's language."""
    return _(refusal.sentence, **dict(refusal.facts))


def next_url(held: Held) -> str:
    """Return the address of the first screen on which something is missing."""
    if not held.holding or held.order.placed_at:
        return url_for(".cart")
    step, n = held.next_step
    if step is Step.REVIEW:
        return url_for(".review")
    if step is Step.OPTIONS:
        return url_for(".options")
    return url_for(".answers" if step is Step.ANSWERS else ".person", n=n)


def bring_along(old_id: int, order_id: int, now: datetime) -> None:
    """Let rooms, meals and the code of places that lapsed go with those that were taken again; say what cannot."""
    try:
        with transaction():
            gone = services.bring_options(old_id, order_id, actor=ANONYMOUS, now=now)
        if gone:
            names = ", ".join(dict.fromkeys(gone))
            flash(_("Please choose once more; this was not kept: %(names)s.", names=names), "warn")
    except Refused as e:
        flash(words(e.refusal), "warn")
    try:
        with transaction():
            services.bring_code(old_id, order_id, actor=ANONYMOUS, now=now)
    except Refused as e:
        flash(_("The code was not kept. %(why)s", why=words(e.refusal)), "warn")


def mail_link(cart: int | Held, now: datetime) -> str:
    """Mail the payer the link to a cart, within limits, and return the sentence that says so."""
    count_and_limit(
        f"cart-link:{request.remote_addr}",
        limit=LINKS_AN_HOUR,
        seconds=3600,
        now=now,
        sentence=_(
            "The link was mailed several times in this hour. Please look into your spam folder."
        ),
    )
    address = services.mail_cart_link(cart, now=now)
    return _(
        "The link is on its way to %(email)s. It opens your places on any device.", email=address
    )


def frame(held: Held, now: datetime, step: int) -> dict[str, Any]:
    """Return what every screen of a cart shows: the step, the time left, the places.

    Whoever only pays answers nothing for themselves, so that there are three steps.
    """
    answers = any(r.is_payer for r in held.people) or not held.order.email
    return {
        "held": held,
        "step": step if answers else min(step, 3),
        "last": 4 if answers else 3,
        "seconds": (held.ends_at - now).total_seconds() if held.ends_at else 0,
        "zone": held.people[0].event.time_zone,
        "currency": held.order.currency,
        "may_extend": not held.order.hold_extended,
        "rings": rings_of(held),
        "where": mail.where,
        "now": now,
    }


def rings_of(held: Held) -> dict[int, Ring]:
    """Return the ring of each event in a cart that has so many places and no more, with the chairs of this cart."""
    mine = Counter(r.event_id for r in held.people if r.id in held.ends)
    found = capacity.set_aside({e: [(PoolKind.TOTAL, c)] for e, c in held.counts.items()})
    return {
        e: ring_of(c.settled, c.held - mine[e] + c.owed, c.free, you=mine[e])
        for e, [(_kind, c)] in found.items()
        if c.free is not None
    }
