"""How a list leaves as a file: streamed, named, never kept by anything on the way."""

from collections.abc import Iterator
from datetime import datetime
from typing import IO
from zoneinfo import ZoneInfo

from flask import Response, send_file, stream_with_context
from flask_babel import gettext as _

from regsys.events.models import Event
from regsys.reports import exports
from regsys.reports.queries import Filter
from regsys.web.urls import settings

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def name_of(event: Event | None, *, now: datetime) -> str:
    """Return a file's name without its ending: what and when, by the calendar of the event."""
    slug, zone = (event.slug, event.time_zone) if event else ("registrations", settings().TIME_ZONE)
    return f"{slug}-{now.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def csv(chosen: Filter, name: str, *, bom: bool) -> Response:
    """Return the CSV as it is made."""
    return stream(exports.make_csv(chosen, exports.AUDIENCES, _, bom=bom), name)


def stream(parts: Iterator[str], name: str) -> Response:
    """Return CSV in parts as they come."""
    response = Response(stream_with_context(parts), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def xlsx(chosen: Filter, name: str) -> Response:
    """Return the workbook; its temporary file is gone once it is sent."""
    return send(exports.make_xlsx(chosen, exports.AUDIENCES, _), name)


def send(file: IO[bytes], name: str) -> Response:
    """Return a workbook and forget it."""
    response = send_file(
        file, mimetype=XLSX, as_attachment=True, download_name=f"{name}.xlsx", max_age=0
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.call_on_close(file.close)
    return response
