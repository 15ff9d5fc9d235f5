"""What needs a person first, and how the events go."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from regsys.kernel import clock
from regsys.reports import queries
from regsys.reports.organizer.desk import MONEY, bp, page_number
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page
from regsys.web.urls import settings


@bp.get("/organize")
@requires(*MONEY)
def home() -> ResponseReturnValue:
    """Show what needs a person first, then how the events go."""
    now, actor = clock.now(), current_actor()
    everything, mine = actor.scope(*MONEY), actor.scope("registrar")
    rows = queries.rows_of(queries.list_running(everything, now=now), now=now)
    today = queries.find_today(rows, registrar=mine, money=everything, now=now)
    return render_template(
        "reports/home.html", now=now, rows=rows, today=today, zone=settings().TIME_ZONE
    )


@bp.get("/organize/events")
@requires(*MONEY)
def events() -> ResponseReturnValue:
    """List the events to come, or those that are over."""
    now, scope = clock.now(), current_actor().scope(*MONEY)
    past, size = request.args.get("when") == "past", queries.PAGE_SIZE
    total = queries.count_events(scope, past=past, now=now)
    at = page_number(total, size)
    found = queries.list_events(scope, past=past, now=now, offset=Page.offset_of(at, size))
    page = Page(queries.rows_of(found, now=now), at, size, total)
    return render_template("reports/events.html", now=now, page=page, past=past)
