"""States of a payment attempt."""

from enum import StrEnum

from regsys.kernel.states import Moves


class AttemptState(StrEnum):
    """`created`: our row is there and Stripe's answer is not recorded yet; `abandoned`: Stripe never had it."""

    CREATED = "created"
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    ABANDONED = "abandoned"


A = AttemptState
# While an attempt is in one of these, its claims have no end: only settle() frees them.
HOLDING = frozenset({A.CREATED, A.OPEN, A.PROCESSING})

MOVES: Moves = {
    A.CREATED: frozenset({A.OPEN, A.PROCESSING, A.PAID, A.EXPIRED, A.QUARANTINED, A.ABANDONED}),
    # Abandoned although it was open: Stripe does not know it under the key that is set now.
    A.OPEN: frozenset({A.PROCESSING, A.PAID, A.EXPIRED, A.QUARANTINED, A.ABANDONED}),
    A.PROCESSING: frozenset({A.PAID, A.FAILED, A.QUARANTINED}),
    A.PAID: frozenset(),
    # Stripe does not do this; but if money comes all the same, it is written down.
    A.EXPIRED: frozenset({A.PAID, A.QUARANTINED}),
    A.FAILED: frozenset({A.PAID, A.QUARANTINED}),
    A.QUARANTINED: frozenset(),
    # Found at Stripe after all.
    A.ABANDONED: frozenset({A.PAID, A.QUARANTINED, A.EXPIRED}),
}
