"""Shifting the demo's dates by whole weeks, so that its today comes near the real one."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?")


@dataclass(frozen=True)
class Calendar:
    """`zone` is the society's; `loaded_at` is the moment of loading."""

    zone: ZoneInfo
    weeks: int
    demo_now: datetime
    loaded_at: datetime

    def shifted(self, value: Any) -> Any:
        """Return the whole data with every ISO date or date-time moved, as text."""
        if isinstance(value, dict):
            return {k: self.shifted(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.shifted(v) for v in value]
        if isinstance(value, str) and _DATE.fullmatch(value):
            moved = datetime.fromisoformat(value) + timedelta(weeks=self.weeks)
            return (
                moved.date().isoformat()
                if len(value) == 10
                else moved.isoformat(timespec="minutes")
            )
        return value

    def moment(self, text: str, zone: str | None = None) -> datetime:
        """Return UTC for a wall-clock date-time in the society's zone, or in `zone`."""
        local = datetime.fromisoformat(text)
        return local.replace(tzinfo=ZoneInfo(zone) if zone else self.zone).astimezone(UTC)

    def maybe(self, text: str | None) -> datetime | None:
        """Return UTC for a date-time, or None."""
        return self.moment(text) if text else None

    def start_of(self, text: str, zone: str) -> datetime:
        """Return the first moment of a day."""
        day = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(zone))
        return day.astimezone(UTC)

    def end_of(self, text: str | None, zone: str) -> datetime | None:
        """Return the moment at which a day is over."""
        if not text:
            return None
        after = date.fromisoformat(text) + timedelta(days=1)
        return self.start_of(after.isoformat(), zone)

    def running(self, text: str) -> datetime:
        """Return the end of a hold that shall be running now: if the shift left it in the past, its
        distance from the demo's now counts from the moment of loading."""
        end = self.moment(text)
        return end if end > self.loaded_at else self.loaded_at + (end - self.demo_now)


def make_calendar(meta: dict[str, Any], zone: str, *, now: datetime) -> Calendar:
    """Choose the shift: whole weeks that bring the demo's today to now or just before it; nothing done lies ahead."""
    tz = ZoneInfo(zone)
    days = (now.astimezone(tz).date() - date.fromisoformat(meta["demo_today"])).days
    weeks = days // 7
    shifted_now = datetime.fromisoformat(meta["demo_now"]) + timedelta(weeks=weeks)
    return Calendar(tz, weeks, shifted_now.replace(tzinfo=tz).astimezone(UTC), now)
