"""Which questions are asked, and who reads the answers: tables of cases."""

from dataclasses import dataclass
from typing import Any

import pytest

from regsys.kernel.actors import ANONYMOUS, SYSTEM, Actor
from regsys.questions import rules
from regsys.questions.kinds import Audience

A = Audience


@dataclass
class Q:
    key: str
    show_if: dict[str, Any] | None = None


def only_if(key: str, above: str, *values: Any) -> Q:
    return Q(key, {"question": above, "is": list(values)})


CHAIN = [Q("credit"), only_if("licence", "credit", True), only_if("state", "licence", "WA", "OR")]


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, {"credit"}),
        ({"credit": False}, {"credit"}),
        ({"credit": True}, {"credit", "licence"}),
        ({"credit": True, "licence": "WA"}, {"credit", "licence", "state"}),
        ({"credit": True, "licence": "ID"}, {"credit", "licence"}),
        # What hangs on a question that is not asked is not asked, whatever was sent for it.
        ({"credit": False, "licence": "WA"}, {"credit"}),
        ({"licence": "WA"}, {"credit"}),
        # Types matter: "True" and 1 are not True.
        ({"credit": "True"}, {"credit"}),
        ({"credit": 1}, {"credit"}),
    ],
)
def test_conditions_hold_through_a_chain(values: dict[str, Any], asked: set[str]) -> None:
    assert rules.asked(CHAIN, values) == asked
    assert rules.asked(list(reversed(CHAIN)), values) == asked


@pytest.mark.parametrize(
    "questions",
    [
        [only_if("a", "a", "x")],
        [only_if("a", "b", "x"), only_if("b", "a", "x")],
        [only_if("a", "b", "x"), only_if("b", "c", "x"), only_if("c", "a", "x")],
        [only_if("a", "nowhere", "x")],
    ],
)
def test_circles_and_questions_that_are_gone_are_never_asked(questions: list[Q]) -> None:
    assert rules.asked(questions, dict.fromkeys("abc", "x") | {"nowhere": "x"}) == frozenset()


def test_a_question_that_hangs_on_a_circle_is_not_asked_and_others_are() -> None:
    questions = [only_if("a", "b", 1), only_if("b", "a", 1), only_if("c", "a", 1), Q("d")]
    assert rules.asked(questions, {"a": 1, "b": 1}) == {"d"}


def test_a_long_chain_needs_no_deep_stack() -> None:
    questions = [Q("0"), *(only_if(str(n), str(n - 1), "y") for n in range(1, 3000))]
    values = {str(n): "y" for n in range(3000)}
    assert len(rules.asked(list(reversed(questions)), values)) == 3000


@pytest.mark.parametrize(
    ("value", "wanted", "fits"),
    [
        ("yes", ["yes", "maybe"], True),
        ("no", ["yes", "maybe"], False),
        (["a", "b"], ["b"], True),
        (["a"], ["b"], False),
        ([], ["b"], False),
        (True, [True], True),
        (False, [True], False),
        (1, [True], False),
        (None, [None], False),
    ],
)
def test_an_answer_fits_a_condition(value: Any, wanted: list[Any], fits: bool) -> None:
    assert rules.fits(value, wanted) is fits


ORGANIZERS = {A.ORGANIZER, A.LEADERS, A.GROUP}


def user(*roles: tuple[str, int | None]) -> Actor:
    return Actor("user", 1, roles=frozenset(roles))


@pytest.mark.parametrize(
    ("actor", "audiences"),
    [
        (user(("registrar", None)), ORGANIZERS),
        (user(("registrar", 7)), ORGANIZERS),
        (user(("registrar", 8)), set()),
        (user(("owner", None)), ORGANIZERS),
        (user(("leader", 7)), {A.LEADERS, A.GROUP}),
        (user(("leader", 8)), set()),
        (user(("treasurer", None)), set()),
        (user(("reviewer", None)), set()),
        (user(("steward", None)), {A.STEWARD}),
        (user(("owner", None), ("steward", None)), set(Audience)),
        (user(("leader", 7), ("treasurer", None)), {A.LEADERS, A.GROUP}),
        (ANONYMOUS, set()),
        (SYSTEM, set()),
    ],
)
def test_who_reads_the_answers_of_event_seven(actor: Actor, audiences: set[Audience]) -> None:
    assert rules.audiences_of(actor, 7) == audiences
