"""Steps 2 and 3: who pays, who comes, and what the payer answers for themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.questions import queries as questions
from regsys.questions.forms import QuestionsForm, build
from regsys.questions.queries import Entry
from regsys.registration import rules, services
from regsys.registration.forms import (
    AboutForm,
    Choice,
    PayerForm,
    PersonForm,
    build_about,
    build_payer,
)
from regsys.registration.models import Registration
from regsys.registration.public.base import (
    blueprint,
    find_cart,
    find_token,
    frame,
    mail_link,
    next_url,
    place_of,
    words,
)
from regsys.registration.queries import Held
from regsys.registration.services import Person
from regsys.web.guard import public
from regsys.web.security import count_and_limit

ADDRESSES_AN_HOUR = 12


@dataclass(frozen=True)
class Screen:
    """A page that is rendered when the transaction is over."""

    template: str
    shown: dict[str, Any]
    status: int


Answer = Screen | Response
# A screen of a cart; the last argument: look whether an address has a place already.
Ask = Callable[[Held, datetime, bool], Answer]


@blueprint.route("/cart/people/<int:n>", methods=["GET", "POST"])
@public
def person(n: int) -> ResponseReturnValue:
    """Ask who pays (0), or who comes on one place."""
    return _under_lock(lambda held, now, look: _person(held, n, now, look=look))


def _person(held: Held, n: int, now: datetime, *, look: bool) -> Answer:
    if n == 0:
        return _payer(held, now, look=look)
    if place_of(held, n).is_payer:
        return redirect(url_for(".person", n=0), 303)
    return _guest(held, n, now, look=look)


# ---- the payer


def _payer(held: Held, now: datetime, *, look: bool) -> Answer:
    order = held.order
    data = {k: getattr(order, k) for k in ("first_name", "last_name", "email", "phone")}
    form = build_payer(_choices(held), data=data)
    if aside := _aside(held, now):
        return _ask_payer(aside, form, now)
    if not form.validate_on_submit():
        return _ask_payer(held, form, now)
    who = Person(form.first_name.data, form.last_name.data, form.email.data)
    phone = form.phone.data or ""
    refusal = services.describe_payer(held, who, phone=phone, mine=form.mine, now=now, look=look)
    if refusal:
        _limit(refusal, now)
        form.email.errors = [words(refusal)]
        return _ask_payer(held, form, now, status=409)
    return redirect(next_url(held), 303)


def _ask_payer(held: Held, form: PayerForm, now: datetime, *, status: int = 0) -> Answer:
    if not held.holding:
        return redirect(url_for(".cart"), 303)
    mine = [f for f in form if f.name.startswith("mine_")]
    shown = {"form": form, "mine": mine, **frame(held, now, 2)}
    return Screen("registration/payer.html", shown, status or _status(form))


def _choices(held: Held) -> list[Choice]:
    """Ask, for each event in the cart, which place is the payer's own."""
    events = {r.event_id: r.event for r in held.people}
    several = len(events) > 1
    return [
        (
            event.id,
            _("Are you coming yourself to %(title)s?", title=event.title)
            if several
            else _("Are you coming yourself?"),
            *_own_places(held, event.id),
        )
        for event in events.values()
    ]


def _own_places(held: Held, event_id: int) -> tuple[Sequence[tuple[int, str]], str | None]:
    """Return the places of an event that may be the payer's own, and which is chosen before anything is said."""
    here = [r for r in held.people if r.event_id == event_id]
    free = {r.ticket_type_id: r.ticket_type for r in here if r.is_payer or not r.email}
    types = [
        (t.id, _("Yes") if len(free) == 1 else _("Yes, on this place: %(name)s", name=t.name))
        for t in free.values()
    ]
    mine = [str(r.ticket_type_id) for r in here if r.is_payer]
    if mine or held.order.email:
        return types, mine[0] if mine else "no"
    return types, str(types[0][0]) if types and len(here) == 1 else None


# ---- somebody else


def _guest(held: Held, n: int, now: datetime, *, look: bool) -> Answer:
    r = place_of(held, n)
    form = PersonForm(data={k: getattr(r, k) for k in ("first_name", "last_name", "email")})
    if aside := _aside(held, now):
        return _ask_guest(aside, n, form, now)
    if not form.validate_on_submit():
        return _ask_guest(held, n, form, now)
    who = Person(form.first_name.data, form.last_name.data, form.email.data)
    refusal = services.describe_person(held, r.id, who, now=now, look=look)
    if refusal:
        _limit(refusal, now)
        form.email.errors = [words(refusal)]
        return _ask_guest(held, n, form, now, status=409)
    return redirect(next_url(held), 303)


def _ask_guest(held: Held, n: int, form: PersonForm, now: datetime, *, status: int = 0) -> Answer:
    if not held.holding:
        return redirect(url_for(".cart"), 303)
    others = [i for i, r in enumerate(held.people, start=1) if not r.is_payer]
    at = others.index(n)
    shown = {
        "form": form,
        "place": place_of(held, n),
        "at": at + 1,
        "count": len(others),
        "before": others[at - 1] if at else 0,
        **frame(held, now, 2),
    }
    return Screen("registration/person.html", shown, status or _status(form))


