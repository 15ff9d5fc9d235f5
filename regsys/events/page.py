"""What the page of an event shows: to visitors, and to the organizer who looks at it before they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup

from regsys.events import queries, rules, words
from regsys.events.kinds import Visibility
from regsys.events.models import Event, Session
from regsys.events.queries import PriceRow
from regsys.events.states import EventState
from regsys.kernel import money
from regsys.policies.rules import Amounts, Facts
from regsys.policies.words import RefundTable, table_of
from regsys.web import html
from regsys.web.html import times
from regsys.web.urls import settings


@dataclass(frozen=True)
class Shown:
    """The page of one event, ready to be framed; it holds no rows, so that it can be kept."""

    event_id: int
    state: EventState
    visibility: Visibility
    title: str
    description: str
    content: Markup
    sticky: Markup


def show_event(event: Event, now: datetime, *, as_if: EventState | None = None) -> Shown:
    """Render the page of an event; `as_if`: in another state than it is."""
    context = _context(event, now, as_if)
    place = event.venue.name if event.venue else words.named(event.mode)
    when = times(event.starts_at, event.ends_at, event.time_zone)
    return Shown(
        event.id,
        event.state,
        event.visibility,
        event.title,
        " ".join(part for part in (event.summary, f"{when}.", f"{place}.") if part),
        Markup(render_template("events/_page.html", **context)),
        Markup(render_template("events/_sticky.html", **context).strip()),
    )


def _context(event: Event, now: datetime, as_if: EventState | None) -> dict[str, Any]:
    places = queries.places_of([event.id], now=now)[event.id]
    listing = queries.listing(event, places, now=now, as_if=as_if)
    return {
        "listing": listing,
        "event": event,
        "early": rules.EarlyRule(event.early_until, listing.places.early_left),
        "days": _by_day(event.sessions, event.time_zone),
        "zones": _abbreviations(event),
        "credit": _credit(event),
        "options": [o for o in queries.list_options([event.id]) if o.on_sale]
        if listing.prices
        else [],
        "t": _refunds(event, listing.prices),
        "hold_minutes": settings().HOLD_MINUTES,
        "now": now,
    }


def _refunds(event: Event, prices: Sequence[PriceRow]) -> RefundTable | None:
    """Return what comes back by date, of the first price and of the first one with a room; the words say the rest."""
    paid = [row for row in prices if row.now]
    if event.policy is None or not paid:
        return None
    some = [paid[0], *[row for row in paid[1:] if row.ticket_type.room_part][:1]]
    columns = [
        (
            _(
                "%(name)s, %(price)s",
                name=row.ticket_type.name,
                price=html.money(row.now, event.currency),
            ),
            Amounts(row.now - row.ticket_type.room_part, row.ticket_type.room_part),
        )
        for row in some
    ]
    facts = Facts(event.starts_at, event.time_zone, unit=money.unit(event.currency))
    return table_of(event.policy, columns, facts, event.currency)


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
