"""The waiting list of one event, as its organizers see it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import services as event_services
from regsys.events.queries import get_event
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.waitlist import queries, rules, services
from regsys.waitlist.forms import ListForm, RemoveForm, SkipForm
from regsys.waitlist.states import LIVE
from regsys.waitlist.states import EntryState as S
from regsys.web.guard import current_actor, requires

bp = Blueprint(
    "waitlist_organizer", __name__, url_prefix="/organize/events/<int:event_id>/waitlist"
)


@bp.get("")
@requires("registrar")
def line(event_id: int) -> ResponseReturnValue:
    """Show who waits, whose turn it is, and why others are not offered a place."""
    now, event = clock.now(), get_event(event_id)
    entries = queries.list_entries(event_id)
    facts = queries.get_facts(event, now=now)
    return render_template(
        "waitlist/organizer_line.html",
        event=event,
        now=now,
        turns=queries.turns_of(event, now=now),
        line=[e for e in entries if e.state is S.WAITING],
        offered=[e for e in entries if e.state is S.OFFERED],
        past=[e for e in entries if e.state not in LIVE],
        free=facts.free.get(facts.total) if facts.total is not None else None,
        resting=rules.why_resting(facts, now),
    )


@bp.route("/settings", methods=["GET", "POST"])
@requires("registrar")
def rule(event_id: int) -> ResponseReturnValue:
    """Change how the list works."""
    event = get_event(event_id)
    form = ListForm(obj=event)
    if form.validate_on_submit():
        plan, actor = form.plan, current_actor()
        with transaction():
            event_services.set_waiting(event_id, plan, actor=actor, now=clock.now())
        flash(_("Saved."), "good")
        return _back(event_id)
    status = 422 if form.errors else 200
    return render_template("waitlist/organizer_settings.html", event=event, form=form), status


def _back(event_id: int) -> ResponseReturnValue:
    return redirect(url_for(".line", event_id=event_id), 303)


def _about(event_id: int) -> dict[str, Any]:
    """Return which event an organizer's verb is about, who does it, and when."""
    return {"event_id": event_id, "actor": current_actor(), "now": clock.now()}


def _do(event_id: int, verb: Callable[[], object], done: str) -> ResponseReturnValue:
    with transaction():
        verb()
    flash(done, "good")
    return _back(event_id)


@bp.post("/<int:entry_id>/move/<int:to>")
@requires("registrar")
def move(event_id: int, entry_id: int, to: int) -> ResponseReturnValue:
    """Put somebody at another number in line."""
    done = _("The order of the list is changed.")
    return _do(event_id, lambda: services.move_entry(entry_id, to, **_about(event_id)), done)


@bp.post("/<int:entry_id>/offer")
@requires("registrar")
def offer(event_id: int, entry_id: int) -> ResponseReturnValue:
    """Offer somebody a place out of turn."""
    done = _("The offer is on its way.")
    return _do(event_id, lambda: services.offer_by_hand(entry_id, **_about(event_id)), done)


@bp.route("/<int:entry_id>/skip", methods=["GET", "POST"])
@requires("registrar")
def skip(event_id: int, entry_id: int) -> ResponseReturnValue:
    """Pass somebody over, with a note; their position is kept."""
    entry, form = queries.get_entry(entry_id, event_id=event_id), SkipForm()
    if form.validate_on_submit():
        note = form.note.data or ""
        done = _("Passed over. The position in line is kept.")
        return _do(event_id, lambda: services.skip(entry_id, note, **_about(event_id)), done)
    status = 422 if form.errors else 200
    return render_template("waitlist/organizer_skip.html", entry=entry, form=form), status


@bp.post("/<int:entry_id>/unskip")
@requires("registrar")
def unskip(event_id: int, entry_id: int) -> ResponseReturnValue:
    """Let somebody have their turn again."""
    done = _("They have their turn again.")
    return _do(event_id, lambda: services.stop_skipping(entry_id, **_about(event_id)), done)


@bp.route("/<int:entry_id>/remove", methods=["GET", "POST"])
@requires("registrar")
def remove(event_id: int, entry_id: int) -> ResponseReturnValue:
    """Take somebody off the list and tell them why."""
    entry, form = queries.get_entry(entry_id, event_id=event_id), RemoveForm()
    if form.validate_on_submit():
        reason = form.reason.data or ""
        done = _("They are off the list, and told by mail.")
        return _do(event_id, lambda: services.remove(entry_id, reason, **_about(event_id)), done)
    status = 422 if form.errors else 200
    return render_template("waitlist/organizer_remove.html", entry=entry, form=form), status
