"""How what comes back is divided: between money and the credit that paid, and as an organizer decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class How(StrEnum):
    """How an organizer who ends somebody's place settles what was paid for it."""

    RULES = "rules"
    ALL = "all"
    OWN = "own"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Settled:
    """What goes back of a price, in minor units: in money, and to the credit that paid a part of it."""

    money: int = 0
    credit: int = 0


@dataclass(frozen=True)
class Leaving:
    """One person who leaves, and their money in minor units: what was paid, and what goes back in which way.

    `why` and `lines` explain it, in words. `credit`: what is kept, and counts for a later event until a time. Of what
    an earlier credit paid (`by_credit`) some goes back to it (`to_credit`).
    """

    registration_id: int
    paid: int = 0
    card: int = 0
    by_hand: int = 0
    why: str = ""
    lines: Sequence[tuple[str, str]] = ()
    credit: int = 0
    credit_until: datetime | None = None
    by_credit: int = 0
    to_credit: int = 0

    @property
    def kept(self) -> int:
        return self.paid - self.card - self.by_hand

    @property
    def value(self) -> int:
        return self.paid + self.by_credit


def divide(back: int, *, money: int, credit: int, unit: int = 1) -> Settled:
    """Divide what comes back by a rule between what was paid in money and by a credit, in their shares.

    A credit never becomes money: no more goes back in money than came. What is rounded is rounded up for the money, to
    `unit`.
    """
    if not money + credit:
        return Settled()
    share = -(-back * money // ((money + credit) * unit)) * unit
    cash = min(money, back, share)
    return Settled(cash, back - cash)


def settle(how: How, own: int, *, money: int, credit: int) -> Settled:
    """Tell what goes back where no rule decides: everything, nothing, or an amount of its own, first of the money."""
    if how is How.ALL:
        return Settled(money, credit)
    if how is How.OWN:
        cash = min(own, money)
        return Settled(cash, min(own - cash, credit))
    return Settled()
