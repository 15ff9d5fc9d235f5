"""The applicant's doors: the form with its draft, and the page behind the secret link."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import MultiDict

from regsys.applications import queries, rules, services
from regsys.applications.forms import (
    ApplicantForm,
    AttestedForm,
    build_applicant,
    build_attested,
    typed_of,
)
from regsys.applications.models import Application, ApplicationDraft
from regsys.applications.services import Sheet
from regsys.events import rules as event_rules
from regsys.events.models import Event
from regsys.events.queries import last_call, places_of, sale_facts
from regsys.events.visiting import opened_events
from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, attendee
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import N_, whole_number
from regsys.members.badge import find_own_proof
from regsys.pathway import queries as pathway
from regsys.questions import queries as questions
from regsys.questions.forms import QuestionsForm, build
from regsys.registration import rules as registration_rules
from regsys.registration.forms import AboutForm, build_about
from regsys.registration.mail import when, where
from regsys.registration.queries import get_event_on_sale
from regsys.registration.services import ABOUT, Person
from regsys.web.errors import refusal_text
from regsys.web.guard import public
from regsys.web.security import count_and_limit

applications = Blueprint("applications", __name__)

# Event id → the token of the draft that this browser writes.
DRAFTS = "application_drafts"
ADDRESSES_AN_HOUR = 20
LETTERS_AN_HOUR = 30
SENT_AN_HOUR = 60
# What is asked of somebody with whom the leader talks.
TALK = ("phone", "profession", "workplace")


@dataclass(frozen=True)
class Forms:
    """The four parts of one form."""

    who: ApplicantForm
    about: AboutForm
    asked: QuestionsForm
    attested: AttestedForm

    def validate(self) -> bool:
        # Each of them, so that everything that is wrong is said at once.
        return sum(not form.validate() for form in self.all) == 0

    @property
    def all(self) -> list[Any]:
        return [self.who, self.about, self.attested, self.asked]


# ---- the form, and its draft


@applications.route("/events/<slug>/apply", methods=["GET", "POST"])
@public
def apply(slug: str) -> ResponseReturnValue:
    """Show the form, with what was typed before; keep it, or send it."""
    now = clock.now()
    event = _get_event(slug)
    places = places_of([event.id], now=now)[event.id]
    closed = event_rules.why_not_apply(sale_facts(event, places), now)
    if closed:
        status = 409 if request.method == "POST" else 200
        return render_template(
            "applications/closed.html", event=event, sentence=refusal_text(Refused(closed)), now=now
        ), status
    draft = _own_draft(event.id)
    forms = _forms(event, draft)
    if request.method == "GET":
        return _show(event, forms, draft, now)
    if "quiet" in request.form or request.form.get("do") == "save":
        return _save(event, forms, draft, now)
    if not forms.validate():
        return _show(event, forms, draft, now), 422
    return _send(event, forms, draft, now)


def _get_event(slug: str) -> Event:
    mine = [i for i in map(whole_number, _drafts()) if i]
    return get_event_on_sale(slug, opened=[*opened_events(clock.now()), *mine])


def _drafts() -> dict[str, str]:
    return dict(session.get(DRAFTS, {}))


def _own_draft(event_id: int) -> ApplicationDraft | None:
    token = _drafts().get(str(event_id))
    draft = queries.find_draft(token) if token else None
    return draft if draft and draft.event_id == event_id else None


def _forms(event: Event, draft: ApplicationDraft | None) -> Forms:
    """Return the form with what is sent now, or with what the draft has kept."""
    entries = questions.list_application_form(event.id, None)
    types = _types(event)
    typed: dict[str, Any] = {}
    if request.method == "GET":
        typed["formdata"] = MultiDict([(k, v) for k, v in draft.typed]) if draft else None
    only = {"ticket_type": types[0][0]} if len(types) == 1 else {}
    return Forms(
        build_applicant(types, data=only, **typed),
        _about(event, **typed),
        build(entries, **typed),
        build_attested(pathway.list_wants(event.id), **typed),
    )


def _about(event: Event, **options: Any) -> AboutForm:
    """Return what is asked about the person: a talk needs little beforehand, and a phone number."""
    required = registration_rules.required_of_person(event.kind)
    if not event.talk_first:
        return build_about(required, **options)
    # What the kind of event requires is asked in the short form too: without it nothing is sent.
    without = [f for f in ABOUT if f not in (*TALK, *required)]
    return build_about(required, without=without, **options)


def _types(event: Event) -> list[tuple[int, str]]:
    return [(t.id, t.name) for t in event.ticket_types if t.on_sale and t.prices]


def _show(
    event: Event,
    forms: Forms,
    draft: ApplicationDraft | None,
    now: datetime,
    *,
    refusal: str | None = None,
) -> str:
    return render_template(
        "applications/apply.html",
        event=event,
        forms=forms,
        about=forms.about,
        form=forms.asked,
        draft=draft,
        wants=pathway.list_wants(event.id),
        refusal=refusal,
        when=when(event),
        where=where(event),
        now=now,
    )


def _save(
    event: Event, forms: Forms, draft: ApplicationDraft | None, now: datetime
) -> ResponseReturnValue:
    """Keep what was typed; it needs an address, to which the link can go."""
    quiet = "quiet" in request.form
    forms.who.validate()
    if forms.who.email.errors:
        _only(forms.who, "email")
        return ("", 422) if quiet else (_show(event, forms, draft, now), 422)
    event_id, draft_id = event.id, draft.id if draft else None
    typed = typed_of(request.form, forms.asked.entries)
    email = forms.who.email.data or ""
    with transaction():
        if not draft_id or not quiet:
            _limit("application-draft", LETTERS_AN_HOUR, now)
        kept = services.save_draft(
            event_id, typed, email=email, draft_id=draft_id, by_hand=not quiet, now=now
        )
    session[DRAFTS] = {**_drafts(), str(event_id): kept.token}
    if quiet:
        return "", 204
    flash(_("It is kept. We have mailed you the link with which you go on, when you like."), "good")
    return redirect(url_for(".apply", slug=event.slug), 303)


def _only(form: ApplicantForm, name: str) -> None:
    """Forget what is wrong with the other fields: an unfinished form lacks many things."""
    for field in form:
        if field.name != name:
            field.errors = []


def _limit(what: str, limit: int, now: datetime) -> None:
    sentence = _("That was tried very often. Please wait an hour, or write to us.")
    key = f"{what}:{request.remote_addr}"
    count_and_limit(key, limit=limit, seconds=3600, now=now, sentence=sentence)


@applications.get("/a/draft/<token>")
@public
def resume(token: str) -> ResponseReturnValue:
    """Open a draft in this browser, by the link from the letter."""
    draft = queries.find_draft(token)
    if draft is None:
        raise NotFound(N_("There is no such draft here any more: it may have been sent already."))
    session[DRAFTS] = {**_drafts(), str(draft.event_id): token}
    return redirect(url_for(".apply", slug=draft.event.slug), 303)


def _send(
    event: Event, forms: Forms, draft: ApplicationDraft | None, now: datetime
) -> ResponseReturnValue:
    event_id, draft_id = event.id, draft.id if draft else None
    who = forms.who
    person = Person(who.first_name.data or "", who.last_name.data or "", who.email.data or "")
    sheet = _sheet(forms, person)

    def act() -> Refusal | None:
        return services.submit(event_id, sheet, draft_id=draft_id, actor=ANONYMOUS, now=now)

    try:
        refusal = _try(act, now)
    except Refused as e:
        return _show(event, forms, draft, now, refusal=refusal_text(e)), 409
    if refusal:
        who.email.errors = [refusal_text(Refused(refusal))]
        return _show(event, forms, draft, now), 409
    session[DRAFTS] = {k: v for k, v in _drafts().items() if k != str(event_id)}
    return redirect(url_for(".sent", slug=event.slug), 303)


def _sheet(forms: Forms, person: Person) -> Sheet:
    return Sheet(
        person,
        forms.who.ticket_type.data,
        forms.about.about,
        forms.asked.values,
        forms.asked.kept,
        proof=find_own_proof(clock.now()),
        attested=forms.attested.attested,
    )


def _try(verb: Callable[[], Refusal | None], now: datetime) -> Refusal | None:
    """Run the verb; two with one address at the same moment meet at the index, and the second try sees the first."""
    for again in (True, False):
        try:
            with transaction():
                # Each one writes to an address that nobody has shown to be theirs.
                _limit("application-sent", SENT_AN_HOUR, now)
                refusal = verb()
                if refusal:
                    _limit("application-address", ADDRESSES_AN_HOUR, now)
                return refusal
        except IntegrityError:
            if not again:
                raise
    return None


@applications.get("/events/<slug>/apply/sent")
@public
def sent(slug: str) -> ResponseReturnValue:
    """Say that the application is here; its page is behind the mailed link only."""
    return render_template("applications/sent.html", event=_get_event(slug), now=clock.now())


# ---- the applicant's own page


@applications.get("/a/<token>")
@public
def status(token: str) -> ResponseReturnValue:
    """Show an applicant where they stand, in one sentence."""
    return _status(_get(token), clock.now())


def _get(token: str) -> Application:
    found = queries.find_by_token(token)
    if found is None:
        raise NotFound(N_("There is no such application."))
    return found


def _status(a: Application, now: datetime, *, refusal: str | None = None) -> ResponseReturnValue:
    return render_template(
        "applications/status.html",
        a=a,
        event=a.event,
        stand=queries.stand_of(a, now=now),
        may_edit=_why_not_edit(a, now) is None,
        may_withdraw=rules.why_not_withdraw(a.state) is None,
        findings=pathway.findings_of(a.event_id, [a.email_key], now=now)[a.email_key],
        answers=questions.list_application_answers(a.id),
        when=when(a.event),
        where=where(a.event),
        refusal=refusal,
        now=now,
    ), 409 if refusal else 200


def _why_not_edit(a: Application, now: datetime) -> Refusal | None:
    return rules.why_not_edit(
        a.state,
        asked=bool(a.asked),
        closes_at=a.event.closes_at,
        starts_at=last_call(a.event),
        now=now,
    )


@applications.route("/a/<token>/edit", methods=["GET", "POST"])
@public
def edit(token: str) -> ResponseReturnValue:
    """Change what was sent."""
    now = clock.now()
    a = _get(token)
    if _why_not_edit(a, now):
        return redirect(url_for(".status", token=token), 303)
    event = get_event_on_sale(a.event.slug, opened=[a.event_id])
    forms = _edit_forms(a, event)
    if request.method == "GET":
        return _show_edit(a, forms)
    if not forms.validate():
        return _show_edit(a, forms), 422
    who = forms.who
    sheet = _sheet(forms, Person(who.first_name.data or "", who.last_name.data or "", a.email))
    a_id, actor = a.id, attendee(a.name)
    try:
        with transaction():
            reopened = services.edit(a_id, sheet, actor=actor, now=now)
    except Refused as e:
        return _status(_get(token), now, refusal=refusal_text(e))
    flash(
        _("It is changed. The review begins again with what you wrote.")
        if reopened
        else _("It is changed, and the reviewers see what you wrote."),
        "good",
    )
    return redirect(url_for(".status", token=token), 303)


def _edit_forms(a: Application, event: Event) -> Forms:
    known = {k: getattr(a, k) for k in ("first_name", "last_name")}
    types = _types(event)
    if a.ticket_type_id not in dict(types):
        types.append((a.ticket_type_id, a.ticket_type.name))
    return Forms(
        build_applicant(types, known=True, data={**known, "ticket_type": a.ticket_type_id}),
        _about(event, data={k: getattr(a, k) for k in ABOUT}),
        build(questions.list_application_form(a.event_id, a.id)),
        build_attested(
            pathway.list_wants(a.event_id),
            data={f"attest_{need}": said for need, said in (a.attested or {}).items()},
        ),
    )


def _show_edit(a: Application, forms: Forms) -> str:
    return render_template(
        "applications/edit.html",
        a=a,
        event=a.event,
        forms=forms,
        about=forms.about,
        form=forms.asked,
    )


@applications.route("/a/<token>/withdraw", methods=["GET", "POST"])
@public
def withdraw(token: str) -> ResponseReturnValue:
    """Ask once more, then withdraw the application."""
    now = clock.now()
    a = _get(token)
    if rules.why_not_withdraw(a.state):
        return redirect(url_for(".status", token=token), 303)
    if request.method == "GET":
        return render_template("applications/withdraw.html", a=a, event=a.event)
    a_id, actor = a.id, attendee(a.name)
    try:
        with transaction():
            services.withdraw(a_id, actor=actor, now=now)
    except Refused as e:
        return _status(_get(token), now, refusal=refusal_text(e))
    flash(_("Your application is withdrawn. Thank you for telling us."), "good")
    return redirect(url_for(".status", token=token), 303)
