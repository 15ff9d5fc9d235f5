"""Handing a place to a colleague: the page of whoever gives it, and the form of whoever takes it."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, Actor, payer
from regsys.kernel.actors import attendee as attendee_actor
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_, whole_number
from regsys.policies.rules import Allowed, Terms, read
from regsys.registration import handed, queries, rules, services
from regsys.registration.forms import OwnForm, build_about
from regsys.registration.models import HandOver, Registration
from regsys.registration.public.base import blueprint, words
from regsys.registration.services import Person
from regsys.registration.states import HandOverState
from regsys.web.errors import refusal_text
from regsys.web.guard import public
from regsys.web.security import count_and_limit
from regsys.web.urls import absolute

ADDRESSES_AN_HOUR = 12


@blueprint.route("/r/<token>/hand-over", methods=["GET", "POST"])
@public
def hand_over(token: str) -> ResponseReturnValue:
    """Let a person hand their own place on."""
    r = queries.find_registration_by_token(token)
    if r is None or r.order.placed_at is None:
        raise NotFound(N_("There is no such registration."))
    return _hand(r, attendee_actor(r.name), url_for(".attendee", token=token))


@blueprint.route("/o/<token>/hand-over", methods=["GET", "POST"])
@public
def order_hand_over(token: str) -> ResponseReturnValue:
    """Let a payer hand the place of somebody in their order on."""
    order = queries.find_order_by_token(token)
    if order is None or order.placed_at is None:
        raise NotFound(N_("There is no such order."))
    who = whole_number(request.values.get("who", ""))
    r = next((r for r in order.registrations if r.id == who), None)
    if r is None:
        raise NotFound(N_("There is no such registration."))
    return _hand(r, payer(order.payer_name), url_for(".order", token=token))


def _hand(r: Registration, actor: Actor, back: str) -> ResponseReturnValue:
    now = clock.now()
    if request.method == "GET":
        return _show_hand(r, back, now)
    order_id, r_id, do, here = r.order_id, r.id, request.form.get("do"), _here(r)
    act = services.withdraw_hand_over if do == "withdraw" else services.offer_hand_over
    try:
        with transaction():
            act(order_id, r_id, actor=actor, now=now)
    except Refused as e:
        flash(refusal_text(e), "warn")
    return redirect(here, 303)


def _here(r: Registration) -> str:
    return url_for(request.endpoint or "", **(request.view_args or {}), who=r.id)


def _show_hand(r: Registration, back: str, now: datetime) -> str:
    row = handed.find_open_hand_over(r.id)
    terms = read(r.policy.body) if r.policy else Terms()
    refusal = None if row else services.why_not_hand(r, now=now)
    return render_template(
        "registration/hand_over.html",
        r=r,
        row=row,
        link=absolute("registration.take_over", token=row.token) if row else "",
        approval=terms.substitute.allowed is Allowed.APPROVAL,
        fee=terms.substitute.fee,
        problem=words(refusal) if refusal else None,
        here_url=_here(r),
        back=back,
    )


@blueprint.route("/h/<token>", methods=["GET", "POST"])
@public
def take_over(token: str) -> ResponseReturnValue:
    """Ask the colleague who they are; nothing that the first person answered is here."""
    now = clock.now()
    row = handed.find_hand_over(token)
    if row is None:
        raise NotFound(N_("There is no such link."))
    form = OwnForm()
    about = build_about(rules.required_of_person(row.registration.event.kind))
    if request.method == "GET" or row.state is not HandOverState.OPEN:
        return _show_take(row, form, about, now)
    if not form.validate() & about.validate():
        return _show_take(row, form, about, now), 422
    row_id, told = row.id, about.about
    who = Person(form.first_name.data or "", form.last_name.data or "", form.email.data or "")
    try:
        with transaction():
            taken = services.fill_hand_over(row_id, who, about=told, actor=ANONYMOUS, now=now)
            if taken:
                _limit(row_id, now)
    except Refused as e:
        return _again(token, form, about, refusal_text(e))
    except IntegrityError:  # the address was taken in the same moment
        return _again(token, form, about, _(rules.EMAIL_TAKEN.sentence))
    if taken:
        return _again(token, form, about, words(taken))
    return redirect(url_for(".take_over", token=token), 303)


def _limit(row_id: int, now: datetime) -> None:
    """Let one link ask about a few addresses in an hour, and not about a list of them."""
    sentence = _("That was tried several times in this hour. Please wait a little.")
    count_and_limit(
        f"hand-over:{row_id}", limit=ADDRESSES_AN_HOUR, seconds=3600, now=now, sentence=sentence
    )


def _again(token: str, form: OwnForm, about: object, problem: str) -> ResponseReturnValue:
    row = handed.find_hand_over(token)
    if row is None:
        raise NotFound(N_("There is no such link."))
    return _show_take(row, form, about, clock.now(), problem=problem), 409


def _show_take(
    row: HandOver, form: OwnForm, about: object, now: datetime, *, problem: str | None = None
) -> str:
    refusal = services.why_not_hand(row.registration, now=now)
    closed = words(refusal) if refusal and row.state is HandOverState.OPEN else None
    return render_template(
        "registration/take_over.html",
        row=row,
        form=form,
        about=about,
        problem=problem,
        closed=closed,
    )
