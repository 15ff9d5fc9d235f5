"""States of a registration. An order has none: it follows from its registrations and its ledger."""

from enum import StrEnum

from regsys.kernel.states import Moves


class RegistrationState(StrEnum):
    """A registration exists only once a place is claimed."""

    DRAFT = "draft"
    AWAITING_PAYMENT = "awaiting_payment"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    EXPIRED = "expired"


S = RegistrationState
LIVE = frozenset({S.DRAFT, S.AWAITING_PAYMENT, S.CONFIRMED})
UNPAID = frozenset({S.DRAFT, S.AWAITING_PAYMENT})

MOVES: Moves = {
    S.DRAFT: frozenset({S.AWAITING_PAYMENT, S.CONFIRMED, S.EXPIRED, S.CANCELLED}),
    S.AWAITING_PAYMENT: frozenset({S.CONFIRMED, S.EXPIRED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.CANCELLED, S.TRANSFERRED}),
    # Late money that finds a free place.
    S.EXPIRED: frozenset({S.CONFIRMED}),
    S.CANCELLED: frozenset(),
    S.TRANSFERRED: frozenset(),
}


class HandOverState(StrEnum):
    """A place that somebody wants to hand to a colleague; `asked`: the colleague is known, and we have to agree."""

    OPEN = "open"
    ASKED = "asked"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


H = HandOverState
HANDING: Moves = {
    H.OPEN: frozenset({H.ASKED, H.DONE, H.WITHDRAWN}),
    H.ASKED: frozenset({H.DONE, H.DECLINED, H.WITHDRAWN}),
    H.DONE: frozenset(),
    H.DECLINED: frozenset(),
    H.WITHDRAWN: frozenset(),
}
