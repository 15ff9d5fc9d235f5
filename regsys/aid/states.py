"""States of a request for help with the fee."""

from enum import StrEnum

from regsys.kernel.states import Moves


class RequestState(StrEnum):
    """Awarded: money and place are reserved together. Used: the place is confirmed. Returned: the fund has it again."""

    ASKED = "asked"
    AWARDED = "awarded"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    USED = "used"
    RETURNED = "returned"


S = RequestState
# What counts against the budget of a fund.
GIVEN = frozenset({S.AWARDED, S.USED})
# What came to nothing.
OVER = frozenset({S.DECLINED, S.WITHDRAWN, S.RETURNED})

MOVES: Moves = {
    S.ASKED: frozenset({S.AWARDED, S.DECLINED, S.WITHDRAWN}),
    S.AWARDED: frozenset({S.USED, S.RETURNED}),
    S.USED: frozenset({S.RETURNED}),
    S.DECLINED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.RETURNED: frozenset(),
}
