"""The cart: what is held, the review, and placing the order."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.discounts.rules import ABOUT_CODES
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import whole_number
from regsys.ledger.rules import Balance
from regsys.registration import queries, rules, services
from regsys.registration.forms import CodeForm
from regsys.registration.models import LineKind
from regsys.registration.owing import due_first, rest_at
from regsys.registration.public.base import (
    blueprint,
    bring_along,
    find_cart,
    find_open_cart,
    find_token,
    frame,
    keep_cart,
    mail_link,
    next_url,
    words,
)
from regsys.registration.queries import Held
from regsys.registration.rules import Step
from regsys.registration.states import RegistrationState as S
from regsys.registration.words import lines_by_person
from regsys.web.guard import public
from regsys.web.urls import settings


@blueprint.get("/cart")
@public
def cart() -> ResponseReturnValue:
    """Show what is held, or that it was let go."""
    now = clock.now()
    held = find_cart(now)
    if held and held.order.placed_at:
        return redirect(url_for(".order", token=held.order.token), 303)
    gone = held.given_back(whole_number(request.args.get("gone", "")) or 0) if held else None
    if held is None or not held.people:
        return render_template("registration/empty.html", gone=gone)
    if not held.holding:
        return _lapsed(held)
    return render_template("registration/cart.html", gone=gone, **frame(held, now, 1))


@blueprint.get("/cart/next")
@public
def go_on() -> ResponseReturnValue:
    """Go to the first screen on which something is missing."""
    held = find_cart(clock.now())
    return redirect(next_url(held) if held else url_for(".cart"), 303)


@blueprint.get("/cart/review")
@public
def review() -> ResponseReturnValue:
    """Show who comes, what it costs and why, and what happens if they cannot come."""
    now = clock.now()
    held = find_open_cart(now)
    if held is None:
        return redirect(url_for(".cart"), 303)
    if held.next_step[0] is not Step.REVIEW:
        return redirect(url_for(".go_on"), 303)
    return show_review(held, CodeForm(formdata=None), now=now)


def show_review(
    held: Held,
    form: CodeForm,
    *,
    now: datetime,
    refusal: Refusal | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """Show the review with what was typed into the form for a code, and why something cannot be."""
    own_numbers = {r.id: n for n, r in enumerate(held.people, start=1) if r.is_payer}
    lines, answers, has_options, has_help = queries.list_review(held.order.id, own_numbers)
    return render_template(
        "registration/review.html",
        answers=answers,
        price_lines=lines_by_person(lines),
        has_options=has_options,
        has_help=has_help,
        chosen_any=any(line.kind is LineKind.OPTION for line in lines),
        form=form,
        refusal=words(refusal) if refusal else None,
        own_numbers=own_numbers,
        now_due=due_first(held.order, Balance(held.total), now=now),
        rest_at=rest_at(held.order),
        own_number=next(iter(own_numbers.values()), 0),
        **frame(held, now, 4),
    ), status


@blueprint.post("/cart/place")
@public
def place() -> ResponseReturnValue:
    """Place the order; where something is to pay, the browser posts on to the payment with the same click."""
    token = find_token()
    if token is None:
        return redirect(url_for(".cart"), 303)
    try:
        with transaction():
            order = services.place(token, now=clock.now())
    except NotFound:
        return redirect(url_for(".cart"), 303)
    except Refused as e:
        if e.refusal in (rules.HOLD_EXPIRED, rules.NOT_COMPLETE, rules.NOTHING_CHOSEN):
            return redirect(url_for(".go_on"), 303)
        held = find_cart(clock.now())
        if held is None or e.refusal.name not in ABOUT_CODES:
            raise
        form = CodeForm(formdata=None)
        return show_review(held, form, now=clock.now(), refusal=e.refusal, status=409)
    if any(r.state is S.AWAITING_PAYMENT for r in order.registrations):
        if request.form.get("pay") == "invoice":
            return redirect(url_for("billing.ask", token=order.token), 303)
        if request.form.get("pay") == "help":
            return redirect(url_for("aid.before_paying", token=order.token), 303)
        return redirect(url_for("payments.pay", token=order.token), 307)
    return redirect(url_for(".order", token=order.token), 303)


@blueprint.post("/cart/remove")
@public
def remove() -> ResponseReturnValue:
    """Give one place back."""
    now = clock.now()
    held = find_open_cart(now)
    if held:
        cart_id, place_id = held.order.id, whole_number(request.form.get("place", "")) or 0
        with transaction():
            services.remove_from_cart(cart_id, place_id, now=now)
        return redirect(url_for(".cart", gone=place_id), 303)
    return redirect(url_for(".cart"), 303)


@blueprint.post("/cart/put-back")
@public
def put_back() -> ResponseReturnValue:
    """Take back, by one click, a place that was given back by one click."""
    now = clock.now()
    held = find_cart(now)
    if held and not held.order.placed_at:
        cart_id, place_id = held.order.id, whole_number(request.form.get("place", "")) or 0
        try:
            with transaction():
                services.put_back(cart_id, place_id, minutes=settings().HOLD_MINUTES, now=now)
        except Refused as e:
            flash(words(e.refusal), "warn")
    return redirect(url_for(".cart"), 303)


@blueprint.post("/cart/link")
@public
def link() -> ResponseReturnValue:
    """Mail the payer the link to this cart, and come back."""
    now = clock.now()
    held = find_open_cart(now)
    if held and held.order.email:
        cart_id = held.order.id
        with transaction():
            said = mail_link(cart_id, now)
        flash(said, "good")
    return redirect(url_for(".go_on"), 303)


@blueprint.post("/cart/extend")
@public
def extend() -> ResponseReturnValue:
    """Hold the places a quarter of an hour longer, once."""
    now = clock.now()
    held = find_open_cart(now)
    if held:
        cart_id = held.order.id
        with transaction():
            services.extend_hold(cart_id, now=now)
        flash(_("You have 15 more minutes."), "good")
    return redirect(url_for(".go_on"), 303)


@blueprint.post("/cart/again")
@public
def again() -> ResponseReturnValue:
    """Take the places of a lapsed cart again, with everything that was typed."""
    now = clock.now()
    held = find_cart(now)
    if held is None or held.holding or held.order.placed_at:
        return redirect(url_for(".go_on"), 303)
    cart_id = held.order.id
    try:
        with transaction():
            order = services.take_again(cart_id, minutes=settings().HOLD_MINUTES, now=now)
    except Refused as e:
        return _lapsed(held, refusal=e.refusal)
    keep_cart(order)
    flash(_("You have your places again."), "good")
    bring_along(cart_id, order.id, now)
    return redirect(url_for(".go_on"), 303)


def _lapsed(held: Held, *, refusal: Refusal | None = None) -> ResponseReturnValue:
    return render_template(
        "registration/lapsed.html",
        held=held,
        why=words(refusal) if refusal else None,
        minutes=settings().HOLD_MINUTES,
        keep_days=rules.FORGET_AFTER.days,
    ), 409 if refusal else 200
