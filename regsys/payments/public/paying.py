"""The payer's way to Stripe and back."""

import logging

from flask import flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW, NotFound, Refused, UpstreamFailed
from regsys.kernel.text import whole_number
from regsys.payments import queries
from regsys.payments.public.base import payments, placed_order
from regsys.payments.settle import look_again, start_checkout
from regsys.payments.states import AttemptState
from regsys.registration import services as registration
from regsys.registration.queries import due
from regsys.registration.rules import CART
from regsys.web.errors import page, refusal_text
from regsys.web.guard import public
from regsys.web.urls import settings

log = logging.getLogger(__name__)

# How often the page looks again by itself, and how often at most.
LOOK_AGAIN_SECONDS = 4
LOOKS = 15


@payments.post("/o/<token>/pay")
@public
def pay(token: str) -> ResponseReturnValue:
    """Send the payer to Stripe's page: for the deposit where there is one, or for all that is due."""
    back = url_for("registration.order", token=token)
    return go_to_stripe(token, back, whole=request.form.get("whole") == "1")


def go_to_stripe(
    which: int | str, back: str, *, whole: bool, link: str | None = None
) -> ResponseReturnValue:
    """Send a payer to Stripe's page, or say in words why it does not open; `back`: where they came from.

    `which` order: its id, or the secret of its link.
    """
    if not settings().STRIPE_SECRET_KEY:
        if _due(which) == 0:
            return redirect(back, 303)
        return _not_now(_("Paying by card is not set up here yet. Please write to us."), back)
    try:
        return redirect(start_checkout(which, whole=whole, link=link) or back, 303)
    except Refused as e:
        if _due(which) == 0:
            return redirect(back, 303)
        kept = [_("Nothing was changed by this.")]
        return page(
            409, _("That is not possible now"), refusal_text(e), kept=kept, steps=_steps(back)
        )
    except NOT_NOW as e:
        return _not_reached(e, back)


@payments.post("/cart/place-and-pay")
@public
def place_and_pay() -> ResponseReturnValue:
    """Place the order and send the payer to Stripe's page, by one click."""
    token = session.get(CART)
    if not isinstance(token, str):
        return redirect(url_for("registration.cart"), 303)
    back = url_for("registration.order", token=token)
    whole = request.form.get("whole") == "1"
    try:
        if settings().STRIPE_SECRET_KEY:
            return redirect(start_checkout(token, placing=True, whole=whole) or back, 303)
        with transaction():
            registration.place(token, now=clock.now())
    except (NotFound, Refused):
        # What is in the way is said, and mended, where an order is placed alone.
        return redirect(url_for("registration.place"), 307)
    except NOT_NOW as e:
        return _not_reached(e, back)
    return redirect(url_for(".pay", token=token), 307)


def _not_reached(e: Exception, back: str) -> ResponseReturnValue:
    log.warning("no checkout: %s", e)
    status = 502 if isinstance(e, UpstreamFailed) else 503
    return _not_now(_("The payment page could not be opened just now."), back, status)


def _due(which: int | str) -> int:
    return due(placed_order(which).id if isinstance(which, str) else which).due


def _not_now(sentence: str, back: str, status: int = 502) -> ResponseReturnValue:
    """Say that it did not work; what may have been paid in another window is not known, and not denied."""
    kept = [
        _("Opening it charges nothing, and your place stays held."),
        _("If you have paid in another window, do not pay again: your order shows it in a moment."),
        _("Otherwise go back to your order and try again in a minute."),
    ]
    title = _("The payment page does not open")
    body, status = page(status, title, sentence, kept=kept, steps=_steps(back))
    return body, status, {"Retry-After": "5"}


def _steps(back: str) -> list[dict[str, str]]:
    return [{"label": _("Back to your order"), "url": back}]


@payments.get("/o/<token>/paid")
@public
def paid(token: str) -> ResponseReturnValue:
    """Receive the payer who comes back: write down what Stripe says, and wait with them if it says nothing yet."""
    home = url_for("registration.order", token=token)
    return receive(placed_order(token).id, token, home)


def receive(order_id: int, token: str, home: str) -> ResponseReturnValue:
    """Receive whoever comes back from Stripe's page to their own one; `home`: where they go then."""
    known = queries.find_by_session(request.args.get("session_id", ""))
    if known is None or known.order_id != order_id:
        raise NotFound
    state = look_again(known)
    if state in (AttemptState.OPEN, AttemptState.CREATED):
        return _confirming(token, known.session_id or "", home)
    if state is AttemptState.PROCESSING:
        flash(
            _("Your bank needs some days for this. Your places are kept until it has answered."),
            "good",
        )
    if state is AttemptState.QUARANTINED:
        return render_template("payments/problem.html", home=home)
    return redirect(home, 303)


def _confirming(token: str, session_id: str, home: str) -> ResponseReturnValue:
    looks = whole_number(request.args.get("look", "")) or 1
    again = url_for(request.endpoint or "", token=token, session_id=session_id, look=looks + 1)
    response = make_response(
        render_template("payments/confirming.html", home=home, again=again, waiting=looks < LOOKS)
    )
    if looks < LOOKS:
        response.headers["Refresh"] = f"{LOOK_AGAIN_SECONDS}; url={again}"
    response.headers["Cache-Control"] = "no-store"
    return response
