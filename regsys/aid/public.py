"""Asking for help with the fee, behind the secret link of one's own order."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.aid import queries, rules, services
from regsys.aid.forms import AskForm, read_amount
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.registration.queries import Held, due, find_held
from regsys.web.errors import refusal_text
from regsys.web.guard import public

aid = Blueprint("aid", __name__)


def _get_held(token: str) -> Held:
    held = find_held(token, now=clock.now())
    if held is None or held.order.placed_at is None:
        raise NotFound(N_("There is no such order."))
    return held


@aid.route("/o/<token>/help", methods=["GET", "POST"])
@public
def ask(token: str) -> ResponseReturnValue:
    """Let somebody ask, and show how their request stands."""
    held, now = _get_held(token), clock.now()
    request = queries.find_of_order(held.order.id)
    if request:
        return render_template(
            "aid/own.html", order=held.order, request=request, due=due(held.order.id).due, now=now
        )
    event = held.order.registrations[0].event
    fund = queries.find_fund(event.id, held.order.currency)
    form, closed = AskForm(), services.why_not_ask(held, fund, asked=False, now=now)
    if closed or fund is None:
        return _show(held, form, closed=refusal_text(Refused(closed or rules.NO_FUND)))
    order_id, currency = held.order.id, held.order.currency
    fine = form.validate_on_submit()
    amount = read_amount(form.amount, currency)
    if not fine or form.amount.errors:
        until = services.answer_by(fund, event, now)
        return _show(held, form, answer_by=until), 422 if form.is_submitted() else 200
    with transaction():
        services.ask(order_id, form.words.data or "", asked_amount=amount, now=now)
    flash(_("The committee has it now, and your place is held."), "good")
    return redirect(url_for(".ask", token=token), 303)


def _show(held: Held, form: AskForm, *, closed: str = "", answer_by: datetime | None = None) -> str:
    return render_template(
        "aid/ask.html",
        held=held,
        event=held.order.registrations[0].event,
        form=form,
        closed=closed,
        answer_by=answer_by,
    )


@aid.post("/o/<token>/help/withdraw")
@public
def withdraw(token: str) -> ResponseReturnValue:
    """Take the request back."""
    order_id = _get_held(token).order.id
    try:
        with transaction():
            services.withdraw(order_id, now=clock.now())
    except Refused as e:
        flash(refusal_text(e), "warn")
        return redirect(url_for(".ask", token=token), 303)
    flash(_("It is taken back. Your place waits for its payment."), "good")
    return redirect(url_for("registration.order", token=token), 303)
