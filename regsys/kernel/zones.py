"""Wall clocks: what a person types in a zone, and the moment that it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones


class Clocks(StrEnum):
    """What the clocks of a zone do at a wall time."""

    STEADY = "steady"
    SKIPPED = "skipped"
    TWICE = "twice"


@dataclass(frozen=True)
class Moment:
    """A moment in UTC; a skipped wall time is moved forward by the change, of two equal ones the first is taken."""

    at: datetime
    clocks: Clocks = Clocks.STEADY


@lru_cache
def names() -> tuple[str, ...]:
    """Return the zones that people may choose: IANA names with a place in them, and UTC."""
    plain = (
        z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "SystemV/"))
    )
    return (*sorted(plain), "UTC")


def is_known(zone: str) -> bool:
    """Tell whether a person may choose the zone."""
    return zone in names()


def moment(wall: datetime, zone: str, *, stored: datetime | None = None) -> Moment:
    """Return the moment of a naive wall time; `stored` is kept where it shows as the same wall time."""
    if stored is not None and wall_time(stored, zone) == wall:
        return Moment(stored)
    first = wall.replace(tzinfo=ZoneInfo(zone), fold=0)
    at = first.astimezone(UTC)
    if wall_time(at, zone) != wall:
        return Moment(at, Clocks.SKIPPED)
    twice = first.utcoffset() != first.replace(fold=1).utcoffset()
    return Moment(at, Clocks.TWICE if twice else Clocks.STEADY)


def wall_time(at: datetime, zone: str) -> datetime:
    """Return what a clock on the wall shows at a moment, without a zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def carry(at: datetime, old: str, new: str) -> datetime:
    """Return the moment at which a clock in the zone `new` shows what one in `old` shows at `at`."""
    return moment(wall_time(at, old), new).at


def later(at: datetime, days: int, zone: str) -> datetime:
    """Return the same wall time some days later."""
    return moment(wall_time(at, zone) + timedelta(days=days), zone).at
