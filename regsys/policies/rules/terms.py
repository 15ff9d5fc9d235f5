"""A refund policy as typed data, read from JSON and written to it; amounts are in the event's minor units."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from regsys.kernel.zones import is_known, moment, wall_time

MOST = 10**12
END_OF_DAY = "24:00"


def _need(fine: bool, what: str) -> None:
    if not fine:
        raise ValueError(what)


@dataclass(frozen=True)
class Ahead:
    """How long before the first day: calendar months, then days."""

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        _need(0 <= self.months <= 60, "months")
        _need(0 <= self.days <= 1500, "days")


@dataclass(frozen=True)
class Back:
    """How much comes back: a percentage, less a flat fee, less what the house charges for the person (`venue`)."""

    percent: int = 0
    minus: int = 0
    venue: bool = False

    def __post_init__(self) -> None:
        _need(0 <= self.percent <= 100, "percent")
        _need(0 <= self.minus <= MOST, "minus")


@dataclass(frozen=True)
class Step:
    """What comes back of whoever cancels at least so long before; `released`: only if the house releases the room."""

    ahead: Ahead
    back: Back
    released: bool = False


@dataclass(frozen=True)
class Room:
    """A rule of its own for the part of the price that pays for the room."""

    steps: tuple[Step, ...] = ()


class Allowed(StrEnum):
    """Whether something may be done."""

    NO = "no"
    APPROVAL = "approval"
    FREE = "free"


class Taker(StrEnum):
    """Who may take a place over."""

    ANYONE = "anyone"
    # Only where somebody else, such as the employer, paid for the place.
    EMPLOYER_PAID = "employer_paid"
    SAME_WORKPLACE = "same_workplace"


@dataclass(frozen=True)
class Substitute:
    """Whether a colleague may take the place, until when, and what it costs."""

    allowed: Allowed = Allowed.NO
    until: Ahead = Ahead()
    fee: int = 0
    taker: Taker = Taker.ANYONE

    def __post_init__(self) -> None:
        _need(0 <= self.fee <= MOST, "fee")


@dataclass(frozen=True)
class Transfer:
    """Whether one may move to another event: until when, for what, how often, and to one how many months later."""

    allowed: Allowed = Allowed.NO
    until: Ahead = Ahead()
    fee: int = 0
    times: int = 1
    within_months: int = 12

    def __post_init__(self) -> None:
        _need(0 <= self.fee <= MOST, "fee")
        _need(1 <= self.times <= 20, "times")
        _need(1 <= self.within_months <= 60, "within_months")


class Carried(StrEnum):
    """What may be carried over to a later event."""

    DEPOSIT = "deposit"
    WHAT_IS_KEPT = "what_is_kept"


@dataclass(frozen=True)
class Credit:
    """What is not given back, and counts for an event within so many months (0: nothing does)."""

    months: int = 0
    what: Carried = Carried.DEPOSIT

    def __post_init__(self) -> None:
        _need(0 <= self.months <= 60, "months")


class Unpaid(StrEnum):
    """What happens to a place whose rest is not paid by its date and some days more."""

    RELEASE = "release"
    # The place is kept, and people are asked again.
    CHASE = "chase"


@dataclass(frozen=True)
class Down:
    """A deposit that makes a place sure: an amount, or a percentage; the rest is due so long before the first day.

    What happens where it is not paid happens `grace` days later.
    """

    amount: int = 0
    percent: int = 0
    rest: Ahead = Ahead(days=30)
    then: Unpaid = Unpaid.RELEASE
    grace: int = 7

    def __post_init__(self) -> None:
        _need(0 <= self.amount <= MOST, "amount")
        _need(0 <= self.percent < 100, "percent")
        _need(bool(self.amount) != bool(self.percent), "amount or percent")
        _need(0 <= self.grace <= 60, "grace")


@dataclass(frozen=True)
class Terms:
    """What comes back of a price.

    `steps` begin with the earliest; after the last nothing comes back. Without `room` they are for the whole price.
    `deposit` stays with the society whatever a step says, except where the place is taken again (`refilled`).
    `venue` is what the house charges for a person. After the event has begun `begun` counts, `no_show` for somebody
    who did not come. With `down` a place is sure for a deposit. Deadlines end at `time` of their day in `zone`, or in
    the event's zone.
    """

    steps: tuple[Step, ...] = ()
    room: Room | None = None
    refilled: Back | None = None
    deposit: int = 0
    venue: int = 0
    begun: Back = Back()
    no_show: Back = Back()
    substitute: Substitute = field(default_factory=Substitute)
    transfer: Transfer = field(default_factory=Transfer)
    credit: Credit = field(default_factory=Credit)
    down: Down | None = None
    time: str = END_OF_DAY
    zone: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        _need(0 <= self.deposit <= MOST, "deposit")
        _need(0 <= self.venue <= MOST, "venue")
        _need(_is_hour(self.time), "time")
        _need(not self.zone or is_known(self.zone), "zone")
        for steps in (self.steps, self.room.steps if self.room else ()):
            lengths = [(s.ahead.months * 31 + s.ahead.days) for s in steps]
            _need(lengths == sorted(set(lengths), reverse=True), "steps")
            _need(len(steps) <= 12, "steps")


def _is_hour(text: str) -> bool:
    try:
        return text == END_OF_DAY or f"{time.fromisoformat(text):%H:%M}" == text
    except ValueError:
        return False


# ---- deadlines


def limit_of(ahead: Ahead, terms: Terms, *, starts_at: datetime, zone: str) -> datetime:
    """Return the moment from which it is too late for a step; never after the event has begun."""
    zone = terms.zone or zone
    last = months_on(wall_time(starts_at, zone).date(), -ahead.months)
    last -= timedelta(days=ahead.days)
    if terms.time == END_OF_DAY:
        wall = datetime.combine(last + timedelta(days=1), time())
    else:
        wall = datetime.combine(last, time.fromisoformat(terms.time))
    return min(moment(wall, zone).at, starts_at)


def months_on(day: date, months: int) -> date:
    """Return the same day some calendar months later, or earlier, or the last of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# ---- JSON


