"""Rooms, meals and what else can be chosen with a place."""

from collections.abc import Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue

from regsys.events import queries, services
from regsys.events.forms import OptionsForm
from regsys.events.organizer.desk import answer, desk
from regsys.kernel import clock
from regsys.web.guard import current_actor, requires

TEMPLATE = "events/organize_options.html"


@desk.route("/organize/events/<int:event_id>/options", methods=["GET", "POST"])
@requires("registrar")
def options(event_id: int) -> ResponseReturnValue:
    """Change what can be chosen with a place, what it costs, and how many there are."""
    event, now = queries.get_event(event_id), clock.now()
    stored = queries.list_options([event_id])
    counts = queries.count_options(stored, now=now)
    form = OptionsForm.of(event, stored, counts)
    shown = {"taken": {o.id: counts[o.id].settled + counts[o.id].held for o in stored}}
    more = request.form.get("do") == "more"
    if more or not form.rows.entries:
        form.add_row()
    if more:
        return render_template(TEMPLATE, event=event, form=form, **shown)
    if form.is_submitted() and not form.validate_for(event.currency):
        return render_template(TEMPLATE, event=event, form=form, **shown), 422

    def act() -> Sequence[str]:
        version, actor = form.version.data, current_actor()
        services.set_options(event_id, form.plans, version=version, actor=actor, now=now)
        return ()

    return answer(TEMPLATE, event, form, act, done="events_organizer.options", **shown)
