"""Pure questions about places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_


@dataclass(frozen=True)
class PoolCount:
    """How a pool stands. `settled` and `held` are live claims without and with an end; `size` None means unsized.

    `owed` empty places are kept for people who wait; `waited`: somebody waited here once.
    """

    pool_id: int
    size: int | None
    settled: int
    held: int
    owed: int = 0
    waited: bool = False

    @property
    def empty(self) -> int | None:
        """Return how many places nobody holds, or None where they never run out."""
        return None if self.size is None else max(0, self.size - self.settled - self.held)

    @property
    def free(self) -> int | None:
        """Return how many places are left for everybody, or None where they never run out."""
        return None if self.empty is None else max(0, self.empty - self.owed)


def places_left(counts: Sequence[PoolCount]) -> int | None:
    """Return how many places can be had where each draws on all these pools; None: never runs out."""
    free = [c.free for c in counts if c.free is not None]
    return min(free) if free else None


@dataclass(frozen=True)
class Party:
    """People who wait together and come before everybody else; `choices` are the pools of each type they would take."""

    size: int
    choices: Sequence[Sequence[int]]


def owed_to(parties: Sequence[Party], empty: Mapping[int, int]) -> dict[int, int]:
    """Return how many empty places of each pool are owed to those who wait; `empty` has sized pools only.

    Each party in turn takes the first of its choices in which all of it fits; one that fits nowhere is owed nothing.
    """
    left, owed = dict(empty), dict.fromkeys(empty, 0)
    for party in parties:
        fits = (c for c in party.choices if all(left.get(p, party.size) >= party.size for p in c))
        for pool in next(fits, ()):
            if pool in left:
                left[pool] -= party.size
                owed[pool] += party.size
    return owed


def why_full(
    wanted: Mapping[int, int], free: Mapping[int, Sequence[int]], sized: Mapping[int, bool]
) -> Refusal | None:
    """Refuse if a sized pool has fewer free places than wanted."""
    short = [len(free[p]) for p, n in wanted.items() if sized[p] and len(free[p]) < n]
    if not short:
        return None
    if min(short) == 0:
        return Refusal("Full", N_("All places are taken or held at the moment."))
    return Refusal(
        "TooFewPlaces", N_("Only %(left)s of these places are left."), {"left": min(short)}
    )


def places_taken(taken: int) -> Refusal:
    """Refuse to shrink a pool below what is taken or held."""
    sentence = N_("%(taken)s places are taken or held; it cannot be fewer.")
    return Refusal("PlacesTaken", sentence, {"taken": taken})
