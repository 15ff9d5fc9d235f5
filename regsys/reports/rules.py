"""Pure arithmetic for reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# So long an unpaid place is held while somebody is paying; what is held longer, somebody has promised.
AT_THE_TILL = timedelta(hours=1)
WEEK = timedelta(days=7)


# ---- whose money is it?


@dataclass(frozen=True)
class Cost:
    """What a registration costs now, and what it cost before anything was given back (minor units)."""

    total: int
    came: int


@dataclass(frozen=True)
class Share:
    """What of an order's money belongs to one registration (minor units)."""

    cost: Cost
    paid: int
    refunded: int

    @property
    def due(self) -> int:
        """Return what is still to pay; never negative."""
        return max(0, self.cost.total - self.paid + self.refunded)


def allocate(amount: int, *rounds: Mapping[int, int]) -> dict[int, int]:
    """Spread an amount over ids: in each round every id takes, in order, up to what the round allows it.

    What is left goes to the last one that took something, or else to the last: the sum always equals `amount`.
    """
    left = amount
    shares: dict[int, int] = {i: 0 for one in rounds for i in one}
    for one in rounds:
        for i, most in one.items():
            took = min(left, max(0, most))
            shares[i] += took
            left -= took
    if left and shares:
        takers = [i for i, share in shares.items() if share] or list(shares)
        shares[takers[-1]] += left
    return shares


def share_out(paid: int, refunded: int, costs: Mapping[int, Cost]) -> dict[int, Share]:
    """Tell whose money an order's money is, to the cent.

    Money pays first for what is still taken, then for what was given back; it goes back first to those who paid more
    than they cost now.
    """
    given_back = {i: c.came - c.total for i, c in costs.items()}
    ins = allocate(paid, {i: c.total for i, c in costs.items()}, given_back)
    over = {i: max(0, ins[i] - c.total) for i, c in costs.items()}
    outs = allocate(refunded, over, {i: ins[i] - over[i] for i in costs})
    return {i: Share(c, ins[i], outs[i]) for i, c in costs.items()}


# ---- how an event goes


@dataclass(frozen=True)
class Progress:
    """How far a series is: `done` of `total` meetings have begun; `next_at` is when the next one begins."""

    done: int
    total: int
    next_at: datetime | None


def progress(starts: Sequence[datetime], now: datetime) -> Progress:
    """Return how far an event's meetings are."""
    coming = [s for s in starts if s > now]
    return Progress(len(starts) - len(coming), len(starts), min(coming, default=None))


def pace(moments: Iterable[datetime], now: datetime, weeks: int = 15) -> list[int]:
    """Count by week, the last one ending now; what is older is left out."""
    counts = [0] * weeks
    for at in moments:
        ago = (now - at) // WEEK
        if 0 <= ago < weeks:
            counts[weeks - 1 - ago] += 1
    return counts


def is_promised(until: datetime | None, now: datetime) -> bool:
    """Tell whether an unpaid place is held by somebody's decision: for longer than paying takes, or without end."""
    return until is None or until - now > AT_THE_TILL


# ---- money by event and month


@dataclass(frozen=True)
class Bar:
    """One month of the picture: heights and tops in units of its drawing."""

    label: str
    x: int
    came: int
    back: int


def bars(months: Sequence[tuple[str, int, int]], *, height: int = 120, step: int = 44) -> list[Bar]:
    """Return a bar for each (month, came, given back), as high as its money compared with the best month."""
    most = max((max(came, back) for _, came, back in months), default=0) or 1
    return [
        Bar(label, 8 + i * step, round(came * height / most), round(back * height / most))
        for i, (label, came, back) in enumerate(months)
    ]
