"""The steps of an event, each on its own page: basics, when and where, places and prices, leaders."""

from collections.abc import Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue

from regsys.events import queries, services
from regsys.events.forms import BasicsForm, LeadersForm, PlacesForm, ScheduleForm
from regsys.events.organizer.desk import answer, desk
from regsys.events.words import clash_words
from regsys.kernel import clock
from regsys.web.guard import current_actor, requires


@desk.route("/organize/events/<int:event_id>/edit", methods=["GET", "POST"])
@requires("registrar")
def edit(event_id: int) -> ResponseReturnValue:
    """Change what an event is called and says."""
    event = queries.get_event(event_id)
    form = BasicsForm(obj=event)

    def act() -> Sequence[str]:
        facts, version = form.facts(), form.version.data
        actor, now = current_actor(), clock.now()
        services.change_event(event_id, facts, version=version, actor=actor, now=now)
        return ()

    return answer("events/organize_basics.html", event, form, act, done="events_organizer.edit")


@desk.route("/organize/events/<int:event_id>/schedule", methods=["GET", "POST"])
@requires("registrar")
def schedule(event_id: int) -> ResponseReturnValue:
    """Change when and where an event is."""
    event = queries.get_event(event_id)
    form = ScheduleForm.of(event, queries.list_venues())
    template, do = "events/organize_schedule.html", request.form.get("do")
    if do == "series":
        added = form.add_series()
        page = render_template(template, event=event, form=form, added=added)
        return page, 200 if added else 422
    if do == "more" or not form.meetings.entries:
        form.add_row()
    if do == "more":
        return render_template(template, event=event, form=form)

    def act() -> Sequence[str]:
        plan, remarks = form.facts(event)
        version, actor, now = form.version.data, current_actor(), clock.now()
        services.set_schedule(event_id, plan, version=version, actor=actor, now=now)
        return remarks

    return answer(template, event, form, act, done="events_organizer.schedule")


@desk.route("/organize/events/<int:event_id>/tickets", methods=["GET", "POST"])
@requires("registrar")
def tickets(event_id: int) -> ResponseReturnValue:
    """Change places, ticket types, prices and the time of sale."""
    event = queries.get_event(event_id)
    form = PlacesForm.of(event, queries.pool_sizes(event, now=clock.now()))
    template, more = "events/organize_places.html", request.form.get("do") == "more"
    if more or not form.types.entries:
        form.add_row()
    if more:
        return render_template(template, event=event, form=form)

    def act() -> Sequence[str]:
        plan, remarks = form.facts(event)
        version, actor, now = form.version.data, current_actor(), clock.now()
        services.set_places(event_id, plan, version=version, actor=actor, now=now)
        return [*remarks, *clash_words(queries.list_clashes(queries.get_event(event_id)))]

    return answer(template, event, form, act, done="events_organizer.tickets")


@desk.route("/organize/events/<int:event_id>/leaders", methods=["GET", "POST"])
@requires("registrar")
def leaders(event_id: int) -> ResponseReturnValue:
    """Change who leads an event."""
    event = queries.get_event(event_id)
    form = LeadersForm.of(event, queries.list_leaders())
    template, more = "events/organize_leaders.html", request.form.get("do") == "more"
    if more or not form.parts.entries:
        form.add_row()
    if more:
        return render_template(template, event=event, form=form)

    def act() -> Sequence[str]:
        parts, version = form.facts(), form.version.data
        actor, now = current_actor(), clock.now()
        services.set_leaders(event_id, parts, version=version, actor=actor, now=now)
        return ()

    return answer(template, event, form, act, done="events_organizer.leaders")
