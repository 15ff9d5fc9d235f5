"""A deposit at first and the rest by a date: how much, until when, and what happens to a place that is not paid."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from regsys.policies.rules.terms import Terms, Unpaid, limit_of

# So long before the rest is due a letter says so; and so long after an order nobody is reminded of it.
REMIND = timedelta(days=14)
QUIET = timedelta(days=3)
# Of something that was added to a price later, with two weeks to pay it, a letter reminds so long before.
REMIND_ADDED = timedelta(days=3)
# The last letter before a place is let go.
LAST = timedelta(days=2)
# Where a place is not let go, people are asked again so often, and so many times.
ASK_AGAIN = timedelta(days=7)
MOST_TIMES = 4


@dataclass(frozen=True)
class Split:
    """What is paid at first, in minor units, and when the rest is due."""

    first: int
    rest_at: datetime


def split(
    terms: Terms, price: int, *, starts_at: datetime, zone: str, now: datetime, unit: int = 1
) -> Split | None:
    """Divide a price into a deposit and a rest; None: all of it is paid at once."""
    rule = terms.down
    if rule is None:
        return None
    share = -(-price * rule.percent // (100 * unit)) * unit
    first = rule.amount or share
    rest_at = limit_of(rule.rest, terms, starts_at=starts_at, zone=zone)
    if first >= price or now >= rest_at:
        return None
    return Split(first, rest_at)


class Stage(StrEnum):
    """Where a rest stands that is not paid."""

    EARLY = "early"
    SOON = "soon"
    DUE = "due"
    LAST = "last"
    OVER = "over"


def let_go_at(terms: Terms, rest_at: datetime) -> datetime:
    """Return when a place whose rest is not paid is let go, or people are asked for the first time again."""
    return rest_at + timedelta(days=terms.down.grace if terms.down else 0)


def stage(
    terms: Terms,
    rest_at: datetime,
    *,
    placed_at: datetime,
    now: datetime,
    remind: timedelta = REMIND,
) -> Stage:
    """Tell where a rest stands that is not paid; the letters and the end follow from it."""
    end = let_go_at(terms, rest_at)
    if now >= end:
        return Stage.OVER
    if now >= rest_at:
        return Stage.LAST if now >= end - LAST and end - LAST > rest_at else Stage.DUE
    if now >= max(rest_at - remind, placed_at + QUIET):
        return Stage.SOON
    return Stage.EARLY


def is_let_go(terms: Terms) -> bool:
    """Tell whether a place whose rest is not paid is let go in the end."""
    return terms.down is not None and terms.down.then is Unpaid.RELEASE


def times_asked(terms: Terms, rest_at: datetime, now: datetime) -> int:
    """Return how often somebody whose place is kept has been asked again by now; it ends at some number."""
    return min(MOST_TIMES, max(0, (now - let_go_at(terms, rest_at)) // ASK_AGAIN + 1))
