"""One person's own page, behind its secret link: answers, calendar, the link to the meeting."""

from datetime import datetime

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import queries as events
from regsys.kernel import clock
from regsys.kernel.actors import attendee as attendee_actor
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.questions import queries as questions
from regsys.questions.forms import QuestionsForm, build
from regsys.registration import ics, mail, queries, rules, services
from regsys.registration.chosen import list_choices
from regsys.registration.forms import AboutForm, build_about
from regsys.registration.models import Registration
from regsys.registration.moved import may_ask_to_move
from regsys.registration.public.base import blueprint
from regsys.registration.states import RegistrationState as S
from regsys.web.guard import public
from regsys.web.security import count_and_limit

LETTERS_AN_HOUR = 3


@blueprint.route("/r/<token>", methods=["GET", "POST"])
@public
def attendee(token: str) -> ResponseReturnValue:
    """Show a person their place and their answers, and take the answers that are open."""
    now = clock.now()
    r = _get(token)
    about, form = _forms(r)
    if request.method == "POST" and about.validate() & form.validate():
        order_id, place_id, actor = r.order_id, r.id, attendee_actor(r.name)
        values, kept = form.values, form.kept
        with transaction():
            services.answer(
                order_id,
                place_id,
                about=about.about,
                values=values,
                kept=kept,
                actor=actor,
                now=now,
            )
        flash(_("Your answers are saved. Thank you."), "good")
        return redirect(url_for(".attendee", token=token), 303)
    return _show(r, about, form, now), 422 if request.method == "POST" else 200


def _get(token: str) -> Registration:
    r = queries.find_registration_by_token(token)
    if r is None or r.order.placed_at is None:
        raise NotFound(N_("There is no such registration."))
    return r


def _forms(r: Registration) -> tuple[AboutForm, QuestionsForm]:
    about = build_about(
        rules.required_of_person(r.event.kind), data={k: getattr(r, k) for k in services.ABOUT}
    )
    return about, build(questions.list_form(r.event_id, r.id))


def _show(r: Registration, about: AboutForm, form: QuestionsForm, now: datetime) -> str:
    return render_template(
        "registration/attendee.html",
        r=r,
        event=r.event,
        about=about,
        form=form,
        may_answer=rules.may_answer(r.state, ends_at=r.event.ends_at, now=now),
        may_move=may_ask_to_move(r),
        costs=queries.costs_of([r.id]) if r.is_payer else {},
        may_choose=services.may_choose(r, now=now),
        open=r.answered_at is None,
        edit=r.answered_at is None or request.method == "POST" or "edit" in request.args,
        answers=questions.list_answers([r.id])[r.id],
        chosen=list_choices([r.id]).get(r.id, []),
        holding=bool(queries.list_ends([r.id], now=now)),
        places=events.places_of([r.event_id], now=now)[r.event_id],
        when=mail.when(r.event),
        where=mail.where(r.event),
        now=now,
    )


@blueprint.get("/r/<token>/calendar.ics")
@public
def calendar(token: str) -> ResponseReturnValue:
    """Give the calendar entry of a confirmed place."""
    r = _get(token)
    if r.state is not S.CONFIRMED:
        raise NotFound(N_("There is no such registration."))
    text = ics.write(
        r,
        method="PUBLISH",
        location=mail.location(r.event),
        description=_("Your number: %(code)s", code=r.code),
        now=clock.now(),
    )
    response = Response(text, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{r.event.slug}.ics"'
    return response


@blueprint.post("/r/<token>/resend")
@public
def resend(token: str) -> ResponseReturnValue:
    """Send a confirmed person their confirmation once more."""
    now = clock.now()
    r = _get(token)
    with transaction():
        again = _get(token)
        count_and_limit(
            f"resend:{r.id}",
            limit=LETTERS_AN_HOUR,
            seconds=3600,
            now=now,
            sentence=_(
                "The letter was sent several times in this hour. Please look into your spam folder."
            ),
        )
        services.resend(again, actor=attendee_actor(r.name), now=now)
    flash(_("The letter is on its way to %(email)s.", email=r.email), "good")
    return redirect(url_for(".attendee", token=token), 303)
