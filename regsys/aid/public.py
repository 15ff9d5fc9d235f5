"""Asking for help with the fee, behind the secret link of one's own place; and letting others do so."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.aid import queries, rules, services
from regsys.aid.forms import AskForm, read_amount
from regsys.kernel import clock
from regsys.kernel.actors import payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import N_
from regsys.registration.models import Registration
from regsys.registration.queries import (
    Held,
    due,
    find_held,
    find_registration_by_token,
    get_held,
)
from regsys.web.errors import refusal_text
from regsys.web.guard import public

aid = Blueprint("aid", __name__)


def _get_place(token: str) -> Registration:
    r = find_registration_by_token(token)
    if r is None or r.order.placed_at is None:
        raise NotFound(N_("There is no such registration."))
    return r


@aid.route("/r/<token>/help", methods=["GET", "POST"])
@public
def ask(token: str) -> ResponseReturnValue:
    """Let somebody ask, and show how their request stands."""
    r, now = _get_place(token), clock.now()
    asked = queries.find_of_place(r.id)
    if asked:
        return render_template(
            "aid/own.html",
            r=r,
            request=asked,
            due=due(r.order_id).due,
            go=queries.words_until(asked),
        )
    held, fund = get_held(r.order_id, now=now), queries.find_fund(r.event_id, r.order.currency)
    form, closed = AskForm(), services.why_not_ask(held, r, fund, asked=False, now=now)
    if closed or fund is None:
        return _show(r, form, closed=closed or rules.NO_FUND)
    place_id, currency = r.id, r.order.currency
    fine = form.validate_on_submit()
    amount = read_amount(form.amount, currency)
    if not fine or form.amount.errors:
        until = services.answer_by(held, r, fund, now)
        page = _show(r, form, answer_by=until, go=queries.kept_until(r.event, fund))
        return page, 422 if form.is_submitted() else 200
    with transaction():
        services.ask(place_id, form.words.data or "", asked_amount=amount, now=now)
    flash(_("The committee has it now, and your place is held."), "good")
    return redirect(url_for(".ask", token=token), 303)


def _show(
    r: Registration,
    form: AskForm,
    *,
    closed: Refusal | None = None,
    answer_by: datetime | None = None,
    go: datetime | None = None,
) -> str:
    return render_template(
        "aid/ask.html",
        r=r,
        form=form,
        closed=refusal_text(Refused(closed)) if closed else "",
        answers_first=closed is rules.ANSWERS_FIRST,
        answer_by=answer_by,
        go=go,
    )


@aid.post("/r/<token>/help/withdraw")
@public
def withdraw(token: str) -> ResponseReturnValue:
    """Take the request back."""
    place_id = _get_place(token).id
    try:
        with transaction():
            services.withdraw(place_id, now=clock.now())
    except Refused as e:
        flash(refusal_text(e), "warn")
        return redirect(url_for(".ask", token=token), 303)
    flash(_("It is taken back. Your place waits for its payment."), "good")
    return redirect(url_for(".ask", token=token), 303)


@aid.route("/o/<token>/help", methods=["GET", "POST"])
@public
def before_paying(token: str) -> ResponseReturnValue:
    """Lead a payer to their own page, or let them give the others time to write to us by their own links."""
    held, now = find_held(token, now=clock.now()), clock.now()
    if held is None or held.order.placed_at is None:
        raise NotFound(N_("There is no such order."))
    own = next((r for r in held.order.registrations if r.is_payer), None)
    if own and not services.others_of(held):
        return redirect(url_for(".ask", token=own.token), 303)
    closed = services.why_not_invite(held, now=now)
    if request.method == "GET" or closed:
        status = 409 if closed and request.method == "POST" else 200
        return _show_others(held, own, refusal_text(Refused(closed)) if closed else "", now), status
    order_id, actor = held.order.id, payer(held.order.payer_name)
    with transaction():
        services.invite(order_id, actor=actor, now=now)
    flash(_("Everybody gets a letter now, and the places are held."), "good")
    return redirect(url_for("registration.order", token=token), 303)


def _show_others(held: Held, own: Registration | None, closed: str, now: datetime) -> str:
    return render_template(
        "aid/others.html",
        held=held,
        own=own,
        others=services.others_of(held),
        until=services.held_for_others(held, now=now),
        closed=closed,
        zone=held.order.registrations[0].event.time_zone,
    )
