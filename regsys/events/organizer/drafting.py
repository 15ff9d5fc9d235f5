"""A new event, and a copy of an old one."""

from datetime import date

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import queries, services
from regsys.events.forms import CopyForm, NewEventForm
from regsys.events.organizer.desk import desk, say, whole_society_only
from regsys.events.services.copying import list_moves
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.zones import wall_time
from regsys.web.guard import current_actor, requires
from regsys.web.urls import settings


@desk.route("/organize/events/new", methods=["GET", "POST"])
@requires("registrar")
def new() -> ResponseReturnValue:
    """Begin an event: a draft that nobody sees."""
    whole_society_only()
    form = NewEventForm(time_zone=settings().TIME_ZONE)
    if not form.is_submitted():
        return render_template("events/organize_new.html", form=form)
    if not form.validate():
        return render_template("events/organize_new.html", form=form), 422
    facts, remarks = form.facts()
    with transaction():
        event_id = services.create_event(
            **facts, currency=settings().CURRENCY, actor=current_actor(), now=clock.now()
        )
    say(_("The draft is made. Nobody sees it before you publish it."), remarks)
    return redirect(url_for("events_organizer.edit", event_id=event_id), 303)


@desk.route("/organize/events/<int:event_id>/copy", methods=["GET", "POST"])
@requires("registrar")
def copy(event_id: int) -> ResponseReturnValue:
    """Show what a copy on other days would be, and make it."""
    whole_society_only()
    event = queries.get_event(event_id)
    first = wall_time(event.starts_at, event.time_zone).date()
    form = CopyForm(title=event.title, first_day=first, with_leaders=True)
    if form.is_submitted() and not form.validate():
        return render_template("events/organize_copy.html", event=event, form=form), 422
    if request.form.get("do") != "make":
        moves = list_moves(event, form.first_day.data or first)
        return render_template("events/organize_copy.html", event=event, form=form, moves=moves)
    new_id = _make_copy(event_id, form, form.first_day.data or first)
    say(_("The copy is a draft. Its questions can be taken over on the page of the questions."), [])
    return redirect(url_for("events_organizer.schedule", event_id=new_id), 303)


def _make_copy(event_id: int, form: CopyForm, first_day: date) -> int:
    with transaction():
        return services.copy_event(
            event_id,
            title=form.title.data or "",
            first_day=first_day,
            with_leaders=form.with_leaders.data,
            actor=current_actor(),
            now=clock.now(),
        )
