"""States of an entry on the waiting list."""

from enum import StrEnum

from regsys.kernel.states import Moves


class EntryState(StrEnum):
    """Lapsed: an offer ran out unanswered; the organizers may offer again."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    LAPSED = "lapsed"
    LEFT = "left"


S = EntryState
# On the list: one such entry per address and event.
LIVE = frozenset({S.WAITING, S.OFFERED})

MOVES: Moves = {
    S.WAITING: frozenset({S.OFFERED, S.LEFT}),
    S.OFFERED: frozenset({S.TAKEN, S.LAPSED, S.LEFT}),
    S.LAPSED: frozenset({S.OFFERED}),
    S.TAKEN: frozenset(),
    S.LEFT: frozenset(),
}
