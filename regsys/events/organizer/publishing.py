"""Look at an event as visitors will, publish it, close it, call it off."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import queries, rules, services
from regsys.events.forms import PublishForm, ReasonForm
from regsys.events.organizer.desk import desk
from regsys.events.page import show_event
from regsys.events.states import EventState
from regsys.events.words import clash_words
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.undo import flash_undo


@desk.get("/organize/events/<int:event_id>/preview")
@requires("registrar")
def preview(event_id: int) -> ResponseReturnValue:
    """Show what is still missing, and the buttons that publish or close."""
    return _preview(event_id)


@desk.get("/organize/events/<int:event_id>/page")
@requires("registrar")
def page(event_id: int) -> ResponseReturnValue:
    """Show the page of an event as visitors see it, or will once it is published."""
    event, now = queries.get_event(event_id), clock.now()
    shown = show_event(event, now, as_if=_shown_state(event.state))
    return render_template("events/organize_page.html", shown=shown)


def _shown_state(state: EventState) -> EventState:
    return EventState.PUBLISHED if state is EventState.DRAFT else state


@desk.post("/organize/events/<int:event_id>/publish")
@requires("registrar")
def publish(event_id: int) -> ResponseReturnValue:
    """Show an event to visitors."""
    form = PublishForm()
    if not form.validate():
        problem = next(s for sentences in form.errors.values() for s in sentences)
        return _preview(event_id, form=form, problem=problem), 422
    facts = {"waiver": form.waiver.data or "", "version": form.version.data}
    return _move(event_id, services.publish_event, _("It is published."), **facts)


@desk.post("/organize/events/<int:event_id>/close")
@requires("registrar")
def close(event_id: int) -> ResponseReturnValue:
    """Take no more registrations."""
    undo = url_for("events_organizer.reopen", event_id=event_id)
    return _move(event_id, services.close_event, _("It is closed."), undo, reason=_reason())


@desk.post("/organize/events/<int:event_id>/reopen")
@requires("registrar")
def reopen(event_id: int) -> ResponseReturnValue:
    """Take registrations again."""
    return _move(event_id, services.reopen_event, _("It is open again."))


@desk.post("/organize/events/<int:event_id>/hide")
@requires("registrar")
def hide(event_id: int) -> ResponseReturnValue:
    """Make a draft of an event again."""
    return _move(event_id, services.hide_event, _("It is a draft again."))


@desk.post("/organize/events/<int:event_id>/cancel")
@requires("registrar")
def cancel(event_id: int) -> ResponseReturnValue:
    """Call off an event in which nobody holds a place."""
    return _move(event_id, services.cancel_event, _("It is called off."), reason=_reason())


@desk.post("/organize/events/<int:event_id>/key")
@requires("registrar")
def key(event_id: int) -> ResponseReturnValue:
    """Make a new private link."""
    with transaction():
        services.renew_private_key(event_id, actor=current_actor(), now=clock.now())
    flash(_("The private link is new. The one before opens nothing any more."), "good")
    return redirect(url_for("events_organizer.preview", event_id=event_id), 303)


def _reason() -> str:
    form = ReasonForm()
    return (form.reason.data or "")[:500]


def _move(
    event_id: int, verb: Callable[..., None], done: str, undo: str = "", /, **facts: Any
) -> ResponseReturnValue:
    """Run a verb and return to the preview; where it is refused the preview says why. `undo`: how to take it back."""
    try:
        with transaction():
            verb(event_id, **facts, actor=current_actor(), now=clock.now())
    except Refused as e:
        return _preview(event_id, problem=refusal_text(e)), 409
    if undo:
        flash_undo(done, undo)
    else:
        flash(done, "good")
    return redirect(url_for("events_organizer.preview", event_id=event_id), 303)


def _preview(event_id: int, **more: Any) -> str:
    event, now = queries.get_event(event_id), clock.now()
    missing = rules.why_not_publish(queries.publish_facts(event), now)
    facts: dict[str, Any] = {
        "missing": [(r.name, refusal_text(Refused(r))) for r in missing],
        "waivable": {r.name for r in missing} == {rules.WAIVABLE},
        "gaps": _gaps(event_id, now),
        "used": queries.was_used(event_id),
        "holding": queries.count_holding(event_id, now=now),
        "form": PublishForm(version=event.version),
        "reason": ReasonForm(formdata=None),
        "problem": None,
    }
    return render_template("events/organize_preview.html", event=event, **{**facts, **more})


def _gaps(event_id: int, now: datetime) -> list[str]:
    event = queries.get_event(event_id)
    gaps = rules.list_gaps(queries.gap_facts(event, now=now))
    return [*(_(gap) for gap in gaps), *clash_words(queries.list_clashes(event))]
