"""Whatever happens to orders until the last day: what was shown is what is given back, and all books agree.

Stories are drawn from a seed, and a step that has happened often gives way to one that has not. Some steps in every
run, thousands with `--long`. A story that breaks a promise is told again without what it does not need.
"""

import re
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from regsys.kernel.db import db
from tests.payments import life_rules as truths
from tests.payments.life import STEPS, Life
from tests.payments.life_house import Step
from tests.payments.shop import Shop
from tests.support import rawsql
from tests.support.books import reconciled, verified

SEED = 20261128
Place = tuple[str, int, str]


@pytest.fixture
def recorder() -> None:
    """Write nothing down: what is said is judged elsewhere, and here it would be too much."""


@pytest.fixture
def teller(shop: Shop, database: Any) -> Iterator[type[Life]]:
    """Return stories of this shop."""
    members = {"shop": shop, "url": str(database.url), "steps": Counter(), "told": 0}
    yield type("Life", (Life,), members)
    db.session.rollback()


def draw_step(draw: Random, steps: Counter[str]) -> Step:
    """Draw what happens next; what has happened often is drawn less."""
    weights = [weight / (1 + steps[name]) for name, weight in STEPS.items()]
    [name] = draw.choices(list(STEPS), weights)
    return name, draw.randrange(10**9)


FIRST = ["buy", "pay", "buy", "pay"]


def tell(teller: type[Life], number: int, length: int, draw: Random) -> None:
    """Tell one story of so many steps that really happened; if it breaks a promise, say what it needs for that."""
    story = teller(number)
    told: list[Step] = [(name, draw.randrange(10**9)) for name in FIRST]
    try:
        taken = sum(story.take(*step) for step in told)
        while taken < length and len(told) < 6 * length:
            told.append(draw_step(draw, teller.steps))
            taken += story.take(*told[-1])
        end(story)
    except Exception as e:
        e.add_note(f"story {number} breaks it with these steps: {shorten(teller, number, told, e)}")
        raise


def end(story: Life, known: Sequence[str] = ()) -> None:
    story.close()
    assert [said for said in verified() if said not in known] == []


def shorten(teller: type[Life], number: int, steps: list[Step], e: Exception) -> list[Step]:
    """Leave out what is not needed to break the same promise."""
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps), size):
            fewer = steps[:start] + steps[start + size :]
            if breaks(teller, number, fewer) == place_of(e):
                steps = fewer
                break
        else:
            size //= 2
    return steps


def breaks(teller: type[Life], number: int, steps: Sequence[Step]) -> Place | None:
    """Tell a story again, and return where it breaks a promise."""
    db.session.rollback()
    known = verified()
    try:
        story = teller(number)
        for step in steps:
            story.take(*step)
        end(story, known)
    except Exception as e:
        return place_of(e)
    return None


def place_of(e: Exception) -> Place:
    """Return where something was broken, and what was said of it without names and numbers."""
    [*_before, last] = traceback.extract_tb(e.__traceback__)
    return last.filename, last.lineno or 0, re.sub(r"\b\w*\d\w*\b", "#", str(e))[:120]


