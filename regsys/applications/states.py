"""States of an application. Whether an accepted place was paid, given back or let go stands in its registration."""

from enum import StrEnum

from regsys.kernel.states import Moves


class ApplicationState(StrEnum):
    """Accepted opens an order to pay; under review goes back to submitted when something is asked, or changed."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


S = ApplicationState
WAITING = frozenset({S.SUBMITTED, S.UNDER_REVIEW})

MOVES: Moves = {
    S.SUBMITTED: frozenset({S.UNDER_REVIEW, S.WITHDRAWN}),
    S.UNDER_REVIEW: frozenset({S.SUBMITTED, S.ACCEPTED, S.DECLINED, S.WITHDRAWN}),
    S.ACCEPTED: frozenset(),
    S.DECLINED: frozenset(),
    S.WITHDRAWN: frozenset(),
}
