"""The people of an event, and of all; and one of them with everything that happened."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from regsys.discounts.queries import count_uses, get_code
from regsys.events.queries import get_event
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.registration.queries import get_registration
from regsys.reports import queries, services
from regsys.reports.exports import AUDIENCES
from regsys.reports.forms import PAGE_SIZE, read_list
from regsys.reports.organizer.desk import bp, page_number
from regsys.reports.queries import Filter, Row
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page


def _people(chosen: Filter) -> Page[Row]:
    total = queries.count_rows(chosen)
    at = page_number(total, PAGE_SIZE)
    offset = Page.offset_of(at, PAGE_SIZE)
    rows = queries.list_rows(chosen, frozenset(), offset=offset, limit=PAGE_SIZE)
    return Page(rows, at, PAGE_SIZE, total)


@bp.get("/organize/events/<int:event_id>")
@requires("registrar")
def event(event_id: int) -> ResponseReturnValue:
    """Show the people of an event, narrowed, sorted, and one of them beside the list."""
    now, asked, found = clock.now(), read_list(request.args), get_event(event_id)
    (row,) = queries.rows_of([found], now=now)
    return render_template(
        "reports/event.html",
        now=now,
        asked=asked,
        row=row,
        event=found,
        page=_people(asked.filter([event_id])),
        types=queries.list_ticket_types([event_id]),
        glance=queries.find_glance(asked.look, event_id=event_id, audiences=AUDIENCES),
    )


@bp.get("/organize/registrations")
@requires("registrar")
def registrations() -> ResponseReturnValue:
    """List the people of all events, or of one of them."""
    asked, titles = read_list(request.args), queries.list_titles(current_actor().scope("registrar"))
    return render_template(
        "reports/registrations.html",
        asked=asked,
        titles=titles,
        page=_people(asked.filter(asked.among([event_id for event_id, _title in titles]))),
    )


@bp.get("/organize/events/<int:event_id>/prices/codes/<int:code_id>/uses")
@requires("registrar")
def code_uses(event_id: int, code_id: int) -> ResponseReturnValue:
    """Show whose price a code lowers, in the events that this registrar looks after."""
    code, now = get_code(code_id, event_id=event_id), clock.now()
    return render_template(
        "reports/code_uses.html",
        now=now,
        event=get_event(event_id),
        code=code,
        count=count_uses(code, now=now),
        uses=queries.list_code_uses(code_id, current_actor().scope("registrar")),
    )


@bp.get("/organize/events/<int:event_id>/registrations/<int:registration_id>")
@requires("registrar")
def registration(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Show one registration with everything that happened to it; opening private answers is written down."""
    now, private = clock.now(), request.args.get("private") == "1"
    if private:
        who = current_actor()
        with transaction():
            services.log_private_answers(registration_id, event_id=event_id, actor=who, now=now)
    found = get_registration(registration_id, event_id=event_id)
    return render_template(
        "reports/registration.html",
        now=now,
        r=found,
        event=found.event,
        row=queries.get_row(registration_id, event_id=event_id),
        sheet=queries.get_sheet(found, now=now),
        form=queries.get_form(found, AUDIENCES, sensitive=private),
        private=private,
    )
