"""The doors of those who decide: the list, one application, the decision with its letters, and the event's terms."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.applications import mail, queries, rules, services
from regsys.applications.forms import (
    AttestForm,
    DecisionForm,
    ReviewForm,
    TermsForm,
    WithdrawForm,
)
from regsys.applications.models import Application
from regsys.applications.queries import Filter
from regsys.applications.rules import Decision
from regsys.applications.states import WAITING, ApplicationState
from regsys.audit.queries import list_for
from regsys.events.models import Event
from regsys.events.queries import get_event, places_of
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import IllegalMove, Refused
from regsys.kernel.text import which_page, whole_number
from regsys.pathway import queries as pathway
from regsys.pathway import services as pathways
from regsys.questions import queries as questions
from regsys.registration.queries import list_offers
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page

organizer = Blueprint("applications_organizer", __name__)
BASE = "/organize/events/<int:event_id>/applications"
ONE = f"{BASE}/<int:application_id>"
MOST_AT_ONCE = 60
# Accepting without a place is offered where there is none.
OFFERED = (Decision.ACCEPT, Decision.DECLINE, Decision.ASK)
SHOWN = {
    "waiting": WAITING,
    **{state.value: frozenset({state}) for state in ApplicationState},
    "all": frozenset(),
}


@organizer.get("/organize/applications")
@requires("reviewer", "registrar")
def desks() -> ResponseReturnValue:
    """List the events to which people applied, with how many wait for a decision."""
    found = queries.list_desks(current_actor().scope("reviewer", "registrar"))
    return render_template("applications/desks.html", desks=found)


@organizer.get(BASE)
@requires("reviewer", "registrar")
def listed(event_id: int) -> ResponseReturnValue:
    """List the applications of an event, narrowed as asked."""
    return _list(event_id)


def _list(event_id: int, *, refusal: str | None = None) -> ResponseReturnValue:
    now, event = clock.now(), get_event(event_id)
    show = request.args.get("show", "waiting")
    show = show if show in SHOWN else "waiting"
    number = which_page(request.args.get("page", ""))
    wanted = Filter(
        SHOWN[show],
        whole_number(request.args.get("type", "")),
        request.args.get("q", "").strip()[:100],
        number,
    )
    rows, total = queries.list_rows(event_id, wanted, now=now)
    return render_template(
        "applications/list.html",
        event=event,
        show=show,
        wanted=wanted,
        page=Page(rows, number, queries.MOST, total),
        counts=queries.count_by_state(event_id),
        findings=pathway.findings_of(event_id, [r.application.email_key for r in rows], now=now),
        places=places_of([event_id], now=now)[event_id],
        reads=rules.may_read_reviews(current_actor(), event_id),
        decisions=OFFERED,
        refusal=refusal,
    ), 409 if refusal else 200


@organizer.get(ONE)
@requires("reviewer", "registrar")
def one(event_id: int, application_id: int) -> ResponseReturnValue:
    """Show one application: what was written, what is wanted, what happened."""
    return _one(event_id, application_id)


def _one(
    event_id: int,
    application_id: int,
    *,
    form: ReviewForm | None = None,
    refusal: str | None = None,
) -> ResponseReturnValue:
    now, actor = clock.now(), current_actor()
    a = queries.get_application(application_id, event_id=event_id)
    reads = rules.may_read_reviews(actor, event_id)
    reviews = queries.list_reviews(a.id) if reads else []
    mine = next((r for r in reviews if r.user_id == actor.id), None)
    if reads and form is None:
        known = {"score": str(mine.score or ""), "note": mine.note} if mine else {}
        form = ReviewForm(formdata=None, data={**known, "seen": a.version})
    audiences = rules.REVIEWERS
    status = 409 if refusal else 422 if form and form.errors else 200
    return render_template(
        "applications/one.html",
        a=a,
        event=a.event,
        stand=queries.stand_of(a, now=now),
        answers=questions.list_readable_application_answers(a.id, audiences, sensitive=False),
        findings=pathway.findings_of(event_id, [a.email_key], now=now)[a.email_key],
        credits=pathway.list_credits([a.email_key]),
        reviews=reviews,
        reads=reads,
        form=form,
        history=list_for("application", a.id),
        decisions=OFFERED if a.state in WAITING else [],
        may_hold=rules.why_not_hold_again(a.state, a.registration.state if a.registration else None)
        is None,
        refusal=refusal,
        now=now,
    ), status


def _done(
    event_id: int, application_id: int, act: Callable[[datetime], str]
) -> ResponseReturnValue:
    """Run a verb and go back to the application; where it is refused its page says why."""
    try:
        with transaction():
            said = act(clock.now())
    except Refused as e:
        return _one(event_id, application_id, refusal=refusal_text(e))
    flash(said, "good")
    return redirect(url_for(".one", event_id=event_id, application_id=application_id), 303)


@organizer.post(f"{ONE}/start")
@requires("reviewer", "registrar")
def start(event_id: int, application_id: int) -> ResponseReturnValue:
    """Take an application up."""

    def act(now: datetime) -> str:
        services.start_review(application_id, event_id=event_id, actor=current_actor(), now=now)
        return _("It is under review now; the applicant’s page says so.")

    return _done(event_id, application_id, act)


@organizer.post(f"{ONE}/review")
@requires("reviewer")
def review(event_id: int, application_id: int) -> ResponseReturnValue:
    """Keep what this reviewer thinks."""
    form = ReviewForm()
    if not form.validate():
        return _one(event_id, application_id, form=form)
    actor = current_actor()
    score = int(form.score.data) if form.score.data else None
    note, seen = form.note.data or "", form.seen.data or 1

    def act(now: datetime) -> str:
        services.write_review(
            application_id,
            event_id=event_id,
            user_id=actor.id or 0,
            score=score,
            note=note,
            seen=seen,
            actor=actor,
            now=now,
        )
        return _("Your note is kept; only reviewers of this event read it.")

    return _done(event_id, application_id, act)


@organizer.post(f"{ONE}/hold")
@requires("reviewer", "registrar")
def hold(event_id: int, application_id: int) -> ResponseReturnValue:
    """Hold a place once more for somebody whose place was let go."""

    def act(now: datetime) -> str:
        services.hold_again(application_id, event_id=event_id, actor=current_actor(), now=now)
        return _("A place is held again, and the letter is on its way.")

    return _done(event_id, application_id, act)


@organizer.route(f"{ONE}/withdraw", methods=["GET", "POST"])
@requires("reviewer", "registrar")
def withdraw_for(event_id: int, application_id: int) -> ResponseReturnValue:
    """Withdraw an application for somebody who has asked for it."""
    a, form = queries.get_application(application_id, event_id=event_id), WithdrawForm()
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        return render_template(
            "applications/withdraw_for.html", a=a, event=a.event, form=form
        ), status
    reason, actor = form.reason.data or "", current_actor()

    def act(now: datetime) -> str:
        services.withdraw_for(
            application_id, event_id=event_id, reason=reason, actor=actor, now=now
        )
        return _("The application is withdrawn, and the letter is on its way.")

    return _done(event_id, application_id, act)


# ---- the decision


@organizer.route(f"{BASE}/decide", methods=["GET", "POST"])
@requires("reviewer", "registrar")
def decide(event_id: int) -> ResponseReturnValue:
    """Show the letters that a decision writes; then decide."""
    decision = _decision(request.values.get("decision", ""))
    event = get_event(event_id)
    chosen = queries.list_chosen(event_id, _ids()[:MOST_AT_ONCE])
    if decision is None or not chosen:
        return _list(event_id, refusal=_("Choose at least one application, and what to decide."))
    form = DecisionForm.of(decision)
    if request.method == "POST" and form.validate() and request.form.get("do") == "send":
        return _decide(event, chosen, decision, form)
    return _preview(event, chosen, decision, form), 422 if form.errors else 200


def _decision(text: str) -> Decision | None:
    return next((d for d in Decision if d.value == text), None)


def _ids() -> list[int]:
    read = [whole_number(text) for text in request.values.getlist("id")]
    return [number for number in read if number is not None]


def _decide(
    event: Event, chosen: list[Application], decision: Decision, form: DecisionForm
) -> ResponseReturnValue:
    seen = {a.id: whole_number(request.form.get(f"seen_{a.id}", "")) or 0 for a in chosen}
    event_id, words = event.id, form.words.data or ""
    try:
        with transaction():
            services.decide(
                event_id, seen, decision, words=words, actor=current_actor(), now=clock.now()
            )
    except Refused as e:
        fresh = queries.list_chosen(event_id, seen)
        return _preview(get_event(event_id), fresh, decision, form, refusal=refusal_text(e)), 409
    flash(
        ngettext(
            "Decided, and the letter is on its way.",
            "Decided, and %(num)d letters are on their way.",
            len(seen),
        ),
        "good",
    )
    return redirect(url_for(".listed", event_id=event_id), 303)


def _preview(
    event: Event,
    chosen: list[Application],
    decision: Decision,
    form: DecisionForm,
    *,
    refusal: str | None = None,
) -> str:
    now, words = clock.now(), form.words.data or ""
    places = places_of([event.id], now=now)[event.id]
    prices = {o.ticket_type.id: o.price for o in list_offers(event, places, now=now)}
    letters = [
        (a, mail.preview(a, decision, words, price=prices.get(a.ticket_type_id), now=now))
        for a in chosen
    ]
    return render_template(
        "applications/decide.html",
        event=event,
        decision=decision,
        form=form,
        letters=letters,
        places=places,
        short=rules.is_short(decision, len(chosen), left=places.left),
        refusal=refusal,
    )


# ---- past credit


@organizer.route(f"{ONE}/attest", methods=["GET", "POST"])
@requires("reviewer", "registrar")
def attest(event_id: int, application_id: int) -> ResponseReturnValue:
    """Write down what somebody knows of an applicant's past."""
    a = queries.get_application(application_id, event_id=event_id)
    form = AttestForm()
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        return render_template("applications/attest.html", a=a, event=a.event, form=form), status
    key, facts = a.email_key, form.facts

    def act(now: datetime) -> str:
        pathways.attest(key, event_id=event_id, actor=current_actor(), now=now, **facts)
        return _("It is written down, with your name and this day.")

    return _done(event_id, application_id, act)


