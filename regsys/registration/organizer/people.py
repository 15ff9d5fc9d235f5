"""What organizers do with one registration."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.exc import IntegrityError
from wtforms import Field

from regsys.events.queries import get_event, list_options
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.registration import handed, queries, rules, services
from regsys.registration.forms import (
    ByHandForm,
    CancelForm,
    ContactForm,
    NoteForm,
    filled,
)
from regsys.registration.models import Registration
from regsys.web.errors import refusal_text
from regsys.web.fields import refuse
from regsys.web.guard import current_actor, requires

bp = Blueprint(
    "registration_organizer",
    __package__,
    url_prefix="/organize/events/<int:event_id>/registrations",
)


def back_to(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Go back to the page of a registration."""
    target = url_for(
        "reports_organizer.registration", event_id=event_id, registration_id=registration_id
    )
    return redirect(target, 303)


@contextmanager
def said_at(field: Field) -> Iterator[None]:
    """Say at the field of an address why it cannot be, also where somebody else took it in the same moment."""
    try:
        yield
    except Refused as e:
        refuse(field, refusal_text(e))
    except IntegrityError:
        refuse(field, _(rules.EMAIL_HERE.sentence))


@bp.route("/add", methods=["GET", "POST"])
@requires("registrar")
def add(event_id: int) -> ResponseReturnValue:
    """Give somebody a place by hand."""
    event = get_event(event_id)
    form = ByHandForm()
    form.ticket_type.choices = [(t.id, t.name) for t in event.ticket_types if t.prices]
    if form.validate_on_submit():
        with said_at(form.email):
            with transaction():
                made = services.add_by_hand(
                    event_id,
                    services.Person(form.first_name.data, form.last_name.data, form.email.data),
                    ticket_type_id=form.ticket_type.data,
                    to_pay=form.payment.data == "link",
                    reason=form.reason.data or "",
                    actor=current_actor(),
                    now=clock.now(),
                )
            flash(_("%(name)s has a place; a letter is on its way.", name=made.name), "good")
            return back_to(event_id, made.id)
    status = 422 if form.errors else 200
    has_options = any(o.on_sale for o in list_options([event_id]))
    return render_template(
        "registration/organizer_add.html", form=form, event=event, has_options=has_options
    ), status


def _find(event_id: int, registration_id: int) -> Registration:
    return queries.get_registration(registration_id, event_id=event_id)


@bp.route("/<int:registration_id>/cancel", methods=["GET", "POST"])
@requires("registrar")
def cancel(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Cancel a place for which nothing was paid."""
    registration = _find(event_id, registration_id)
    form = CancelForm()
    if form.validate_on_submit():
        with transaction():
            services.cancel_unpaid(
                registration_id,
                event_id=event_id,
                reason=form.reason.data or "",
                actor=current_actor(),
                now=clock.now(),
            )
        flash(_("The place is cancelled, and the person is told by mail."), "good")
        return back_to(event_id, registration_id)
    status = 422 if form.errors else 200
    return render_template("registration/organizer_cancel.html", form=form, r=registration), status


@bp.post("/<int:registration_id>/resend")
@requires("registrar")
def resend(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Send the confirmation once more."""
    with transaction():
        registration = _find(event_id, registration_id)
        services.resend(registration, actor=current_actor(), now=clock.now())
    flash(_("The confirmation is on its way again."), "good")
    return back_to(event_id, registration_id)


@bp.route("/<int:registration_id>/contact", methods=["GET", "POST"])
@requires("registrar")
def contact(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Mend a person's contact data."""
    registration = _find(event_id, registration_id)
    form = ContactForm(obj=registration)
    if form.validate_on_submit():
        with said_at(form.email):
            with transaction():
                moved = services.edit_contact(
                    registration_id,
                    filled(form.data),
                    event_id=event_id,
                    actor=current_actor(),
                    now=clock.now(),
                )
            flash(
                _("Saved. A new letter went to the new address.") if moved else _("Saved."), "good"
            )
            return back_to(event_id, registration_id)
    status = 422 if form.errors else 200
    return render_template("registration/organizer_contact.html", form=form, r=registration), status


@bp.route("/<int:registration_id>/note", methods=["GET", "POST"])
@requires("registrar")
def note(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Keep a note that only organizers read."""
    registration = _find(event_id, registration_id)
    form = NoteForm(obj=registration)
    if form.validate_on_submit():
        with transaction():
            services.write_note(
                registration_id,
                form.note.data or "",
                event_id=event_id,
                actor=current_actor(),
                now=clock.now(),
            )
        flash(_("The note is saved."), "good")
        return back_to(event_id, registration_id)
    status = 422 if form.errors else 200
    return render_template("registration/organizer_note.html", form=form, r=registration), status


@bp.get("/hand-overs")
@requires("registrar")
def hand_overs(event_id: int) -> ResponseReturnValue:
    """List the places that are to change hands, and wait for our word."""
    event, rows = get_event(event_id), handed.list_asked_hand_overs([event_id])
    return render_template("registration/organizer_hand_overs.html", event=event, rows=rows)


@bp.post("/hand-overs/<int:hand_over_id>")
@requires("registrar")
def decide_hand_over(event_id: int, hand_over_id: int) -> ResponseReturnValue:
    """Agree to a colleague, or not; both are told."""
    agreed, actor = request.form.get("agreed") == "yes", current_actor()
    try:
        with transaction():
            services.decide_hand_over(
                hand_over_id, event_id=event_id, agreed=agreed, actor=actor, now=clock.now()
            )
        flash(_("It is done, and both are told by mail."), "good")
    except Refused as e:
        flash(refusal_text(e), "warn")
    return redirect(url_for(".hand_overs", event_id=event_id), 303)


def _about(event_id: int) -> ResponseReturnValue:
    return redirect(url_for(".minimum", event_id=event_id), 303)


@bp.get("/minimum")
@requires("registrar")
def minimum(event_id: int) -> ResponseReturnValue:
    """Show whether enough people come, and what can be decided."""
    event, now = get_event(event_id), clock.now()
    return render_template(
        "registration/organizer_minimum.html",
        event=event,
        confirmed=queries.count_confirmed(event_id),
        at_risk=services.stands_at_risk(event, now=now),
    )


@bp.post("/minimum/tell")
@requires("registrar")
def tell(event_id: int) -> ResponseReturnValue:
    """Tell the people who have a place that it is not sure yet."""
    with transaction():
        count = services.tell_of_minimum(event_id, actor=current_actor(), now=clock.now())
    flash(ngettext("One person is told.", "%(num)d people are told.", count), "good")
    return _about(event_id)


@bp.post("/minimum/run")
@requires("registrar")
def run(event_id: int) -> ResponseReturnValue:
    """Decide that the event takes place."""
    with transaction():
        services.let_run(event_id, actor=current_actor(), now=clock.now())
    flash(_("It takes place."), "good")
    return _about(event_id)
