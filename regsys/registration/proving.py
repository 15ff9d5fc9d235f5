"""Pure questions about prices for members and trainees: who gets one, what proves it, and what it is without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_

# What an organizer's no to a trainee's word has done, beside what was said.
REFUSED = ("refused_by", "why_not", "place", "off", "rest_at", "deposit")
PROOF_WANTED = Refusal(
    "ProofWanted",
    N_("This price is for members of the society. Show that you are one, then choose it."),
)
ONE_MEMBER = Refusal(
    "OneMember",
    N_("The member price is for the one who has shown that they are a member: one place."),
)
PROOF_OF_ANOTHER = Refusal(
    "ProofOfAnother",
    N_("The member price is for the address under which you are a member. Write that one here."),
)


def why_not_as_member(*, places: int, more: int, proven: bool) -> Refusal | None:
    """Give the price for members to whoever proved to be one, for themselves; `places` in all, `more` of them new."""
    if more and not proven:
        return PROOF_WANTED
    return ONE_MEMBER if places > 1 else None


def still_proves(proof: Mapping[str, Any] | None, today: date) -> Mapping[str, Any] | None:
    """Return a proof that was shown before, if it holds today."""
    until = proof.get("until") if proof else None
    return proof if until and today <= date.fromisoformat(str(until)) else None


def as_said(proof: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what was shown or said for a price, as if nobody had refused it: for a place to which it goes along."""
    return {k: v for k, v in proof.items() if k not in REFUSED} if proof else None


def price_without(price: int, others: Sequence[tuple[int, bool]]) -> int | None:
    """Return what a place costs without what was shown for its price, in minor units; None: no more.

    `others` are the prices that ask for no proof, each with whether its place is of the same kind: those come first,
    and of them the lowest that is higher.
    """
    return min(((not same, p) for p, same in others if p > price), default=(True, None))[1]


@dataclass(frozen=True)
class Difference:
    """What a place costs more without what was shown for its price: the `place` alone, less what a code takes `off`."""

    place: int = 0
    off: int = 0

    @property
    def amount(self) -> int:
        return self.place - self.off
