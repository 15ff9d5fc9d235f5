"""What is chosen with the places: rooms, meals; in a cart, and for a place that was offered."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, Actor, attendee, payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.registration import services
from regsys.registration.forms.options import OptionsForm, build_options
from regsys.registration.models import Registration
from regsys.registration.public.base import (
    blueprint,
    find_cart,
    find_open_cart,
    frame,
    next_url,
    words,
)
from regsys.registration.public.order import get_held
from regsys.registration.queries import Held, due, find_registration_by_token
from regsys.registration.rules import Step, asked_until
from regsys.registration.services import Asked
from regsys.web.guard import public

TEMPLATE = "registration/options.html"


@blueprint.route("/cart/options", methods=["GET", "POST"])
@public
def options() -> ResponseReturnValue:
    """Ask what each person of this browser's cart would like with their place."""
    now = clock.now()
    held = find_open_cart(now)
    if held is None:
        return redirect(url_for(".cart"), 303)
    if held.next_step[0] in (Step.PAYER, Step.PERSON):
        return redirect(url_for(".go_on"), 303)
    back = url_for(".person", n=0)
    return _answer(held, now, back=back, actor=ANONYMOUS, again=lambda: find_cart(now))


@blueprint.route("/o/<token>/options", methods=["GET", "POST"])
@public
def order_options(token: str) -> ResponseReturnValue:
    """Ask what somebody would like with a place that was offered to them."""
    now = clock.now()
    held = get_held(token, now)
    back = url_for(".order", token=token)
    if not held.order.by_link or held.ends_at is None:
        return redirect(back, 303)
    actor = payer(held.order.payer_name)
    return _answer(held, now, back=back, actor=actor, again=lambda: get_held(token, now))


@blueprint.route("/r/<token>/options", methods=["GET", "POST"])
@public
def own_options(token: str) -> ResponseReturnValue:
    """Ask somebody whose place is confirmed, once, what comes with it."""
    now = clock.now()
    r = find_registration_by_token(token)
    if r is None or r.order.placed_at is None:
        raise NotFound(N_("There is no such registration."))
    if not services.may_choose(r, now=now):
        return redirect(url_for(".attendee", token=token), 303)
    form = _own_form(r, now)
    if request.method == "GET" or not form.validate():
        return _show_own(r, form, now, 422 if form.errors else 200)
    order_id, place_id, actor = r.order_id, r.id, attendee(r.name)
    try:
        with transaction():
            wrong = services.choose_for_oneself(
                order_id, place_id, form.wishes.get(place_id, {}), actor=actor, now=now
            )
    except Refused as e:
        flash(words(e.refusal), "warn")
        wrong = Asked({}, {}, {})
    fresh = find_registration_by_token(token)
    if fresh is None:
        raise NotFound
    if wrong is None:
        return _after_own(fresh)
    if not services.may_choose(fresh, now=now):
        return redirect(url_for(".attendee", token=token), 303)
    form = _own_form(fresh, now)
    form.validate()
    form.complain({i: {c: words(x) for c, x in found.items()} for i, found in wrong.wrong.items()})
    return _show_own(fresh, form, now, 409)


def _own_form(r: Registration, now: datetime) -> OptionsForm:
    held = get_held(r.order.token, now)
    asked = services.read_options(held, [r], now=now)
    return build_options(asked, [r], held.order.currency)


def _show_own(
    r: Registration, form: OptionsForm, now: datetime, status: int
) -> ResponseReturnValue:
    zone, starts_at = r.event.time_zone, r.event.starts_at
    until = asked_until(r.rest_at, starts_at=starts_at, zone=zone, now=now)
    return render_template("registration/own_options.html", r=r, form=form, until=until), status


def _after_own(r: Registration) -> ResponseReturnValue:
    """Send whoever pays for themselves on to the payment, and others back to their page."""
    flash(_("Saved. Thank you."), "good")
    if r.is_payer and due(r.order_id).due:
        return redirect(url_for(".order", token=r.order.token), 303)
    return redirect(url_for(".attendee", token=r.token), 303)


def _answer(
    held: Held, now: datetime, *, back: str, actor: Actor, again: Callable[[], Held | None]
) -> ResponseReturnValue:
    asked = services.read_options(held, now=now)
    form = build_options(asked, held.unpaid, held.order.currency)
    if request.method == "GET" or not form.validate():
        return _show(held, asked, form, back, now, 422 if form.errors else 200)
    order_id = held.order.id
    try:
        with transaction():
            wrong = services.choose_options(
                order_id, form.wishes, words=form.words, actor=actor, now=now
            )
    except Refused as e:
        flash(words(e.refusal), "warn")
        wrong = asked
    fresh = again()
    if fresh is None or not fresh.holding:
        return redirect(back, 303)
    if wrong is None:
        return redirect(back if fresh.order.placed_at else next_url(fresh), 303)
    asked = services.read_options(fresh, now=now)
    form = build_options(asked, fresh.unpaid, fresh.order.currency)
    form.validate()
    form.complain({r: {c: words(x) for c, x in found.items()} for r, found in wrong.wrong.items()})
    return _show(fresh, asked, form, back, now, 409)


def _show(
    held: Held, asked: Asked, form: OptionsForm, back: str, now: datetime, status: int
) -> ResponseReturnValue:
    shown: dict[str, Any] = {"asked": asked, "form": form, "back": back}
    return render_template(TEMPLATE, **shown, **frame(held, now, 2)), status
