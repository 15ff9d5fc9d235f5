"""Letters about an event, who did what, and work that was given up."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events.queries import get_event
from regsys.jobs.queries import list_dead
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden
from regsys.kernel.text import which_page
from regsys.outbox.queries import list_messages
from regsys.reports import queries, services
from regsys.reports.forms import read_list
from regsys.reports.organizer.desk import bp, page_number
from regsys.reports.queries import Deed, Scope
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page
from regsys.web.urls import settings


def _forbid_part_of_site() -> None:
    """Refuse a registrar of some events only."""
    if current_actor().scope("registrar") is not None:
        raise Forbidden


@bp.get("/organize/events/<int:event_id>/messages")
@requires("registrar")
def messages(event_id: int) -> ResponseReturnValue:
    """List the letters about an event."""
    found = get_event(event_id)
    words = read_list(request.args).words
    at = which_page(request.args.get("page", ""))
    page = list_messages(state=None, words=words, number=at, event_ids=[event_id])
    return render_template("reports/messages.html", event=found, page=page, words=words)


@bp.get("/organize/audit")
@requires("registrar")
def audit() -> ResponseReturnValue:
    """List who did what, the newest first."""
    scope: Scope = current_actor().scope("registrar")
    event_id = read_list(request.args).event_id
    return render_template(
        "reports/audit.html",
        page=_deeds(scope, event_id),
        event_id=event_id,
        titles=queries.list_titles(scope),
        zone=settings().TIME_ZONE,
    )


@bp.get("/organize/events/<int:event_id>/log")
@requires("registrar")
def event_log(event_id: int) -> ResponseReturnValue:
    """List who did what about one event, the newest first."""
    found = get_event(event_id)
    page = _deeds([event_id], event_id)
    return render_template("reports/event_log.html", event=found, page=page, zone=found.time_zone)


def _deeds(scope: Scope, event_id: int | None) -> Page[Deed]:
    total, size = queries.count_audit(scope, event_id), queries.AUDIT_PAGE
    at = page_number(total, size)
    found = queries.list_audit(scope, event_id, offset=Page.offset_of(at, size))
    return Page(found, at, size, total)


@bp.get("/organize/jobs")
@requires("registrar")
def jobs() -> ResponseReturnValue:
    """List the work that was given up."""
    _forbid_part_of_site()
    return render_template("reports/jobs.html", jobs=list_dead(), zone=settings().TIME_ZONE)


@bp.post("/organize/jobs/<int:job_id>/revive")
@requires("registrar")
def revive(job_id: int) -> ResponseReturnValue:
    """Give one piece of work another round."""
    _forbid_part_of_site()
    actor = current_actor()
    with transaction():
        services.revive_job(job_id, actor=actor, now=clock.now())
    flash(_("It is tried again within a minute."), "good")
    return redirect(url_for("reports_organizer.jobs"), 303)
