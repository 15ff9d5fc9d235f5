"""Whatever happens in whatever order: places, money, Stripe's books and letters agree after every step.

First a tour, told by hand, takes every move of the tables of states; then Hypothesis draws stories and prints the
shortest one that breaks a promise. Some steps in every run, thousands with `--long`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from regsys.payments.states import AttemptState as A
from tests.payments.shop import Shop
from tests.payments.storm import (
    ACCOUNT,
    GOOD,
    PENDING,
    Edge,
    Edges,
    Storm,
    list_edges,
)
from tests.support.books import reconciled, verified

SEED = 20261124
pytestmark = pytest.mark.own_stripe
# Moves that no story can take; one that is taken all the same fails the test, so that this list stays short.
NOT_TAKEN: dict[Edge, str] = {
    ("PaymentAttempt", A.FAILED, A.PAID): "Stripe does not take a bank's no back",
    ("PaymentAttempt", A.FAILED, A.QUARANTINED): "Stripe does not take a bank's no back",
}


@pytest.fixture
def recorder() -> None:
    """Write nothing down: what is said is judged elsewhere, and here it would be too much."""


@pytest.fixture
def teller(shop: Shop, database: Any) -> type[Storm]:
    """Return stories of this shop, in which bank accounts can be debited."""
    known = shop.app.extensions["regsys.settings"]
    shop.app.extensions["regsys.settings"] = known.replace(
        STRIPE_DELAYED_METHODS=("us_bank_account",)
    )
    members = {"shop": shop, "url": str(database.url), "steps": Counter()}
    return type("Storm", (Storm,), members)


def tell(story: Storm, *steps: tuple[Any, ...]) -> None:
    """Take steps by hand, each (name, value ...); ask what must be true after each."""
    for name, *values in steps:
        named = dict(zip(NAMES.get(name, ("n",)), values, strict=True)) if values else {}
        getattr(story, name)(**named)
        story.check()


NAMES = {
    "pay": ("n", "means", "short"),
    "time_passes": ("minutes",),
    "bank_answers": ("n", "success"),
    "bank_answers_refund": ("n", "fails"),
    "give_back": ("n", "part"),
    "give_back_in_dashboard": ("n", "part"),
    "die": ("n", "point"),
    "hand_over": ("n", "what"),
    "change_rules": ("asked",),
}
PAY, PAY_BY_BANK, PAY_LESS = ("pay", 0, GOOD, 0), ("pay", 0, ACCOUNT, 0), ("pay", 0, GOOD, 1)
HEAR = ("hear_all",)
REGISTER = [("take_cart",), ("place", 0)]
OPEN = [*REGISTER, ("press_pay", 0)]
LOST = [*REGISTER, ("die", 0, "session-created")]  # Stripe has a page of which we never heard
GIVEN_UP = [*OPEN, ("pay_in_other_mode", 0)]
CONTRADICTED = [*OPEN, ("contradict", 0)]
LATER = [("time_passes", 4), ("work",)]
BANK = [*OPEN, PAY_BY_BANK, HEAR]
PAID_PENDING = [*OPEN, ("pay", 0, PENDING, 0), HEAR, ("give_back", 0, 1)]
PAID = [*OPEN, PAY, HEAR]
FILLED = [*PAID, ("hand_over", 0, "offer"), ("hand_over", 0, "fill")]
Step = tuple[Any, ...]
# Each is a story of its own; together they take every move of the tables.
TOURS: dict[str, list[Step]] = {
    "carts": [("come_for_free",), ("take_cart",), ("leave_cart", 0), ("take_cart",), ("time_passes", 31), ("work",)],
    "taken off": [*REGISTER, ("take_off", 0)],
    "lapsed": [*REGISTER, ("time_passes", 31), ("work",)],
    "paid and given back in part": [*OPEN, PAY, HEAR, ("give_back", 0, 2)],
    "paid and cancelled": [*OPEN, PAY, HEAR, ("cancel", 0)],
    "handed on, and given back": [("change_rules", False), *FILLED, ("give_back", 0, 2), ("cancel", 0)],
    "handed on with our word": [*FILLED, ("hand_over", 0, "agree"), ("give_back_in_dashboard", 0, 2), HEAR],
    "not handed on": [*FILLED, ("hand_over", 0, "decline"), ("hand_over", 0, "agree")],
    "thought better of": [
        *FILLED, ("hand_over", 0, "withdraw"), ("hand_over", 0, "offer"), ("hand_over", 0, "withdraw"),
    ],
    "too little is paid": [*OPEN, PAY_LESS, HEAR],
    "the page ends": [*OPEN, ("end_page", 0), HEAR],
    "paid late": [*CONTRADICTED, ("time_passes", 11), ("work",), PAY, HEAR],
    "Stripe contradicts itself": [*CONTRADICTED, PAY_LESS, HEAR],
    "the bank says yes, and to too little": [*OPEN, ("pay", 0, ACCOUNT, 1), HEAR, ("bank_answers", 0, True), HEAR],
    "the bank says yes": [*BANK, ("bank_answers", 0, True), HEAR],
    "the bank says no": [*BANK, ("bank_answers", 0, False), HEAR],
    "given up, paid": [*GIVEN_UP, PAY, HEAR],
    "given up, paid, and no event comes": [*GIVEN_UP, PAY],
    "given up, too little is paid": [*GIVEN_UP, PAY_LESS, HEAR],
    "given up, the page ends": [*GIVEN_UP, ("end_page", 0), HEAR],
    "never heard of, paid": [*LOST, PAY, *LATER],
    "never heard of, too little is paid": [*LOST, PAY_LESS, *LATER],
    "never heard of, the bank waits": [*LOST, PAY_BY_BANK, *LATER, ("bank_answers", 0, True), ("work",)],
    "never heard of, the page ends": [*LOST, ("end_page", 0), *LATER],
    "never made": [*REGISTER, ("die", 0, "attempt-committed"), *LATER],
    "a refund waits, is made, and fails": [
        *PAID_PENDING, ("bank_answers_refund", 0, False), HEAR, ("bank_answers_refund", 0, True), HEAR,
    ],
    "a refund waits and fails": [*PAID_PENDING, ("bank_answers_refund", 0, True), HEAR],
    "a refund is refused": [*OPEN, PAY, HEAR, ("give_back_in_dashboard", 0, 1), ("give_back", 0, 1)],
    "a refund is made by one who dies": [*OPEN, PAY, HEAR, ("die", 0, "refund-made"), *LATER],
}  # fmt: skip


@pytest.fixture
def edges() -> Iterator[Edges]:
    """Count the moves of states that are committed."""
    edges = Edges()
    with edges.counting():
        yield edges


def test_a_tour_takes_every_move_and_keeps_every_promise(
    teller: type[Storm], edges: Edges, capsys: pytest.CaptureFixture[str]
) -> None:
    for steps in TOURS.values():
        story = teller()
        tell(story, *steps)
        story.teardown()
    with capsys.disabled():
        print(f"\n{len(TOURS)} tours, {sum(teller.steps.values())} steps: {edges}")
    assert list_edges() - set(edges.taken) == set(NOT_TAKEN)
    assert verified() == []
    assert reconciled() == []


@pytest.mark.parametrize(
    ("stories", "steps"),
    [pytest.param(4, 25, id="some"), pytest.param(100, 50, id="many", marks=pytest.mark.long)],
)
def test_money_places_and_letters_agree_after_any_story(
    teller: type[Storm],
    edges: Edges,
    database: Any,
    stories: int,
    steps: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Thousands of steps on SQLite, hundreds on PostgreSQL."""
    stories = max(4, stories // 10) if database.kind == "postgresql" else stories
    seed(SEED)(teller)
    run_state_machine_as_test(
        teller,
        settings=settings(
            max_examples=stories, stateful_step_count=steps, deadline=None, database=None,
            phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    with capsys.disabled():
        total = sum(teller.steps.values())
        print(f"\nseed {SEED}: {total} steps: {dict(teller.steps)}\n{edges}")
    assert teller.steps["pay"]
    assert verified() == []
    assert reconciled() == []
