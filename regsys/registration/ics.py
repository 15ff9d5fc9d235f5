"""The calendar entry of one registration (RFC 5545, 5546).

A REQUEST has one UID for all that it holds, so a series is one entry with further dates, and anything else is the span
from the first to the last minute. Nobody is asked to answer: the registration is the answer.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from regsys.events.models import Event
from regsys.events.rules import series_of
from regsys.registration.models import Registration
from regsys.web.urls import settings

TYPE = "text/calendar; charset=utf-8; method=%s"


def write(
    registration: Registration, *, method: str, location: str, description: str, now: datetime
) -> str:
    """Return the calendar with this registration; `method` is REQUEST, PUBLISH or CANCEL."""
    from icalendar import Calendar  # slow import

    calendar = Calendar()
    calendar.add("prodid", "-//regsys//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(_component(registration, method, location, description, now))
    return str(calendar.to_ical().decode())


def uid_of(registration: Registration) -> str:
    """Return the UID under which calendars know this registration for ever."""
    host = urlsplit(settings().BASE_URL).hostname or "localhost"
    return f"registration-{registration.id}@{host}"


def _component(
    registration: Registration, method: str, location: str, description: str, now: datetime
) -> Any:
    from icalendar import Event as Component  # slow import

    event = registration.event
    starts_at, ends_at, more = _dates(event)
    made = Component()
    made.add("uid", uid_of(registration))
    made.add("dtstamp", now)
    made.add("sequence", event.sequence + registration.sequence)
    made.add("dtstart", starts_at)
    made.add("dtend", ends_at)
    if more:
        made.add("rdate", more)
    made.add("summary", event.title)
    for key, value in (("location", location), ("description", description)):
        if value:
            made.add(key, value)
    made.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    if method != "PUBLISH":
        made.add("organizer", _person(settings().ORGANISATION_NAME, _sender()))
        made.add("attendee", _person(registration.name, registration.email, attends=True))
    return made


def _dates(event: Event) -> tuple[datetime, datetime, list[datetime]]:
    """Return start, end and the further dates of a series whose meetings are equally long."""
    lengths = {s.ends_at - s.starts_at for s in event.sessions}
    if len(lengths) == 1 and is_series(event):
        first, *others = event.sessions
        return first.starts_at, first.ends_at, [s.starts_at for s in others]
    return event.starts_at, event.ends_at, []


def is_series(event: Event) -> bool:
    """Tell whether an event is a row of meetings on days apart."""
    return series_of([s.starts_at for s in event.sessions], event.time_zone) is not None


def _sender() -> str:
    return settings().ORGANISATION_EMAIL or settings().MAIL_DEFAULT_SENDER


def _person(name: str, address: str, *, attends: bool = False) -> Any:
    from icalendar import vCalAddress, vText  # slow import

    person = vCalAddress(f"mailto:{address}")
    person.params["CN"] = vText(name)
    if attends:
        person.params["PARTSTAT"] = vText("ACCEPTED")
        person.params["RSVP"] = vText("FALSE")
    return person
