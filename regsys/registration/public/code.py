"""A code for a lower price: used and taken off, in a cart and in an order about a place that was offered."""

from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.discounts.rules import WORKPLACE_UNSAID
from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refusal, Refused
from regsys.registration import services
from regsys.registration.forms import CodeForm
from regsys.registration.public.base import blueprint, find_open_cart, words
from regsys.registration.public.cart import show_review
from regsys.registration.public.order import get_held, show_order
from regsys.registration.rules import Step
from regsys.registration.services import Applied
from regsys.web.guard import public
from regsys.web.security import count_and_limit

TRIES_AN_HOUR = 30


@blueprint.post("/cart/code")
@public
def code() -> ResponseReturnValue:
    """Use a code in this browser's cart."""
    now = clock.now()
    held = find_open_cart(now)
    if held is None:
        return redirect(url_for(".cart"), 303)
    if held.next_step[0] is not Step.REVIEW:
        return redirect(url_for(".go_on"), 303)
    form = CodeForm()
    if not form.validate_on_submit():
        return show_review(held, form, now=now, status=422)
    cart_id = held.order.id
    _count_try(now)
    try:
        with transaction():
            done = services.apply_code(cart_id, **_typed(form), actor=ANONYMOUS, now=now)
    except Refused as e:
        _refuse(form, e.refusal)
        fresh = find_open_cart(now)
        if fresh is None:
            return redirect(url_for(".cart"), 303)
        return show_review(fresh, form, now=now, status=409)
    _say(done)
    return redirect(url_for(".review"), 303)


@blueprint.post("/cart/code/drop")
@public
def code_drop() -> ResponseReturnValue:
    """Take the code off this browser's cart."""
    now = clock.now()
    held = find_open_cart(now)
    if held:
        cart_id = held.order.id
        with transaction():
            services.drop_code(cart_id, actor=ANONYMOUS, now=now)
        flash(_("The code is taken off."), "good")
    return redirect(url_for(".go_on"), 303)


@blueprint.post("/o/<token>/code")
@public
def order_code(token: str) -> ResponseReturnValue:
    """Use a code for a place that was offered."""
    now = clock.now()
    held = get_held(token, now)
    form = CodeForm()
    if not form.validate_on_submit():
        return show_order(held, now, form=form, status=422)
    order_id, actor = held.order.id, payer(held.order.payer_name)
    _count_try(now)
    try:
        with transaction():
            done = services.apply_code(order_id, **_typed(form), actor=actor, now=now)
    except Refused as e:
        _refuse(form, e.refusal)
        return show_order(get_held(token, now), now, form=form, status=409)
    _say(done)
    return redirect(url_for(".order", token=token), 303)


@blueprint.post("/o/<token>/code/drop")
@public
def order_code_drop(token: str) -> ResponseReturnValue:
    """Take the code off an order about a place that was offered."""
    now = clock.now()
    held = get_held(token, now)
    order_id, actor = held.order.id, payer(held.order.payer_name)
    try:
        with transaction():
            services.drop_code(order_id, actor=actor, now=now)
    except Refused as e:
        return show_order(get_held(token, now), now, refusal=words(e.refusal))
    flash(_("The code is taken off."), "good")
    return redirect(url_for(".order", token=token), 303)


def _typed(form: CodeForm) -> dict[str, str]:
    return {"typed": form.code.data or "", "workplace": form.workplace.data or ""}


def _refuse(form: CodeForm, refusal: Refusal) -> None:
    field = form.workplace if refusal is WORKPLACE_UNSAID else form.code
    field.errors = [words(refusal)]


def _count_try(now: datetime) -> None:
    """Count what was tried, so that nobody finds codes by trying them all."""
    with transaction():
        count_and_limit(
            f"code:{request.remote_addr}",
            limit=TRIES_AN_HOUR,
            seconds=3600,
            now=now,
            sentence=_("Too many codes were tried. Please wait an hour, or write to us."),
        )


def _say(done: Applied) -> None:
    if done.short:
        sentence = ngettext(
            "The code had only one use left: it counts for one place.",
            "The code had only so many uses left: it counts for %(num)d places.",
            done.places,
        )
        flash(sentence, "warn")
    else:
        flash(
            ngettext("The code counts.", "The code counts for %(num)d places.", done.places), "good"
        )
