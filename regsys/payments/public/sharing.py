"""Somebody else pays what is still due: by a link that shows an amount, the event and first names, and no more."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from regsys.kernel import clock
from regsys.kernel.actors import payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.payments.public.base import payments, placed_order
from regsys.payments.public.paying import go_to_stripe, receive
from regsys.registration import services as registration
from regsys.registration.models import Order
from regsys.registration.owing import find_shared_order, rest_at
from regsys.registration.queries import due
from regsys.registration.states import LIVE
from regsys.web.errors import refusal_text
from regsys.web.guard import public


@payments.post("/o/<token>/share")
@public
def share(token: str) -> ResponseReturnValue:
    """Make the link for somebody else who pays, or take it back."""
    order = placed_order(token)
    order_id, actor = order.id, payer(order.payer_name)
    act = (
        registration.stop_sharing
        if request.form.get("do") == "stop"
        else registration.share_payment
    )
    try:
        with transaction():
            act(order_id, actor=actor, now=clock.now())
    except Refused as e:
        flash(refusal_text(e), "warn")
    return redirect(url_for("registration.order", token=token) + "#o-share", 303)


@payments.get("/b/<token>")
@public
def shared(token: str) -> ResponseReturnValue:
    """Show somebody else what they are asked to pay."""
    order = _get(token)
    live = [r for r in order.registrations if r.state in LIVE]
    return render_template(
        "payments/shared.html",
        token=token,
        currency=order.currency,
        balance=due(order.id),
        names=[r.first_name for r in live],
        events=list({r.event_id: r.event for r in live}.values()),
        until=rest_at(order),
        now=clock.now(),
    )


@payments.post("/b/<token>/pay")
@public
def shared_pay(token: str) -> ResponseReturnValue:
    """Send somebody else to Stripe's page, for all that is due."""
    back = url_for(".shared", token=token)
    return go_to_stripe(_get(token).id, back, whole=True, link=token)


@payments.get("/b/<token>/paid")
@public
def shared_paid(token: str) -> ResponseReturnValue:
    """Receive somebody else who comes back from Stripe's page."""
    return receive(_get(token).id, token, url_for(".shared", token=token))


def _get(token: str) -> Order:
    order = find_shared_order(token)
    if order is None or order.placed_at is None:
        raise NotFound(N_("There is no such link."))
    return order
