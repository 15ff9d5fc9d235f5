"""What an amount means: pure questions about money that came and went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.ledger.states import Problem, RefundState

# A refund counts from the moment at which it is asked for, until it has failed.
COUNTED = frozenset(RefundState) - {RefundState.FAILED}
# Stripe's words for a dispute that has come to nothing. Any other is open or lost, also one that we do not know.
HARMLESS = frozenset({"won", "warning_closed", "prevented"})
CLOSED = HARMLESS | {"lost"}
# So long what a person wrote down about money that went by hand can be taken back as a mistake.
MISTAKE_WITHIN = timedelta(days=14)
MISTAKE = "written down by mistake"


class MoneyState(StrEnum):
    """How an order stands in money; derived, never stored."""

    NOTHING_DUE = "nothing due"
    UNPAID = "unpaid"
    PROCESSING = "processing"
    DEPOSIT_PAID = "deposit paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    PARTLY_REFUNDED = "partly refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


WORDS = {
    MoneyState.NOTHING_DUE: N_("Nothing due"),
    MoneyState.UNPAID: N_("Unpaid"),
    MoneyState.PROCESSING: N_("Processing"),
    MoneyState.DEPOSIT_PAID: N_("Deposit paid"),
    MoneyState.PAID: N_("Paid"),
    MoneyState.OVERPAID: N_("Overpaid"),
    MoneyState.PARTLY_REFUNDED: N_("Partly refunded"),
    MoneyState.REFUNDED: N_("Refunded"),
    MoneyState.DISPUTED: N_("Disputed"),
}

REFUND_WORDS = {
    RefundState.REQUESTED: N_("Waits for Stripe"),
    RefundState.SUBMITTED: N_("Stripe was asked"),
    RefundState.PENDING: N_("On its way"),
    RefundState.SUCCEEDED: N_("Given back"),
    RefundState.FAILED: N_("Failed"),
}
METHOD_WORDS = {
    "card": N_("by card"),
    "cheque": N_("by cheque"),
    "bank_transfer": N_("by bank transfer"),
    "cash": N_("in cash"),
}
DISPUTE_WORDS = {
    "warning_needs_response": N_("The bank asks; an answer is needed"),
    "warning_under_review": N_("The bank asks; our answer is with it"),
    "warning_closed": N_("The bank asked, and it came to nothing"),
    "needs_response": N_("Contested; an answer is needed"),
    "under_review": N_("Contested; our answer is with the bank"),
    "won": N_("Won: the money stays here"),
    "lost": N_("Lost: the money went back"),
    "prevented": N_("It came to nothing"),
}
PROBLEM_TITLES = {
    Problem.MISTAKE: N_("Written down by mistake"),
    Problem.MISMATCH: N_("Not the amount that we asked for"),
    Problem.DOUBLE: N_("Paid twice"),
    Problem.NO_PLACE: N_("Paid, and no place is free"),
}
PROBLEM_WORDS = {
    Problem.MISTAKE: N_("This money never came; it was written down by mistake and taken back."),
    Problem.MISMATCH: N_(
        "Amount or currency differ from the order, so nobody was confirmed by it."
    ),
    Problem.DOUBLE: N_(
        "The order was paid before. Its places are confirmed, this money is too much and goes back."
    ),
    Problem.NO_PLACE: N_(
        "The money came after the places were given away. Nobody was confirmed by it, and it goes back."
    ),
}


@dataclass(frozen=True)
class Balance:
    """An order's money in minor units.

    `total` is what it costs, `paid` and `refunded` come from payments that count; `quarantined` is what is left of
    payments that need a person and do not count. `processing`: the bank has not said yes yet. `disputed`: what card
    holders contest, or have got back by it; it changes the word only, nobody loses a place by a dispute. `deposit` is
    what was asked for at first, where the rest is due later.
    """

    total: int
    paid: int = 0
    refunded: int = 0
    quarantined: int = 0
    processing: bool = False
    disputed: int = 0
    deposit: int = 0

    @property
    def net(self) -> int:
        """Return what is paid and was not given back."""
        return self.paid - self.refunded

    @property
    def due(self) -> int:
        """Return what is still to pay; never negative."""
        return max(0, self.total - self.net)

    @property
    def over(self) -> int:
        """Return what was paid above the price; never negative."""
        return max(0, self.net - self.total)

    @property
    def state(self) -> MoneyState:
        """Return the one word for it."""
        if self.disputed:
            return MoneyState.DISPUTED
        if self.net > self.total:
            return MoneyState.OVERPAID
        if self.refunded:
            return MoneyState.PARTLY_REFUNDED if self.net else MoneyState.REFUNDED
        if self.due:
            return self._owing
        return MoneyState.PAID if self.paid else MoneyState.NOTHING_DUE

    @property
    def _owing(self) -> MoneyState:
        if self.processing:
            return MoneyState.PROCESSING
        return MoneyState.DEPOSIT_PAID if 0 < self.deposit <= self.net else MoneyState.UNPAID

    @property
    def words(self) -> str:
        """Return the message id that says it to people."""
        return WORDS[self.state]


def left_of(amount: int, refunds: Iterable[tuple[RefundState, int]]) -> int:
    """Return how much of a payment can still be given back."""
    return amount - sum(given for state, given in refunds if state in COUNTED)


def dispute_words(status: str) -> str:
    """Return the message id that says it to people; a word of Stripe's that we do not know sends them there."""
    return DISPUTE_WORDS.get(status, N_("See Stripe"))