@pytest.mark.own_stripe
@pytest.mark.parametrize(
    ("stories", "length"),
    [pytest.param(3, 16, id="some"), pytest.param(60, 40, id="many", marks=pytest.mark.long)],
)
def test_what_was_shown_is_given_back_and_all_books_agree_whatever_happens(
    teller: type[Life],
    database: Any,
    stories: int,
    length: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Thousands of steps on SQLite, hundreds on PostgreSQL; in the long run everything happens."""
    many = stories > 3
    stories = max(3, stories // 6) if database.kind == "postgresql" else stories
    draw = Random(SEED)
    for number in range(stories):
        tell(teller, number, length, draw)
    happened = {name: teller.steps[name] for name in STEPS}
    besides = {k: n for k, n in sorted(teller.steps.items()) if k not in STEPS}
    with capsys.disabled():
        print(
            f"\nseed {SEED}, {stories} lives, {sum(happened.values())} steps: {happened}; {besides}"
        )
    # A cheque over more than was owed waits for the treasurer, and the books are right to say so.
    assert [odd for odd in reconciled() if odd[0] != "order_over"] == []
    never = [name for name, n in happened.items() if not n]
    everything = many and database.kind == "sqlite"
    assert not never if everything else len(never) < len(STEPS) / 2, never


# What once broke a promise: (policy, steps).
BROKEN: dict[str, tuple[int, list[Step]]] = {
    "an awarded place is handed over": (
        0, [("buy", 2), ("ask_for_help", 1), ("award", 2), ("pay", 1), ("hand_over_for", 1)],
    ),
    "more is given back than the place costs that is left": (
        38,
        [("buy", 412716389), ("pay", 317529102), ("leave", 700240858), ("give_back", 401238668), ("days", 74782075),
         ("cancel_for", 686221061)],
    ),
    "a place with a deposit moves": (5, [("buy", 921583161), ("pay", 110681529), ("move", 78077504)]),
}  # fmt: skip


@pytest.mark.once
def test_what_once_broke_a_promise_keeps_it(teller: type[Life]) -> None:
    for number, steps in BROKEN.values():
        story = teller(number)
        for step in steps:
            assert story.take(*step), step
        end(story)


# ---- each promise can be broken

# The numbers draw: an award of some of the fee, one of more than the fund has, and who of two asks.
SMALL, TOO_MUCH, LAST = 2, 1, 0
TALE: list[Step] = [
    ("buy", 1), ("pay", 1), ("buy", 2), ("ask_for_help", 1), ("award", SMALL), ("buy_elsewhere", 1), ("leave", 1),
    ("buy", 4), ("ask_for_help", LAST), ("award", TOO_MUCH),
]  # fmt: skip
# What is done to the rows behind the product's back, and which question must notice it.
DAMAGES = {
    truths.no_place_is_sold_twice: "DROP INDEX uq_claim_live_place;"
    " UPDATE claim SET number = 1 WHERE released_at IS NULL",
    truths.no_fund_gives_more_than_it_has: "UPDATE aid_fund SET budget = 100",
    truths.numbers_have_no_gap: "DROP TRIGGER document_remains; DELETE FROM document WHERE number = 1",
    truths.our_ledger_holds_nothing_that_stripe_does_not: "UPDATE payment SET amount = amount + 1",
    truths.whoever_has_left_owes_nothing: "INSERT INTO order_line (order_id, registration_id, kind, reason, amount)"
    " SELECT order_id, id, 'other', '', 1 FROM registration WHERE state = 'cancelled'",
    truths.every_move_is_told_once: "DELETE FROM message WHERE key LIKE 'confirm:%'",
}  # fmt: skip


def tale(teller: type[Life]) -> Life:
    """Tell a short story in which something of everything happens."""
    return go_on(teller(0), TALE)


def go_on(story: Life, steps: Sequence[Step]) -> Life:
    for step in steps:
        story.take(*step)
    return story


@pytest.mark.once
def test_every_question_notices_what_it_is_for(teller: type[Life], tmp_path: Path) -> None:
    story = tale(teller)
    assert teller.steps["award"] == teller.steps["award: FundShort"] == teller.steps["leave"] == 1
    end(story)
    assert set(DAMAGES) == set(truths.QUESTIONS)
    for question, script in DAMAGES.items():
        other = copy_of(story, tmp_path / f"{question.__name__}.sqlite")
        question(other)
        rawsql.damage(other.url, script)
        assert notices(question, other), question.__name__


def notices(question: Callable[[truths.Truth], None], truth: truths.Truth) -> bool:
    try:
        question(truth)
    except AssertionError:
        return True
    return False


def copy_of(story: Life, path: Path) -> truths.Truth:
    with (
        sqlite3.connect(story.url.removeprefix("sqlite:///")) as ours,
        sqlite3.connect(path) as new,
    ):
        ours.backup(new)
    return replace(story.truth, url=f"sqlite:///{path}")


# A cent that is lost on the way from the page to the bank, and a fund that has no bottom for a moment.
A_CENT_LESS = (
    "CREATE TRIGGER a_cent AFTER INSERT ON refund BEGIN"
    " UPDATE refund SET amount = amount - 1 WHERE id = new.id; END"
)
MORE = "UPDATE aid_fund SET budget = budget + 10000000"
LESS = "UPDATE aid_fund SET budget = budget - 10000000"


@pytest.mark.once
def test_a_story_fails_over_a_cent_that_is_lost_on_the_way(teller: type[Life]) -> None:
    story = teller(0)
    rawsql.damage(story.url, A_CENT_LESS)
    with pytest.raises(AssertionError):
        go_on(story, TALE)


@pytest.mark.once
def test_a_story_fails_over_a_cent_that_page_and_refund_have_lost(teller: type[Life]) -> None:
    story = teller(0)
    [first, *others] = story.rules["steps"]
    more = {**first, "back": {**first["back"], "minus": first["back"]["minus"] - 1}}
    story.rules = {**story.rules, "steps": [more, *others]}  # the story knows better than the house
    with pytest.raises(AssertionError):
        go_on(story, TALE)


@pytest.mark.once
def test_a_story_fails_over_a_fund_without_a_bottom(teller: type[Life]) -> None:
    story = teller(0)
    [*before, award] = TALE
    for step in before:
        story.take(*step)
    rawsql.damage(story.url, MORE)
    assert story.take(*award)
    rawsql.damage(story.url, LESS)
    with pytest.raises(AssertionError):
        end(story)
