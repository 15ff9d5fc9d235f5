"""States of a refund, and what can be wrong with a payment."""

from enum import StrEnum

from regsys.kernel.states import Moves


class Problem(StrEnum):
    """Why a payment needs a person: shown red until it is given back in full."""

    MISMATCH = "mismatch"
    DOUBLE = "double"
    NO_PLACE = "no_place"


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
