"""Lists taken out as files; whoever takes one is written down."""

from collections.abc import Callable

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events.queries import get_event
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.reports import badges, downloads, queries, services, sheets, tables
from regsys.reports.forms import read_list
from regsys.reports.organizer.desk import bp
from regsys.reports.queries import Filter
from regsys.web.guard import current_actor, requires
from regsys.web.paper import read_size, send_pdf


@bp.get("/organize/events/<int:event_id>/files")
@requires("registrar")
def files(event_id: int) -> ResponseReturnValue:
    """Show every list that can be taken out, narrowed as asked, and who took one before."""
    asked = read_list(request.args)
    return render_template(
        "reports/files.html",
        event=get_event(event_id),
        asked=asked,
        people=queries.count_rows(asked.filter([event_id])),
        badges=queries.count_rows(badges.narrow(asked, event_id)),
        taken=queries.list_taken_out(event_id),
    )


@bp.get("/organize/events/<int:event_id>/badges.pdf")
@requires("registrar")
def badges_pdf(event_id: int) -> ResponseReturnValue:
    """Send sheets of name badges."""
    event, now, chosen = (
        get_event(event_id),
        clock.now(),
        badges.narrow(read_list(request.args), event_id),
    )
    name = f"badges-{downloads.name_of(event, now=now)}"
    data = badges.badge_data(event, chosen)
    _log(chosen, "badges", event_id)
    return send_pdf("reports/badges.typ", data, size=read_size(request.args), name=name)


@bp.get("/organize/events/<int:event_id>/export.csv")
@requires("registrar")
def export_csv(event_id: int) -> ResponseReturnValue:
    """Stream the list of an event as CSV."""
    chosen = read_list(request.args).filter([event_id])
    name = downloads.name_of(get_event(event_id), now=clock.now())
    _log(chosen, "csv", event_id)
    return downloads.csv(chosen, name, bom=request.args.get("bom") == "1")


@bp.get("/organize/events/<int:event_id>/export.xlsx")
@requires("registrar")
def export_xlsx(event_id: int) -> ResponseReturnValue:
    """Send the list of an event as a workbook."""
    chosen = read_list(request.args).filter([event_id])
    name = downloads.name_of(get_event(event_id), now=clock.now())
    _log(chosen, "xlsx", event_id)
    return downloads.xlsx(chosen, name)


# What leaves beside the registrations, by the last part of its address.
SHEETS = {"applications": sheets.applications_of, "waiting-list": sheets.waiting_of}


@bp.get("/organize/events/<int:event_id>/files/<what>.csv")
@requires("registrar")
def sheet_csv(event_id: int, what: str) -> ResponseReturnValue:
    """Stream applications or the waiting list of an event as CSV."""
    make, event, now = _sheet(what), get_event(event_id), clock.now()
    _log_sheet(event_id, what, "csv")
    sheet, name = make(event, now=now), f"{what}-{downloads.name_of(event, now=now)}"
    bom = request.args.get("bom") == "1"
    return downloads.stream(tables.make_csv(sheet.columns, sheet.batches, _, bom=bom), name)


@bp.get("/organize/events/<int:event_id>/files/<what>.xlsx")
@requires("registrar")
def sheet_xlsx(event_id: int, what: str) -> ResponseReturnValue:
    """Send applications or the waiting list of an event as a workbook."""
    make, event, now = _sheet(what), get_event(event_id), clock.now()
    _log_sheet(event_id, what, "xlsx")
    sheet, name = make(event, now=now), f"{what}-{downloads.name_of(event, now=now)}"
    return downloads.send(tables.make_xlsx(sheet.name, sheet.columns, sheet.batches, _), name)


def _sheet(what: str) -> Callable[..., sheets.Sheet]:
    if what not in SHEETS:
        raise NotFound(N_("There is no such list."))
    return SHEETS[what]


def _log_sheet(event_id: int, what: str, kind: str) -> None:
    actor = current_actor()
    with transaction():
        services.log_sheet(what, kind, event_id=event_id, actor=actor, now=clock.now())


@bp.get("/organize/registrations/export.csv")
@requires("registrar")
def export_all_csv() -> ResponseReturnValue:
    """Stream the list across events as CSV."""
    chosen = _across()
    _log(chosen, "csv", None)
    name = downloads.name_of(None, now=clock.now())
    return downloads.csv(chosen, name, bom=request.args.get("bom") == "1")


@bp.get("/organize/registrations/export.xlsx")
@requires("registrar")
def export_all_xlsx() -> ResponseReturnValue:
    """Send the list across events as a workbook."""
    chosen = _across()
    _log(chosen, "xlsx", None)
    return downloads.xlsx(chosen, downloads.name_of(None, now=clock.now()))


def _across() -> Filter:
    asked, titles = read_list(request.args), queries.list_titles(current_actor().scope("registrar"))
    return asked.filter(asked.among([event_id for event_id, _title in titles]))


def _log(chosen: Filter, kind: str, event_id: int | None) -> None:
    actor = current_actor()
    with transaction():
        services.log_export(chosen, kind, event_id=event_id, actor=actor, now=clock.now())