# ---- the payer's own answers


@blueprint.route("/cart/answers/<int:n>", methods=["GET", "POST"])
@public
def answers(n: int) -> ResponseReturnValue:
    """Ask the payer everything that is asked of an attendee; the others are asked by their own link."""
    return _under_lock(lambda held, now, _look: _answers(held, n, now))


def _answers(held: Held, n: int, now: datetime) -> Answer:
    r = place_of(held, n)
    if not r.is_payer:
        return redirect(url_for(".go_on"), 303)
    required = rules.required_of_person(r.event.kind)
    about = build_about(required, without=["phone"], data=_known(held, r))
    asked = questions.list_form(r.event_id, r.id)
    form = build(asked)
    if aside := _aside(held, now):
        _keep(aside, r, asked, now)
        return _ask_answers(aside, n, about, form, now)
    if request.method == "GET":
        return _ask_answers(held, n, about, form, now)
    if not about.validate() & form.validate():
        _keep(held, r, asked, now)
        return _ask_answers(held, n, about, form, now)
    services.answer(
        held,
        r.id,
        about=about.about,
        values=form.values,
        kept=form.kept,
        actor=ANONYMOUS,
        now=now,
        form=asked,
    )
    return redirect(next_url(held), 303)


def _keep(held: Held, r: Registration, asked: Sequence[Entry], now: datetime) -> None:
    """Keep what is fine of what was sent; read again, so that the form that is shown says nothing about it."""
    about = build_about(frozenset(), without=["phone"])
    about.validate()
    fine = {f.name: f.data or "" for f in about if not f.errors and f.name in services.ABOUT}
    form = build(asked)
    form.validate()
    values = {k: v for k, v in form.values.items() if not form[f"q_{k}"].errors}
    services.keep_answers(held, r.id, about=fine, values=values, form=asked, now=now)


def _ask_answers(
    held: Held, n: int, about: AboutForm, form: QuestionsForm, now: datetime
) -> Answer:
    if not held.holding:
        return redirect(url_for(".cart"), 303)
    shown = {"about": about, "form": form, "r": place_of(held, n), **frame(held, now, 3)}
    return Screen("registration/answers.html", shown, _status(about, form))


def _known(held: Held, r: Registration) -> dict[str, str]:
    """Return what is known of the payer: at a second event nothing is asked twice."""
    mine = [o for o in held.people if o.is_payer]
    return {
        key: getattr(r, key) or next((v for o in mine if (v := getattr(o, key))), "")
        for key in services.ABOUT
    }


# ---- what these screens share


def _under_lock(ask: Ask) -> ResponseReturnValue:
    """Show a screen of this browser's cart; what is sent from it is read and stored under the cart's lock.

    Whether an address has a place already, the unique index knows: the first try does not look, and where the index
    refuses it, the second one does.
    """
    now = clock.now()
    if request.method != "POST":
        answer = _of_cart(ask, find_cart(now), now, look=False)
    else:
        try:
            answer = _locked(ask, now, look=False)
        except IntegrityError:
            answer = _locked(ask, now, look=True)
    if isinstance(answer, Screen):
        return render_template(answer.template, **answer.shown), answer.status
    return answer


def _locked(ask: Ask, now: datetime, *, look: bool) -> Answer:
    with transaction():
        return _of_cart(ask, _lock_cart(now), now, look=look)


def _lock_cart(now: datetime) -> Held | None:
    token = find_token()
    try:
        return services.lock_order(token, now=now) if token else None
    except NotFound:
        return None


def _of_cart(ask: Ask, held: Held | None, now: datetime, *, look: bool) -> Answer:
    if held is None or held.order.placed_at or not held.people:
        return redirect(url_for(".cart"), 303)
    return ask(held, now, look)


def _status(*forms: Any) -> int:
    return 422 if any(form.errors for form in forms) else 200


def _aside(held: Held, now: datetime) -> Held | None:
    """Do what a second button of the form asks for; the form is shown again with everything that was typed."""
    if "later" in request.form and held.holding and held.order.email:
        flash(mail_link(held, now), "good")
        return held
    return _more_time(held, now) if "extend" in request.form else None


def _more_time(held: Held, now: datetime) -> Held:
    """Make the hold longer, and go on with the same form: nothing that was typed is lost."""
    try:
        services.extend_hold(held, now=now)
    except Refused as e:
        flash(words(e.refusal), "warn")
        return held
    flash(_("You have 15 more minutes."), "good")
    return services.lock_order(held.order.id, now=now)


def _limit(refusal: Refusal, now: datetime) -> None:
    if refusal is rules.EMAIL_TAKEN:
        count_and_limit(
            f"address:{request.remote_addr}",
            limit=ADDRESSES_AN_HOUR,
            seconds=3600,
            now=now,
            sentence=_("Too many addresses were tried. Please wait an hour, or write to us."),
        )