@organizer.post(f"{ONE}/credit/<int:credit_id>/withdraw")
@requires("reviewer", "registrar")
def withdraw_credit(event_id: int, application_id: int, credit_id: int) -> ResponseReturnValue:
    """Take back what was attested."""
    key = queries.get_application(application_id, event_id=event_id).email_key

    def act(now: datetime) -> str:
        pathways.withdraw_credit(
            credit_id, email_key=key, event_id=event_id, actor=current_actor(), now=now
        )
        return _("It is taken back, and counts no longer.")

    return _done(event_id, application_id, act)


# ---- the terms


@organizer.route(f"{BASE}/terms", methods=["GET", "POST"])
@requires("registrar")
def terms(event_id: int) -> ResponseReturnValue:
    """Change how an event takes applications, and what it wants of people."""
    event = get_event(event_id)
    known = pathway.list_wants(event_id)
    required = any(w.required for w in known)
    form = TermsForm.of(event, {w.need: w.count for w in known}, required=required)

    def shown(**trouble: Any) -> str:
        return render_template("applications/terms.html", event=event, form=form, **trouble)

    if not form.is_submitted():
        return shown()
    if not form.validate():
        return shown(), 422
    (facts, remarks), wants, version = form.terms(event), form.wants, form.version.data
    actor, now = current_actor(), clock.now()
    try:
        with transaction():
            services.set_terms(
                event_id,
                facts,
                wants,
                required=bool(form.required.data),
                version=version,
                actor=actor,
                now=now,
            )
    except Refused as e:
        return shown(problem=refusal_text(e)), 409
    except IllegalMove:
        form.renew(get_event(event_id).version)
        return shown(stale=None), 409
    for sentence, tone in [(_("Saved."), "good"), *((r, "warn") for r in remarks)]:
        flash(sentence, tone)
    return redirect(url_for(".terms", event_id=event_id), 303)
