"""What each type of question accepts, stores, shows and exports: tables of cases."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel

from regsys.questions.kinds import QuestionType
from regsys.questions.models import Question
from regsys.questions.types import TYPES, show, type_of

T = QuestionType
CHOICES = [["none", "None so far"], ["one", "One intensive"]]


@pytest.fixture(autouse=True, scope="module")
def words() -> Iterator[None]:
    """Sentences need a language, and nothing else of the app."""
    app = Flask("words")
    Babel(app)
    with app.app_context():
        yield


def question(type: QuestionType) -> Question:
    choices = CHOICES if TYPES[type].has_choices else []
    return Question(key="k", type=type, label="The question", choices=choices)


def test_every_type_has_a_class() -> None:
    assert set(TYPES) == set(QuestionType)


@pytest.mark.parametrize(
    ("type", "sent", "stored", "shown", "exported"),
    [
        (T.SHORT_TEXT, "a word", "a word", "a word", "a word"),
        (T.LONG_TEXT, "two\nlines", "two\nlines", "two\nlines", "two\nlines"),
        (T.ONE_CHOICE, "one", "one", "One intensive", "One intensive"),
        (T.SEVERAL_CHOICES, ["one"], ["one"], "One intensive", "One intensive"),
        (
            T.SEVERAL_CHOICES,
            ["one", "none", "one"],
            ["one", "none"],
            "One intensive; None so far",
            "One intensive; None so far",
        ),
        (T.YES_NO, "yes", True, "Yes", "Yes"),
        (T.YES_NO, "no", False, "No", "No"),
        (T.AGREEMENT, True, True, "Yes", "Yes"),
        (T.NUMBER, "12", 12, "12", 12),
        (T.NUMBER, "-2.5", -2.5, "-2.5", -2.5),
        (T.DATE, "2027-04-22", "2027-04-22", "Thu 22 Apr 2027", date(2027, 4, 22)),
        (T.EMAIL, "a@example.org", "a@example.org", "a@example.org", "a@example.org"),
        (T.PHONE, "+1 509 555 0111 x 12", "+1 509 555 0111 x 12", "+1 509 555 0111 x 12", None),
    ],
)
def test_an_answer_is_stored_shown_and_exported(
    type: QuestionType, sent: Any, stored: Any, shown: str, exported: Any
) -> None:
    q = question(type)
    kind = type_of(q)
    assert kind.to_stored(sent) == stored
    assert kind.problem(q, stored) is None
    assert show(q, stored).replace("\u00a0", " ") == shown
    assert kind.export(q, stored) == (shown if exported is None else exported)
    assert kind.to_stored(kind.to_field(stored)) == stored


@pytest.mark.parametrize("type", list(QuestionType))
def test_nothing_is_stored_for_nothing(type: QuestionType) -> None:
    kind = TYPES[type]
    empty = [] if type is T.SEVERAL_CHOICES else False if type is T.AGREEMENT else ""
    assert kind.to_stored(empty) is None
    assert kind.to_stored(None) is None
    assert show(question(type), None) == ""
    assert kind.missing(question(type)).endswith("The question")


@pytest.mark.parametrize(
    ("type", "sent"),
    [
        (T.SHORT_TEXT, "x" * 201),
        (T.LONG_TEXT, "x" * 5001),
        (T.ONE_CHOICE, "two"),
        (T.ONE_CHOICE, "One intensive"),
        (T.SEVERAL_CHOICES, ["one", "two"]),
        (T.YES_NO, "perhaps"),
        (T.YES_NO, "True"),
        (T.NUMBER, "twelve"),
        (T.NUMBER, "1e9"),
        (T.NUMBER, "nan"),
        (T.NUMBER, "inf"),
        (T.NUMBER, "1" * 400),
        (T.NUMBER, "１２"),
        (T.NUMBER, "1,5"),
        (T.DATE, "22 April"),
        (T.DATE, "2027-02-30"),
        (T.DATE, "2027-13-01"),
        (T.DATE, "20270422"),
        (T.DATE, "0000-00-00"),
        (T.EMAIL, "nobody"),
        (T.EMAIL, "a@b@c"),
        (T.EMAIL, "a@example.org, b@example.org"),
        (T.PHONE, "call me"),
        (T.PHONE, "+٤٤ ٢٠ ٧٩٤٦ ٠٠٠٠"),
        (T.PHONE, "1" * 41),
    ],
)
def test_what_cannot_be_an_answer_is_named(type: QuestionType, sent: Any) -> None:
    q = question(type)
    stored = type_of(q).to_stored(sent)
    assert stored is not None
    sentence = type_of(q).problem(q, stored)
    assert sentence is not None
    assert "The question" in sentence


@pytest.mark.parametrize("type", list(QuestionType))
@pytest.mark.parametrize(
    "stored",
    [{"a": 1}, [[1]], 10**400, object(), b"x"],
    ids=["dict", "list", "huge", "object", "bytes"],
)
def test_values_of_no_sensible_kind_are_refused_without_a_crash(
    type: QuestionType, stored: Any
) -> None:
    q = question(type)
    assert type_of(q).problem(q, stored) is not None


def test_a_choice_that_is_no_longer_on_the_list_stands_for_itself() -> None:
    assert show(question(T.ONE_CHOICE), "three") == "three"
    assert show(question(T.SEVERAL_CHOICES), ["one", "three"]) == "One intensive; three"