def write(terms: Terms) -> dict[str, Any]:
    """Return JSON that `read` takes; what stands for itself is left out."""
    return _short(terms)


def _short(row: Any) -> dict[str, Any]:
    data = asdict(row)
    return {f.name: data[f.name] for f in fields(row) if getattr(row, f.name) != _default(f)}


def _default(f: Any) -> Any:
    return f.default_factory() if f.default_factory is not MISSING else f.default


def read(data: Any) -> Terms:
    """Read terms from JSON; raise ValueError, naming the place, for anything that is not exactly such."""
    terms: Terms = _read(Terms, data, "terms")
    return terms


def _read(kind: Any, data: Any, at: str) -> Any:
    if is_dataclass(kind):
        return _read_row(kind, data, at)
    if get_origin(kind) is UnionType:
        inner = next(k for k in get_args(kind) if k is not NoneType)
        return None if data is None else _read(inner, data, at)
    if get_origin(kind) is tuple:
        if not isinstance(data, list | tuple):
            raise ValueError(f"{at} is no list")
        return tuple(_read(get_args(kind)[0], one, f"{at}[{i}]") for i, one in enumerate(data))
    if issubclass(kind, StrEnum) and isinstance(data, str) and data in list(kind):
        return kind(data)
    if type(data) is not kind:
        raise ValueError(f"{at} is no {kind.__name__}")
    return data


def _read_row(kind: Any, data: Any, at: str) -> Any:
    if not isinstance(data, Mapping):
        raise ValueError(f"{at} is no object")
    hints = get_type_hints(kind)
    if unknown := set(data) - set(hints):
        raise ValueError(f"{at} has no {min(unknown)}")
    try:
        return kind(**{k: _read(hints[k], v, f"{at}.{k}") for k, v in data.items()})
    except TypeError as e:
        raise ValueError(f"{at}: {e}") from None
