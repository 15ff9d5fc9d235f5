"""What comes back when somebody gives a place up, with the reasons, and the same as a table with dates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from regsys.policies.rules.terms import Back, Room, Step, Terms, limit_of

EVERYTHING = Back(100)
NOTHING = Back()


class Cause(StrEnum):
    """Why a place is given up."""

    ATTENDEE = "attendee"
    # The society calls the event off, or declines somebody who has paid: everything comes back.
    SOCIETY = "society"
    NO_SHOW = "no_show"


@dataclass(frozen=True)
class Amounts:
    """What was paid for a place, in minor units: for taking part, and for the room."""

    programme: int
    room: int = 0

    @property
    def total(self) -> int:
        return self.programme + self.room


@dataclass(frozen=True)
class Facts:
    """What decides besides the moment.

    `zone` is the event's. `promised_at` is when the event was to begin when the place was taken: an event that moves
    never brings a deadline nearer. `refilled`: somebody has taken the place; `released`: the house takes the room
    back. `unit`: what a percentage is rounded up to, in minor units.
    """

    starts_at: datetime
    zone: str
    promised_at: datetime | None = None
    cause: Cause = Cause.ATTENDEE
    refilled: bool = False
    released: bool = False
    unit: int = 1


class About(StrEnum):
    """What a line of the sum is about."""

    PAID = "paid"
    PROGRAMME = "programme"
    ROOM = "room"
    SHARE = "share"
    FEE = "fee"
    VENUE = "venue"
    DEPOSIT = "deposit"


@dataclass(frozen=True)
class Line:
    """One line of the sum, in minor units: what was paid is above nothing, what is kept of it below."""

    about: About
    amount: int


class Why(StrEnum):
    """Which rule decides."""

    IN_TIME = "in_time"
    TOO_LATE = "too_late"
    BEGUN = "begun"
    NO_SHOW = "no_show"
    REFILLED = "refilled"
    SOCIETY = "society"


@dataclass(frozen=True)
class Refund:
    """What comes back, and why; the lines add up to `amount`.

    `back` is the rule for taking part, or for everything; `room` the one for the room where it has its own, and
    `room_waits` says that the house has to release it first. `until`: from then on it is another rule.
    """

    amount: int
    why: Why
    back: Back
    lines: tuple[Line, ...]
    until: datetime | None = None
    room: Back | None = None
    room_waits: bool = False

    @property
    def paid(self) -> int:
        """Return what was paid."""
        return _sum([line for line in self.lines if line.amount > 0])


def refund(terms: Terms, amounts: Amounts, when: datetime, facts: Facts) -> Refund:
    """Decide what comes back of what was paid when somebody gives a place up at this moment."""
    if facts.cause is Cause.SOCIETY:
        return _whole(Terms(), EVERYTHING, amounts, facts, Why.SOCIETY)
    if facts.cause is Cause.NO_SHOW:
        return _whole(terms, terms.no_show, amounts, facts, Why.NO_SHOW)
    plain = _by_date(terms, amounts, when, facts)
    if not (facts.refilled and terms.refilled) or plain.why is Why.BEGUN:
        return plain
    # The deposit was to keep the place from standing empty, so it comes back with the rest.
    again = _whole(
        replace(terms, deposit=0), terms.refilled, amounts, facts, Why.REFILLED, plain.until
    )
    return again if again.amount > plain.amount else plain


def _by_date(terms: Terms, amounts: Amounts, when: datetime, facts: Facts) -> Refund:
    if when >= facts.starts_at:
        return _whole(terms, terms.begun, amounts, facts, Why.BEGUN)
    step, until = _step_at(terms.steps, terms, when, facts)
    why = Why.IN_TIME if step else Why.TOO_LATE
    back = step.back if step else NOTHING
    if terms.room is None or not amounts.room:
        return _whole(terms, back, amounts, facts, why, until)
    return _in_parts(terms, terms.room, back, amounts, when, facts, why, until)


def _step_at(
    steps: Sequence[Step], terms: Terms, when: datetime, facts: Facts
) -> tuple[Step | None, datetime]:
    """Return the step that counts, with its end; none: it is too late for each."""
    for step in steps:
        limit = _limit(step, terms, facts)
        if when < limit:
            return step, limit
    return None, facts.starts_at


def _limit(step: Step, terms: Terms, facts: Facts) -> datetime:
    begins = max(facts.starts_at, facts.promised_at or facts.starts_at)
    return min(limit_of(step.ahead, terms, starts_at=begins, zone=facts.zone), facts.starts_at)


def _whole(
    terms: Terms,
    back: Back,
    amounts: Amounts,
    facts: Facts,
    why: Why,
    until: datetime | None = None,
) -> Refund:
    lines = _keep(About.PAID, amounts.total, back, terms, facts)
    lines += _keep_deposit(lines, amounts, terms)
    return Refund(_sum(lines), why, back, tuple(lines), until)


def _in_parts(
    terms: Terms,
    rule: Room,
    back: Back,
    amounts: Amounts,
    when: datetime,
    facts: Facts,
    why: Why,
    until: datetime,
) -> Refund:
    """Apply one rule to what taking part costs, and another to the room."""
    step, room_until = _step_at(rule.steps, terms, when, facts)
    waits = step is not None and step.released and not facts.released
    room = step.back if step else NOTHING
    lines = _keep(About.PROGRAMME, amounts.programme, back, terms, facts)
    lines += _keep(About.ROOM, amounts.room, NOTHING if waits else room, terms, facts)
    lines += _keep_deposit(lines, amounts, terms)
    if why is Why.TOO_LATE and room.percent:
        why = Why.IN_TIME
    return Refund(_sum(lines), why, back, tuple(lines), min(until, room_until), room, waits)


def _keep(about: About, paid: int, back: Back, terms: Terms, facts: Facts) -> list[Line]:
    """Return what was paid and what is kept of it; never more than it."""
    share = -(-paid * back.percent // (100 * facts.unit)) * facts.unit
    left = min(paid, share)
    lines = [Line(about, paid), Line(About.SHARE, left - paid)]
    charges = [(About.FEE, back.minus), (About.VENUE, terms.venue if back.venue else 0)]
    for what, charge in charges:
        kept = min(charge, left)
        lines.append(Line(what, -kept))
        left -= kept
    return [line for line in lines if line.amount or line.about is about]


def _keep_deposit(lines: Sequence[Line], amounts: Amounts, terms: Terms) -> list[Line]:
    """Keep what the deposit exceeds the rest that is kept."""
    most = max(0, amounts.total - terms.deposit)
    over = _sum(lines) - most
    return [Line(About.DEPOSIT, -over)] if over > 0 else []


def _sum(lines: Sequence[Line]) -> int:
    return sum(line.amount for line in lines)


# ---- the table that one sees before paying


@dataclass(frozen=True)
class Row:
    """What comes back in one span of time, for each price; `again`: if somebody takes the place, where that is more."""

    since: datetime | None
    until: datetime | None
    refunds: tuple[Refund, ...]
    again: tuple[Refund, ...] = ()

    def holds(self, when: datetime) -> bool:
        """Tell whether this is the row of a moment."""
        return (self.since is None or self.since <= when) and (
            self.until is None or when < self.until
        )


def table(terms: Terms, prices: Sequence[Amounts], facts: Facts) -> list[Row]:
    """Return what comes back of these prices from now to the end, from the function that decides later."""
    steps = [*terms.steps, *(terms.room.steps if terms.room else ())]
    limits = {_limit(step, terms, facts) for step in steps} | {facts.starts_at}
    rows: list[Row] = []
    since: datetime | None = None
    for limit in [*sorted(limits), None]:
        when = limit - timedelta(microseconds=1) if limit else facts.starts_at
        made = tuple(refund(terms, p, when, facts) for p in prices)
        again = tuple(refund(terms, p, when, replace(facts, refilled=True)) for p in prices)
        better = again if any(a.amount > m.amount for a, m in zip(again, made, strict=True)) else ()
        last = rows[-1] if rows else None
        if last and _is_one(last, made, better):
            rows[-1] = replace(last, until=limit)
        else:
            rows.append(Row(since, limit, made, better))
        since = limit
    return rows


def _is_one(last: Row, made: Sequence[Refund], better: Sequence[Refund]) -> bool:
    """Tell whether nothing changes with the end of a row; nothing stays nothing when the event begins."""
    if not any(r.amount for r in [*last.refunds, *made]) and not _waits([*last.refunds, *made]):
        return not better or bool(last.again)
    return _seen(last.refunds) == _seen(made) and _seen(last.again) == _seen(better)


def _waits(refunds: Sequence[Refund]) -> bool:
    return any(r.room_waits for r in refunds)


def _seen(refunds: Sequence[Refund]) -> list[tuple[object, ...]]:
    return [(r.amount, r.back, r.room, r.room_waits) for r in refunds]
