"""Calling an event off with everybody in it: why, what will happen, and how far it has come."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from regsys.events.queries import get_event
from regsys.events.states import EventState
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.payments import queries, services
from regsys.payments.forms import CallOffForm
from regsys.payments.organizer.desk import payments_organizer
from regsys.web.guard import current_actor, requires

LOOK_AGAIN_SECONDS = 4


@payments_organizer.route("/organize/events/<int:event_id>/call-off", methods=["GET", "POST"])
@requires("registrar")
def call_off(event_id: int) -> ResponseReturnValue:
    """Say why, see what will happen, and call the event off."""
    event, form = get_event(event_id), CallOffForm()
    if event.state is EventState.CANCELLED:
        return redirect(url_for("payments_organizer.calling_off", event_id=event_id), 303)
    facts = {"event": event, "form": form, "outlook": queries.get_outlook(event_id)}
    do = request.form.get("do")
    if not form.is_submitted() or do == "change":
        return render_template("payments/call_off.html", **facts)
    if not form.validate():
        return render_template("payments/call_off.html", **facts), 422
    if do != "confirm":
        return render_template("payments/call_off_check.html", **facts)
    reason, actor = form.reason.data or "", current_actor()
    with transaction():
        services.start_cancellation(event_id, reason=reason, actor=actor, now=clock.now())
    return redirect(url_for("payments_organizer.calling_off", event_id=event_id), 303)


@payments_organizer.get("/organize/events/<int:event_id>/calling-off")
@requires("registrar")
def calling_off(event_id: int) -> ResponseReturnValue:
    """Show how far telling and repaying everybody has come; looks again by itself until it is done."""
    event, cancellation = get_event(event_id), queries.find_cancellation(event_id)
    if cancellation is None:
        return redirect(url_for("events_organizer.preview", event_id=event_id), 303)
    progress = queries.get_progress(cancellation)
    facts = {
        "event": event,
        "progress": progress,
        "owed": queries.list_owed(event_id=event_id, but=progress.failed),
        "contested": queries.list_disputes(frozenset({event_id})),
    }
    response = make_response(render_template("payments/calling_off.html", **facts))
    if cancellation.finished_at is None:
        response.headers["Refresh"] = str(LOOK_AGAIN_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response
