"""Moving to another event: where there are places, what it costs or gives back, and the button."""

import logging
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.actors import Actor, attendee, payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW, NotFound, Refused
from regsys.kernel.text import whole_number
from regsys.payments import queries, services
from regsys.payments.public.base import carry_out, payments, placed_order
from regsys.payments.services import Moved
from regsys.payments.settle import start_checkout
from regsys.policies.rules import Allowed
from regsys.registration import services as registration
from regsys.registration.models import Registration
from regsys.registration.moved import terms_of
from regsys.registration.queries import find_registration_by_token
from regsys.web.errors import refusal_text
from regsys.web.guard import public

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trip:
    """Who moves, and where they came from; `money`: whether amounts may be shown, and asked for."""

    order_id: int
    registration_id: int
    actor: Actor
    back: str
    order_url: str
    money: bool


@payments.route("/o/<token>/move", methods=["GET", "POST"])
@public
def order_move(token: str) -> ResponseReturnValue:
    """Let a payer move somebody of their order to another event."""
    order = placed_order(token)
    who = whole_number(request.values.get("who", ""))
    r = next((r for r in order.registrations if r.id == who), None)
    if r is None:
        raise NotFound
    back = url_for("registration.order", token=token)
    return _serve(Trip(order.id, r.id, payer(order.payer_name), back, back, money=True))


@payments.route("/r/<token>/move", methods=["GET", "POST"])
@public
def move(token: str) -> ResponseReturnValue:
    """Let a person move their own place; whoever has not paid sees no amounts."""
    r = find_registration_by_token(token)
    if r is None or r.order.placed_at is None:
        raise NotFound
    back = url_for("registration.attendee", token=token)
    order_url = url_for("registration.order", token=r.order.token) if r.is_payer else back
    return _serve(Trip(r.order_id, r.id, attendee(r.name), back, order_url, money=r.is_payer))


def _serve(trip: Trip) -> ResponseReturnValue:
    to = whole_number(request.values.get("to", ""))
    if request.method == "GET" or to is None:
        return _show(trip, to)
    mark = request.form.get("mark", "")
    try:
        moved = _act(trip, to, mark)
    except Refused as e:
        return _show(trip, None, refusal_text(e)), 409
    if moved is None:
        return redirect(trip.back, 303)
    carry_out(moved.refunds, trip.actor)
    return _go_on(trip, moved)


def _act(trip: Trip, to: int, mark: str) -> Moved | None:
    """Do it, or ask for it; None: nothing is left to do."""
    found = queries.get_moves(trip.order_id, trip.registration_id, now=clock.now())
    way = found.find(to)
    if way and not found.refusal and must_agree(found.registration):
        event_id = way.to.event.id
        with transaction():
            registration.ask_to_move(
                trip.order_id, trip.registration_id, to, event_id, actor=trip.actor, now=clock.now()
            )
        flash(_("The organizers know what you wish, and answer you by mail."), "good")
        return None
    if way and way.move.dearer and not trip.money:
        raise Refused(queries.PAYER_MOVES)
    with transaction():
        moved = services.move_place(
            trip.order_id, trip.registration_id, to, mark=mark, actor=trip.actor, now=clock.now()
        )
    if moved is None:
        flash(_("That was done already; nothing more was done."), "warn")
    return moved


def must_agree(r: Registration) -> bool:
    """Tell whether the organizers have to agree to a move."""
    return terms_of(r).transfer.allowed is Allowed.APPROVAL


def _go_on(trip: Trip, moved: Moved) -> ResponseReturnValue:
    """Send the payer to the payment page, or back."""
    if not moved.to_pay:
        flash(_("The move is done. Letters follow, with the new calendar entry."), "good")
        return redirect(trip.order_url, 303)
    try:
        return redirect(start_checkout(trip.order_id) or trip.order_url, 303)
    except (*NOT_NOW, Refused) as e:
        log.warning("no checkout for the move in order %s: %s", trip.order_id, e)
        flash(
            _(
                "The place is held for you. The payment page does not open just now; please try again in a minute."
            ),
            "warn",
        )
        return redirect(trip.order_url, 303)


def _show(trip: Trip, to: int | None, problem: str | None = None) -> str:
    found = queries.get_moves(trip.order_id, trip.registration_id, now=clock.now())
    way = found.find(to)
    refusal = found.refusal or (queries.why_not_way(way) if way else None)
    if way and way.move.dearer and not trip.money and not must_agree(found.registration):
        refusal = refusal or queries.PAYER_MOVES
    return render_template(
        "payments/move.html" if way and not refusal else "payments/move_choose.html",
        found=found,
        way=way,
        mark=found.mark(way) if way else "",
        trip=trip,
        asks=must_agree(found.registration),
        refusal=refusal_text(Refused(refusal)) if refusal else None,
        problem=problem,
    )
