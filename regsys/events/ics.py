"""Calendar text (RFC 5545). Times are UTC: every calendar understands them and shows them in its own zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.web.urls import absolute, settings

CALENDAR_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True)
class Entry:
    """One entry of a calendar; `organizer` and `attendee` are (name, address), for METHOD REQUEST and CANCEL."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    location: str = ""
    description: str = ""
    url: str = ""
    cancelled: bool = False
    organizer: tuple[str, str] | None = None
    attendee: tuple[str, str] | None = None


def write(entries: Sequence[Entry], *, method: str, now: datetime, name: str = "") -> str:
    """Return a calendar with these entries; `now` becomes DTSTAMP."""
    from icalendar import Calendar  # slow import

    calendar = Calendar()
    calendar.add("prodid", "-//regsys//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", name)
        calendar.add("name", name)
    for entry in entries:
        calendar.add_component(_component(entry, now))
    text: bytes = calendar.to_ical()
    return text.decode()


def _component(entry: Entry, now: datetime) -> Any:
    from icalendar import Event as Component  # slow import

    made = Component()
    made.add("uid", entry.uid)
    made.add("dtstamp", now)
    made.add("sequence", entry.sequence)
    made.add("dtstart", entry.starts_at)
    made.add("dtend", entry.ends_at)
    made.add("summary", entry.summary)
    for key in ("location", "description", "url"):
        if getattr(entry, key):
            made.add(key, getattr(entry, key))
    made.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    for key in ("organizer", "attendee"):
        if getattr(entry, key):
            made.add(key, _person(*getattr(entry, key)))
    return made


def _person(name: str, address: str) -> Any:
    from icalendar import vCalAddress, vText  # slow import

    person = vCalAddress(f"mailto:{address}")
    person.params["CN"] = vText(name)
    return person


def entries_of(event: Event, *, location: str, url: str | None = None) -> list[Entry]:
    """Return an entry for each session of an event, or one for the whole where it has no sessions."""
    host = urlsplit(settings().BASE_URL).hostname or "localhost"
    url = url or absolute("events.show", slug=event.slug)
    spans = [
        (f"session-{s.id}", s.starts_at, s.ends_at, f"{event.title}: {s.title}")
        for s in event.sessions
    ] or [(f"event-{event.id}", event.starts_at, event.ends_at, event.title)]
    return [
        Entry(
            uid=f"{key}@{host}",
            sequence=event.sequence,
            starts_at=starts_at,
            ends_at=ends_at,
            summary=summary,
            location=location,
            description=event.summary,
            url=url,
            cancelled=event.state is EventState.CANCELLED,
        )
        for key, starts_at, ends_at, summary in spans
    ]
