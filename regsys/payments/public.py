"""The payer's way to Stripe and back, and the way out: giving places up, with what comes back shown before."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.actors import Actor, attendee, payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW, NotFound, Refused, UpstreamFailed
from regsys.kernel.text import whole_number
from regsys.payments import queries, services
from regsys.payments.cancelling import end_stale_checkout
from regsys.payments.settle import execute_refund, look_again, start_checkout
from regsys.payments.states import AttemptState
from regsys.registration.models import Order
from regsys.registration.queries import (
    due,
    find_order_by_token,
    find_registration_by_token,
    get_order,
)
from regsys.registration.states import RegistrationState
from regsys.web.errors import page, refusal_text
from regsys.web.guard import public
from regsys.web.html import money
from regsys.web.urls import settings

log = logging.getLogger(__name__)
payments = Blueprint("payments", __name__)

# How often the page looks again by itself, and how often at most.
LOOK_AGAIN_SECONDS = 4
LOOKS = 15


def _order_id(token: str) -> int:
    order = find_order_by_token(token)
    if order is None or order.placed_at is None:
        raise NotFound
    return order.id


@payments.post("/o/<token>/pay")
@public
def pay(token: str) -> ResponseReturnValue:
    """Send the payer to Stripe's page."""
    back = url_for("registration.order", token=token)
    if not settings().STRIPE_SECRET_KEY:
        if due(_order_id(token)).due == 0:
            return redirect(back, 303)
        return _not_now(_("Paying by card is not set up here yet. Please write to us."), back)
    try:
        return redirect(start_checkout(token) or back, 303)
    except Refused as e:
        if due(_order_id(token)).due == 0:
            return redirect(back, 303)
        kept = [_("Nothing was changed by this.")]
        return page(
            409, _("That is not possible now"), refusal_text(e), kept=kept, steps=_steps(back)
        )
    except NOT_NOW as e:
        log.warning("no checkout for order %s: %s", _order_id(token), e)
        status = 502 if isinstance(e, UpstreamFailed) else 503
        return _not_now(_("The payment page could not be opened just now."), back, status)


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
    order_id = _order_id(token)
    known = queries.find_by_session(request.args.get("session_id", ""))
    if known is None or known.order_id != order_id:
        raise NotFound
    state = look_again(known)
    if state in (AttemptState.OPEN, AttemptState.CREATED):
        return _confirming(token, known.session_id or "")
    if state is AttemptState.PROCESSING:
        flash(
            _("Your bank needs some days for this. Your places are kept until it has answered."),
            "good",
        )
    if state is AttemptState.QUARANTINED:
        return render_template("payments/problem.html", token=token)
    return redirect(url_for("registration.order", token=token), 303)


def _confirming(token: str, session_id: str) -> ResponseReturnValue:
    looks = whole_number(request.args.get("look", "")) or 1
    again = url_for("payments.paid", token=token, session_id=session_id, look=looks + 1)
    response = make_response(
        render_template("payments/confirming.html", token=token, again=again, waiting=looks < LOOKS)
    )
    if looks < LOOKS:
        response.headers["Refresh"] = f"{LOOK_AGAIN_SECONDS}; url={again}"
    response.headers["Cache-Control"] = "no-store"
    return response


# ---- giving places up


@dataclass(frozen=True)
class Exit:
    """Who gives which places up: `money` says whether amounts may be shown, `back` is the page they came from."""

    order_id: int
    who: Sequence[int]
    actor: Actor
    back: str
    money: bool
    said: str


@payments.route("/o/<token>/cancel", methods=["GET", "POST"])
@public
def cancel(token: str) -> ResponseReturnValue:
    """Let the payer choose who does not come, show what comes back for them, and do it."""
    order = _get_order(token)
    back = url_for("registration.order", token=token)
    live = [r.id for r in order.registrations if r.state is RegistrationState.CONFIRMED]
    chosen = [n for n in map(whole_number, request.values.getlist("who")) if n]
    who = [r.id for r in order.registrations if r.id in (chosen or live)]
    if request.method == "GET" and not chosen and len(live) > 1:
        parting = queries.get_parting(order.id, live, now=clock.now())
        return render_template("payments/leave_choose.html", parting=parting, back=back)
    if not who or (request.method == "GET" and not set(who) & set(live)):
        return redirect(back, 303)
    said = _("Given back by %(name)s, who paid.", name=order.payer_name)
    return _leave(Exit(order.id, who, payer(order.payer_name), back, money=True, said=said))


@payments.route("/r/<token>/cancel", methods=["GET", "POST"])
@public
def give_up(token: str) -> ResponseReturnValue:
    """Let one person give their own place up; amounts are shown to whoever paid."""
    r = find_registration_by_token(token)
    if r is None or r.order.placed_at is None:
        raise NotFound
    back = url_for("registration.attendee", token=token)
    if request.method == "GET" and r.state is not RegistrationState.CONFIRMED:
        return redirect(back, 303)
    said = _("Given back by the person.")
    return _leave(Exit(r.order_id, [r.id], attendee(r.name), back, money=r.is_payer, said=said))


def _get_order(token: str) -> Order:
    order = find_order_by_token(token)
    if order is None or order.placed_at is None:
        raise NotFound
    return order


def _leave(out: Exit) -> ResponseReturnValue:
    """Show what will happen, or do it if it is still what was shown."""
    if request.method == "GET":
        return _show_exit(out)
    typed = request.form.get("reason", "").strip()[:200]
    reason = f"{out.said} {typed}".strip()
    try:
        with transaction():
            left = services.leave(
                out.order_id,
                out.who,
                mark=request.form.get("mark", ""),
                reason=reason,
                actor=out.actor,
                now=clock.now(),
            )
    except Refused as e:
        return _show_exit(out, refusal_text(e)), 409
    if left is None:
        flash(_("That was done already; nothing more was done."), "warn")
        return redirect(out.back, 303)
    currency = get_order(out.order_id).currency
    _carry_out(left.refunds, out.actor)
    end_stale_checkout(out.order_id)
    if left.amount and out.money:
        amount = money(left.amount, currency)
        flash(
            _("It is done, and %(amount)s is on its way back. A letter follows.", amount=amount),
            "good",
        )
    else:
        flash(_("It is done. Thank you for telling us; a letter follows."), "good")
    return redirect(out.back, 303)


def _show_exit(out: Exit, problem: str | None = None) -> str:
    parting = queries.get_parting(out.order_id, out.who, now=clock.now())
    refusal = refusal_text(Refused(parting.refusal)) if parting.refusal else None
    return render_template(
        "payments/leave.html",
        parting=parting,
        out=out,
        problem=problem,
        refusal=refusal,
        one=parting.parts[0].registration,
    )


def _carry_out(refund_ids: Sequence[int], actor: Actor) -> None:
    """Ask Stripe; what it does not answer now the poller asks again."""
    for refund_id in refund_ids:
        try:
            execute_refund(refund_id, actor=actor)
        except NOT_NOW as e:
            log.warning("refund %s is tried again later: %s", refund_id, e)
            return