def why_not_refund(amount: int, left: int, *, blocked: bool = False) -> Refusal | None:
    """Refuse to give back nothing, or more than is left of the payment; `blocked`: a dispute forbids it."""
    if blocked:
        return Refusal(
            "Disputed",
            N_("The card holder contests this payment, so it is settled at Stripe and not here."),
        )
    if left <= 0:
        return Refusal("RefundedAlready", N_("All of this payment has been given back already."))
    if not 0 < amount <= left:
        return Refusal("TooMuchBack", N_("That is more than what is left of this payment."))
    return None


def why_not_take_back(
    state: RefundState, noted_at: datetime, now: datetime, *, by_hand: bool
) -> Refusal | None:
    """Refuse to take back what is written down of money that went by hand, unless it was written down lately."""
    if not by_hand:
        return Refusal("NotByHand", N_("What a card company was asked for cannot be taken back."))
    if state is not RefundState.SUCCEEDED:
        return Refusal("TakenBack", N_("This was taken back before. Nothing more was done."))
    if now - noted_at > MISTAKE_WITHIN:
        return Refusal(
            "TooLate",
            N_(
                "This was written down more than two weeks ago. Record the money as it comes in again."
            ),
        )
    return None


def spread(amount: int, payments_left: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Divide an amount to give back over payments, the newest (highest id) first; raise Refused above what is left."""
    refusal = why_not_refund(amount, sum(left for _id, left in payments_left))
    if refusal:
        raise Refused(refusal)
    parts = []
    for payment_id, left in sorted(payments_left, reverse=True):
        part = min(amount, left)
        if part > 0:
            parts.append((payment_id, part))
            amount -= part
    return parts


def why_not_take_payment_back(
    problem: Problem | None,
    noted_at: datetime,
    now: datetime,
    *,
    by_hand: bool,
    given_back: bool,
) -> Refusal | None:
    """Refuse to take back what is written down of money that came by hand, unless it was written down lately."""
    if not by_hand:
        return Refusal("NotByHand", N_("What came by card is given back, not taken back."))
    if problem is Problem.MISTAKE:
        return Refusal("TakenBack", N_("This was taken back before. Nothing more was done."))
    if given_back:
        return Refusal(
            "GivenBack", N_("Some of this money was given back already, so it did come.")
        )
    if now - noted_at > MISTAKE_WITHIN:
        return Refusal(
            "TooLate",
            N_("This was written down more than two weeks ago. Write down that it was given back."),
        )
    return None
