"""The words in which templates speak of events."""

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel.dates import get_day_names, get_timezone_name
from flask_babel import get_locale
from flask_babel import gettext as _

from regsys.events.kinds import NAMES
from regsys.events.rules import Rhythm, Series
from regsys.kernel.text import N_
from regsys.web.html import NBSP, clock, hours

COUNTS = (
    N_("No"), N_("One"), N_("Two"), N_("Three"), N_("Four"), N_("Five"), N_("Six"),
    N_("Seven"), N_("Eight"), N_("Nine"), N_("Ten"), N_("Eleven"), N_("Twelve"),
)  # fmt: skip


def named(value: StrEnum) -> str:
    """Return the reader's word for a kind, mode, level or role."""
    return _(NAMES[value])


def _count(n: int) -> str:
    return _(COUNTS[n]) if n < len(COUNTS) else str(n)


def series_words(series: Series) -> str:
    """Return "Eight meetings, every other Tuesday"."""
    count = _count(series.count)
    if series.weekday is None:
        return _("%(count)s meetings", count=count)
    day = get_day_names("wide", locale=get_locale() or "en_US")[series.weekday]
    if series.rhythm is Rhythm.WEEKLY:
        return _("%(count)s meetings, every %(day)s", count=count, day=day)
    if series.rhythm is Rhythm.EVERY_OTHER_WEEK:
        return _("%(count)s meetings, every other %(day)s", count=count, day=day)
    if series.rhythm is Rhythm.MONTHLY:
        return _("%(count)s meetings, one %(day)s a month", count=count, day=day)
    return _("%(count)s meetings, always on a %(day)s", count=count, day=day)


def hours_of(start: datetime, end: datetime, zone: str) -> str:
    """Return "6:30 – 8:00 PM PST"."""
    return f"{hours(start, end, zone)}{NBSP}{clock(end, zone).rsplit(NBSP, 1)[-1]}"


def zone_name(zone: str) -> str:
    """Return "Pacific Time"."""
    return get_timezone_name(ZoneInfo(zone), locale=get_locale() or "en_US")


FILTERS = (named, series_words, hours_of, zone_name)
