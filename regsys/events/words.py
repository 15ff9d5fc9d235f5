"""The words in which templates speak of events."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_day_names, get_timezone_name
from flask_babel import get_locale
from flask_babel import gettext as _

from regsys.events.kinds import NAMES, EventKind
from regsys.events.models import Event
from regsys.events.rules import Rhythm, Series, Share
from regsys.events.rules.linting import Clash
from regsys.kernel.text import N_
from regsys.web.html import NBSP, clock, hours
from regsys.web.urls import absolute

COUNTS = (
    N_("No"), N_("One"), N_("Two"), N_("Three"), N_("Four"), N_("Five"), N_("Six"),
    N_("Seven"), N_("Eight"), N_("Nine"), N_("Ten"), N_("Eleven"), N_("Twelve"),
)  # fmt: skip


def named(value: StrEnum) -> str:
    """Return the reader's word for a kind, mode, level or role."""
    return _(NAMES[value])


def kind_options(kinds: Sequence[EventKind], every: str) -> list[tuple[str, str]]:
    """Return what a filter by kind offers."""
    return [("", every), *((k.value, named(k)) for k in kinds)]


def _locale() -> str:
    return str(get_locale() or "en_US")


def _count(n: int) -> str:
    return _(COUNTS[n]) if n < len(COUNTS) else str(n)


def series_words(series: Series) -> str:
    """Return "Eight meetings, every other Tuesday"."""
    count = _count(series.count)
    if series.weekday is None:
        return _("%(count)s meetings", count=count)
    day = get_day_names("wide", locale=_locale())[series.weekday]
    if series.rhythm is Rhythm.WEEKLY:
        return _("%(count)s meetings, every %(day)s", count=count, day=day)
    if series.rhythm is Rhythm.EVERY_OTHER_WEEK:
        return _("%(count)s meetings, every other %(day)s", count=count, day=day)
    if series.rhythm is Rhythm.MONTHLY:
        return _("%(count)s meetings, one %(day)s a month", count=count, day=day)
    return _("%(count)s meetings, always on a %(day)s", count=count, day=day)


def share_words(share: Share) -> str:
    """Return the reason for a price that is part of the whole one."""
    return _(
        "For the %(left)s of %(total)s meetings that are left.", left=share.left, total=share.total
    )


def hours_of(start: datetime, end: datetime, zone: str) -> str:
    """Return "6:30 – 8:00 PM PST"."""
    return f"{hours(start, end, zone)}{NBSP}{clock(end, zone).rsplit(NBSP, 1)[-1]}"


def zone_name(zone: str) -> str:
    """Return "Pacific Time"."""
    return get_timezone_name(ZoneInfo(zone), locale=_locale())


class DayParts(NamedTuple):
    """A day as the margin of a list shows it: "22" above "Thu"."""

    number: int
    name: str
    month: str
    iso: str


def day_parts(value: datetime, zone: str) -> DayParts:
    """Return the parts of a moment's day in the zone."""
    day = value.astimezone(ZoneInfo(zone)).date()
    name, month = (format_date(day, form, locale=_locale()) for form in ("EEE", "MMM"))
    return DayParts(day.day, name, month, day.isoformat())


def weekday(value: date) -> str:
    """Return "Thursday"."""
    return format_date(value, "EEEE", locale=_locale())


def short_date(value: date) -> str:
    """Return "22 Apr 2027": where the weekday stands beside it, or a day of news does not matter."""
    return format_date(value, f"d{NBSP}MMM y", locale=_locale())


def month_name(value: date) -> str:
    """Return "December"."""
    return format_date(value, "LLLL", locale=_locale())


def month(value: date) -> str:
    """Return "October 2027"."""
    return format_date(value, "LLLL y", locale=_locale())


def private_link(event: Event) -> str:
    """Return the address that opens the page of a private event; empty where none was made, or it is not kept."""
    if not event.private_key:
        return ""
    return absolute("events.show", slug=event.slug, key=event.private_key)


def clash_words(clashes: Sequence[Clash]) -> list[str]:
    """Return a warning for each stated percentage with which the prices do not agree."""
    return [
        _(
            "It says “%(words)s”, but the prices make %(actual)s%%, not %(stated)s%%.",
            words=clash.words,
            actual=f"{clash.actual:g}",
            stated=f"{clash.stated:g}",
        )
        for clash in clashes
    ]


FILTERS = (
    named, series_words, hours_of, zone_name, day_parts, weekday, short_date, month_name, month,
)  # fmt: skip
