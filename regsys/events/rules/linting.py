"""Pure questions about what an event says of its prices: does a stated percentage agree with the table?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regsys.events.kinds import Rate

_SHARE = re.compile(r"(\d{1,2}(?:[.,]\d{1,2})?)\s*(?:%|percent\b|per cent\b)", re.IGNORECASE)
_CHEAPER = re.compile(
    r"\b(off|less|cheaper|discount\w*|save\w*|saving\w*|reduc\w+|lower|early)\b", re.IGNORECASE
)
# What is said of refunds and taxes is about something else.
_ELSE = re.compile(r"\b(back|refund\w*|cancel\w*|return\w*|tax\w*|vat)\b", re.IGNORECASE)
# Prices are whole amounts: a tenth of a percent is no difference that anybody states.
CLOSE = 0.1


@dataclass(frozen=True)
class Priced:
    """One ticket type with its amounts in minor units and what is written about it."""

    name: str
    text: str
    amounts: Mapping[Rate, int]


@dataclass(frozen=True)
class Clash:
    """A percentage that the table does not have; `actual` is the nearest that it has."""

    words: str
    stated: float
    actual: float


def list_clashes(texts: Sequence[str], types: Sequence[Priced]) -> list[Clash]:
    """List stated percentages with which no price of the table agrees.

    What a type says of itself is compared with that type alone; the other texts with all of them.
    """
    found = [clash for text in texts for clash in _clashes(text, _shares(types, types))]
    for one in types:
        found += _clashes(f"{one.name}. {one.text}", _shares([one], types))
    return list(dict.fromkeys(found))


def _clashes(text: str, shares: Sequence[float]) -> list[Clash]:
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
        if not _CHEAPER.search(sentence) or _ELSE.search(sentence):
            continue
        for match in _SHARE.finditer(sentence):
            stated = float(match[1].replace(",", "."))
            actual = min(shares, key=lambda s: abs(s - stated), default=None)
            if actual is not None and abs(actual - stated) > CLOSE:
                found.append(Clash(sentence.strip()[:80], stated, round(actual, 1)))
    return found


def _shares(mine: Sequence[Priced], everybody: Sequence[Priced]) -> list[float]:
    """Return by how much these types are cheaper: the early price than the regular, and one type than another."""
    shares = []
    for one in mine:
        early, regular = one.amounts.get(Rate.EARLY), one.amounts.get(Rate.REGULAR)
        if early is not None and regular:
            shares.append(_less(early, regular))
        for other in everybody:
            for rate, amount in one.amounts.items():
                if other.amounts.get(rate, 0) > amount:
                    shares.append(_less(amount, other.amounts[rate]))
    return shares


def _less(amount: int, than: int) -> float:
    return 100 * (than - amount) / than
