"""What the page of an event shows: to visitors, and to the organizer who looks at it before they do."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from regsys.events import queries, rules
from regsys.events.models import Event, Session
from regsys.events.states import EventState
from regsys.web.urls import settings


def page_context(event: Event, now: datetime, *, as_if: EventState | None = None) -> dict[str, Any]:
    """Return everything that `events/show.html` needs; `as_if`: in another state than it is."""
    places = queries.places_of([event.id], now=now)[event.id]
    listing = queries.listing(event, places, now=now, as_if=as_if)
    return {
        "listing": listing,
        "event": event,
        "early": rules.EarlyRule(event.early_until, listing.places.early_left),
        "days": _by_day(event.sessions, event.time_zone),
        "zones": _abbreviations(event),
        "credit": _credit(event),
        "hold_minutes": settings().HOLD_MINUTES,
        "now": now,
    }


def _credit(event: Event) -> str:
    hours = sum(s.credit_minutes for s in event.sessions) / 60
    return _("%(hours)s hours", hours=f"{hours:g}") if hours else ""


def _by_day(sessions: Sequence[Session], zone: str) -> list[tuple[date, list[Session]]]:
    days = groupby(sessions, key=lambda s: s.starts_at.astimezone(ZoneInfo(zone)).date())
    return [(day, list(found)) for day, found in days]


def _abbreviations(event: Event) -> list[str]:
    """List the names of the zone's time on the days of the event: two where the clocks change on the way."""
    moments = [s.starts_at for s in event.sessions] or [event.starts_at]
    names = (m.astimezone(ZoneInfo(event.time_zone)).tzname() or "" for m in moments)
    return list(dict.fromkeys(n for n in names if n and n[0] not in "+-"))
