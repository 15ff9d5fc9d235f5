"""Joining a group that has begun: until which meeting, and what of the price is left to pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regsys.kernel.money import MINIMUM_CHARGE, unit


def joins_until(
    meetings: Sequence[tuple[datetime, datetime]], count: int, *, starts_at: datetime
) -> datetime:
    """Return when a group closes to newcomers: with the end of meeting number `count`, or at the start (0).

    `meetings` are (start, end), in order; where there are fewer, the last one counts.
    """
    if not count or not meetings:
        return starts_at
    return meetings[min(count, len(meetings)) - 1][1]


@dataclass(frozen=True)
class Share:
    """How many of all meetings somebody can still come to who joins now."""

    left: int
    total: int

    @property
    def whole(self) -> bool:
        return self.left >= self.total


def share_left(starts: Sequence[datetime], now: datetime) -> Share:
    """Return which share of the meetings is left: one that has begun is missed."""
    return Share(sum(s > now for s in starts), len(starts))


def pro_rated(price: int, share: Share, currency: str) -> int:
    """Return what is to pay for the meetings that are left, in minor units.

    The part of the price is rounded half up to what the currency can be charged in. What no card can be charged with,
    because it is too little, becomes the least that a card takes; it is never more than the whole price.
    """
    if share.whole or not share.total or price == 0:
        return price
    step = unit(currency)
    exact = price * share.left
    rounded = (2 * exact + share.total * step) // (2 * share.total * step) * step
    least = MINIMUM_CHARGE.get(currency.upper(), 50) if share.left else 0
    return min(price, max(rounded, least))
