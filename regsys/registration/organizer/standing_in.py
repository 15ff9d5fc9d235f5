"""What organizers do in somebody's stead: give their place to a colleague, change their answers."""

from flask import flash, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.questions import queries as questions
from regsys.questions.forms import build
from regsys.questions.rules import audiences_of
from regsys.registration import queries, rules, services
from regsys.registration.forms import HandForm, WhyForm, build_about
from regsys.registration.organizer.people import back_to, bp, said_at
from regsys.web.guard import current_actor, requires


@bp.route("/<int:registration_id>/hand-over", methods=["GET", "POST"])
@requires("registrar")
def hand_over_for(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Give somebody's place to a colleague, whatever the rules of the place say."""
    r = queries.get_registration(registration_id, event_id=event_id)
    form = HandForm()
    if form.validate_on_submit():
        who = services.Person(form.first_name.data, form.last_name.data, form.email.data)
        reason, order_id, actor = form.reason.data or "", r.order_id, current_actor()
        with said_at(form.email):
            with transaction():
                new = services.hand_over_for(
                    order_id, registration_id, who, reason=reason, actor=actor, now=clock.now()
                )
                new_id = new.id
            flash(_("The place has changed hands, and everybody is told by mail."), "good")
            return back_to(event_id, new_id)
    status = 422 if form.errors else 200
    adjusted = queries.adjusted_of(registration_id)
    return render_template(
        "registration/organizer_hand_over.html", form=form, r=r, adjusted=adjusted
    ), status


@bp.route("/<int:registration_id>/answers", methods=["GET", "POST"])
@requires("registrar")
def answer_for(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Change somebody's answers as they asked for; agreements they give themselves."""
    r, now = queries.get_registration(registration_id, event_id=event_id), clock.now()
    if not rules.may_answer(r.state, ends_at=r.event.ends_at, now=now) or not r.answered_at:
        raise NotFound(N_("There are no answers here that can be changed."))
    about = build_about(
        rules.required_of_person(r.event.kind), data={k: getattr(r, k) for k in services.ABOUT}
    )
    audiences = audiences_of(current_actor(), event_id)
    entries = questions.list_form_to_change(event_id, r.id, audiences)
    form, why = build(entries), WhyForm()
    if why.is_submitted() and about.validate() & form.validate() & why.validate():
        order_id, actor, reason = r.order_id, current_actor(), why.reason.data or ""
        values, kept, told = form.values, form.kept, about.about
        with transaction():
            services.answer(
                order_id, registration_id, about=told, values=values, kept=kept,
                actor=actor, now=now, reason=reason, form=entries,
            )  # fmt: skip
        flash(_("The answers are saved."), "good")
        return back_to(event_id, registration_id)
    status = 422 if why.is_submitted() else 200
    return render_template(
        "registration/organizer_answers.html",
        about=about,
        form=form,
        why=why,
        r=r,
    ), status
