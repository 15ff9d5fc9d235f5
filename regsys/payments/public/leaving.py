"""The way out: giving places up, with what comes back shown before."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.actors import Actor, attendee, payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import whole_number
from regsys.payments import queries, services
from regsys.payments.public.base import carry_out, payments, placed_order
from regsys.registration.queries import find_registration_by_token, get_order
from regsys.registration.states import RegistrationState
from regsys.web.errors import refusal_text
from regsys.web.guard import public
from regsys.web.html import money


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
    order = placed_order(token)
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
    carry_out(left.refunds, out.actor)
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
