"""What an amount means: tables of cases."""

import pytest

from regsys.kernel.errors import Refused
from regsys.ledger import rules
from regsys.ledger.rules import Balance, MoneyState
from regsys.ledger.states import RefundState

R = RefundState


@pytest.mark.parametrize(
    ("balance", "state", "due", "over"),
    [
        (Balance(0), MoneyState.NOTHING_DUE, 0, 0),
        (Balance(920), MoneyState.UNPAID, 920, 0),
        (Balance(920, processing=True), MoneyState.PROCESSING, 920, 0),
        (Balance(920, paid=150), MoneyState.UNPAID, 770, 0),
        (Balance(920, paid=920), MoneyState.PAID, 0, 0),
        (Balance(920, paid=920, quarantined=920), MoneyState.PAID, 0, 0),
        (Balance(920, quarantined=920), MoneyState.UNPAID, 920, 0),
        (Balance(920, paid=1000), MoneyState.OVERPAID, 0, 80),
        (Balance(460, paid=920), MoneyState.OVERPAID, 0, 460),
        (Balance(460, paid=920, refunded=460), MoneyState.PARTLY_REFUNDED, 0, 0),
        (Balance(920, paid=920, refunded=100), MoneyState.PARTLY_REFUNDED, 100, 0),
        (Balance(0, paid=920, refunded=845), MoneyState.OVERPAID, 0, 75),
        (Balance(0, paid=920, refunded=920), MoneyState.REFUNDED, 0, 0),
        (Balance(920, paid=920, disputed=920), MoneyState.DISPUTED, 0, 0),
        (Balance(460, paid=920, disputed=920), MoneyState.DISPUTED, 0, 460),
    ],
)
def test_a_balance_has_one_word(balance: Balance, state: str, due: int, over: int) -> None:
    assert (balance.state, balance.due, balance.over) == (state, due, over)
    assert balance.words == rules.WORDS[balance.state]


@pytest.mark.parametrize(
    ("refunds", "left"),
    [
        ([], 920),
        ([(R.REQUESTED, 100)], 820),
        ([(R.SUBMITTED, 100), (R.PENDING, 100), (R.SUCCEEDED, 100)], 620),
        ([(R.FAILED, 920)], 920),
        ([(R.FAILED, 920), (R.SUCCEEDED, 920)], 0),
    ],
)
def test_what_is_left_of_a_payment_counts_every_refund_that_did_not_fail(
    refunds: list[tuple[RefundState, int]], left: int
) -> None:
    assert rules.left_of(920, refunds) == left


@pytest.mark.parametrize(
    ("amount", "left", "name"),
    [
        (920, 920, None),
        (1, 920, None),
        (921, 920, "TooMuchBack"),
        (0, 920, "TooMuchBack"),
        (-5, 920, "TooMuchBack"),
        (1, 0, "RefundedAlready"),
    ],
)
def test_a_refund_is_capped_at_what_is_left(amount: int, left: int, name: str | None) -> None:
    refusal = rules.why_not_refund(amount, left)
    assert (refusal.name if refusal else None) == name


def test_a_dispute_that_forbids_it_blocks_every_refund() -> None:
    refusal = rules.why_not_refund(1, 920, blocked=True)
    assert refusal is not None
    assert refusal.name == "Disputed"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("needs_response", "Contested; an answer is needed"),
        ("lost", "Lost: the money went back"),
        ("appeal_of_tomorrow", "See Stripe"),
    ],
)
def test_a_dispute_has_words_and_what_we_do_not_know_is_at_stripe(status: str, words: str) -> None:
    assert rules.dispute_words(status) == words


@pytest.mark.parametrize(
    ("amount", "left", "parts"),
    [
        (100, [(1, 920), (2, 500)], [(2, 100)]),
        (600, [(2, 500), (1, 920)], [(2, 500), (1, 100)]),
        (1420, [(1, 920), (2, 500)], [(2, 500), (1, 920)]),
        (920, [(1, 920), (2, 0)], [(1, 920)]),
    ],
)
def test_an_amount_is_divided_over_payments_the_newest_first(
    amount: int, left: list[tuple[int, int]], parts: list[tuple[int, int]]
) -> None:
    assert rules.spread(amount, left) == parts


@pytest.mark.parametrize("amount", [0, 1421])
def test_what_is_not_there_is_not_divided(amount: int) -> None:
    with pytest.raises(Refused):
        rules.spread(amount, [(1, 920), (2, 500)])
