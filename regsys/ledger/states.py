"""States of a refund, and what can be wrong with a payment."""

from enum import StrEnum

from regsys.kernel.states import Moves


class Problem(StrEnum):
    """Why a payment does not count: shown red until it is given back in full, but for what never came."""

    MISMATCH = "mismatch"
    DOUBLE = "double"
    NO_PLACE = "no_place"
    # Written down by hand, and taken back: there was no such money.
    MISTAKE = "mistake"


class RefundState(StrEnum):
    """Requested: our row is committed; submitted: Stripe was asked."""

    REQUESTED = "requested"
    SUBMITTED = "submitted"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


MOVES: Moves = {
    RefundState.REQUESTED: frozenset({RefundState.SUBMITTED}),
    RefundState.SUBMITTED: frozenset(
        {RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED}
    ),
    RefundState.PENDING: frozenset({RefundState.SUCCEEDED, RefundState.FAILED}),
    RefundState.SUCCEEDED: frozenset({RefundState.FAILED}),
    RefundState.FAILED: frozenset(),
}
