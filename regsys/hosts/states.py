"""What becomes of somebody who asks a host for a seat."""

from enum import StrEnum

from regsys.kernel.states import Moves


class RequestState(StrEnum):
    """Approved: the name is on a seat, and its registration tells the rest."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


S = RequestState
MOVES: Moves = {
    S.WAITING: frozenset({S.APPROVED, S.DECLINED}),
    S.APPROVED: frozenset(),
    S.DECLINED: frozenset(),
}
