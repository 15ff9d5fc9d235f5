"""The leader's doors: who would like to join, and the word after the talk."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.applications import mail, queries, rules, services
from regsys.applications.forms import DecisionForm
from regsys.applications.models import Application
from regsys.applications.rules import Decision
from regsys.applications.states import WAITING, ApplicationState
from regsys.events.queries import get_event, places_of
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_, whole_number
from regsys.questions import queries as questions
from regsys.registration.queries import list_offers
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires

leader = Blueprint("applications_leader", __name__)
BASE = "/lead/<int:event_id>/asked"
MOST = 100
OFFERED = (Decision.ACCEPT, Decision.DECLINE)
DECIDED = frozenset(ApplicationState) - WAITING


@leader.get(BASE)
@requires("leader")
def listed(event_id: int) -> ResponseReturnValue:
    """List who would like to join a group whose leader talks with everybody first."""
    event = get_event(event_id)
    if not event.talk_first:
        raise NotFound(N_("Nobody has to ask the leader here."))
    now = clock.now()
    waiting, decided = (
        queries.list_rows(event_id, queries.Filter(states), now=now, size=MOST)[0]
        for states in (WAITING, DECIDED)
    )
    return render_template(
        "applications/leader_list.html",
        event=event,
        waiting=waiting,
        others=decided,
        places=places_of([event_id], now=now)[event_id],
    )


@leader.route(f"{BASE}/<int:application_id>", methods=["GET", "POST"])
@requires("leader")
def one(event_id: int, application_id: int) -> ResponseReturnValue:
    """Show one person, with both letters; accept or decline after the talk."""
    a = _get(event_id, application_id)
    decision = next((d for d in OFFERED if d.value == request.form.get("decision")), None)
    form = DecisionForm.of(decision or Decision.ACCEPT)
    if decision is None or not form.validate_on_submit() or request.form.get("do") == "look":
        return _show(a, form)
    seen = {a.id: whole_number(request.form.get("seen", "")) or 0}
    words = form.words.data or ""
    try:
        with transaction():
            services.decide(
                event_id, seen, decision, words=words, actor=current_actor(), now=clock.now()
            )
    except Refused as e:
        return _show(_get(event_id, application_id), form, refusal=refusal_text(e))
    flash(_("Decided, and the letter is on its way."), "good")
    return redirect(url_for(".listed", event_id=event_id), 303)


def _get(event_id: int, application_id: int) -> Application:
    a = queries.get_application(application_id, event_id=event_id)
    if not a.event.talk_first:
        raise NotFound(N_("Nobody has to ask the leader here."))
    return a


def _show(a: Application, form: DecisionForm, *, refusal: str | None = None) -> ResponseReturnValue:
    now, words = clock.now(), form.words.data or ""
    places = places_of([a.event_id], now=now)[a.event_id]
    offers = list_offers(get_event(a.event_id), places, now=now)
    price = next((o.price for o in offers if o.ticket_type.id == a.ticket_type_id), None)
    letters = {d: mail.preview(a, d, words, price=price, now=now) for d in OFFERED}
    status = 409 if refusal else 422 if form.errors else 200
    return render_template(
        "applications/leader_one.html",
        a=a,
        event=a.event,
        stand=queries.stand_of(a, now=now),
        answers=questions.list_readable_application_answers(a.id, rules.LEADERS, sensitive=False),
        form=form,
        letters=letters if a.state in WAITING else {},
        places=places,
        refusal=refusal,
    ), status
