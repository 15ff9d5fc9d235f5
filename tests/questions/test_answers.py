"""Storing answers: what is asked is kept, what is not is dropped, what is private is sealed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from regsys.kernel.db import transaction
from regsys.kernel.errors import Invalid
from regsys.questions import queries, services
from regsys.questions.kinds import Audience
from regsys.questions.models import Answer, Question
from tests import cast

Store = Callable[..., None]


@pytest.fixture
def event(db: Any, now: datetime) -> Any:
    return cast.make_event()


@pytest.fixture
def person(event: Any) -> int:
    return cast.list_people(cast.make_cart(event))[0].id


@pytest.fixture
def store(event: Any, person: int, now: datetime) -> Store:
    def run(kept: Any = (), at: datetime = now, **values: Any) -> None:
        with transaction():
            services.store_answers(person, event_id=event.id, values=values, kept=kept, now=at)

    return run


def stored(person: int) -> dict[str, Any]:
    return {key: a.stored for key, a in queries.list_answers([person])[person].items()}


def raw(db: Any, person: int) -> list[Any]:
    query = text("SELECT key, value, sealed FROM answer WHERE registration_id = :r ORDER BY key")
    return [tuple(row) for row in db.session.execute(query, {"r": person})]


def test_answers_are_stored_replaced_and_deleted(event: Any, person: int, store: Store) -> None:
    cast.make_question(event, "goals")
    cast.make_question(event, "years", "number")
    store(goals="listen", years=3)
    assert stored(person) == {"goals": "listen", "years": 3}
    store(goals="listen more")
    assert stored(person) == {"goals": "listen more"}


def test_a_missing_required_answer_stores_nothing(event: Any, person: int, store: Store) -> None:
    cast.make_question(event, "goals", required=True)
    cast.make_question(event, "years", "number")
    with pytest.raises(Invalid) as invalid:
        store(years=3)
    assert invalid.value.fields == {"q_goals": ["Please answer this: Goals"]}
    assert stored(person) == {}


def test_a_malformed_answer_stores_nothing(event: Any, person: int, store: Store) -> None:
    cast.make_question(event, "born", "date")
    with pytest.raises(Invalid) as invalid:
        store(born="1980-02-31")
    assert list(invalid.value.fields) == ["q_born"]
    assert stored(person) == {}


def test_what_is_not_asked_is_neither_demanded_nor_kept(
    event: Any, person: int, store: Store
) -> None:
    cast.make_question(event, "credit", "yes_no")
    only = {"question": "credit", "is": [True]}
    cast.make_question(event, "licence", required=True, show_if=only)
    store(credit=False, licence="WA 1")
    assert stored(person) == {"credit": False}
    with pytest.raises(Invalid):
        store(credit=True)
    store(credit=True, licence="WA 1")
    assert stored(person) == {"credit": True, "licence": "WA 1"}
    store(credit=False, licence="WA 1")
    assert stored(person) == {"credit": False}


def test_answers_to_questions_that_do_not_exist_are_ignored(
    event: Any, person: int, store: Store
) -> None:
    store(nothing="here")
    assert stored(person) == {}


def test_a_private_answer_is_unreadable_in_the_database(
    db: Any, event: Any, person: int, store: Store
) -> None:
    cast.make_question(event, "allergy", sensitive=True)
    cast.make_question(event, "goals")
    store(allergy="walnuts", goals="listen")
    (key, value, sealed), (_, open_value, open_sealed) = raw(db, person)
    assert (key, value) == ("allergy", None)
    assert "walnuts" not in sealed
    assert sealed.startswith("gAAAA")
    assert "listen" in str(open_value)
    assert open_sealed is None
    assert stored(person) == {"allergy": "walnuts", "goals": "listen"}


def test_a_private_answer_stands_while_it_is_kept_and_goes_when_it_is_not(
    event: Any, person: int, store: Store
) -> None:
    cast.make_question(event, "allergy", sensitive=True, required=True)
    store(allergy="walnuts")
    store(kept=["allergy"])
    assert stored(person) == {"allergy": "walnuts"}
    store(kept=["allergy"], allergy="none any more")
    assert stored(person) == {"allergy": "none any more"}
    with pytest.raises(Invalid):
        store()


def test_a_kept_private_answer_decides_what_else_is_asked(
    event: Any, person: int, store: Store
) -> None:
    cast.make_question(event, "supervised", "yes_no", sensitive=True)
    only = {"question": "supervised", "is": [True]}
    cast.make_question(event, "by_whom", show_if=only)
    store(supervised=True, by_whom="Ambrose")
    store(kept=["supervised"], by_whom="Ambrose T.")
    assert stored(person) == {"supervised": True, "by_whom": "Ambrose T."}


def test_an_agreement_keeps_version_and_time_until_a_new_version_is_agreed_to(
    db: Any, event: Any, person: int, store: Store, clock: Any
) -> None:
    first = cast.make_question(event, "word", "agreement", required=True)
    store(word=True)
    given = clock.now
    store(kept=["word"], at=clock.move(hours=1))
    (answer,) = queries.list_answers([person])[person].values()
    assert (answer.question_id, answer.answered_at) == (first.id, given)

    with transaction():
        db.session.get(Question, first.id).retired_at = clock.now
        db.session.flush()
        second = Question(
            event_id=event.id, key="word", version=2, type="agreement", label="Word, changed",
            required=True, column_title="word", created_at=clock.now,
        )  # fmt: skip
        db.session.add(second)
    with pytest.raises(Invalid):
        store(kept=["word"])
    later = clock.move(hours=1)
    store(word=True, at=later)
    (answer,) = queries.list_answers([person])[person].values()
    assert (answer.question_id, answer.answered_at) == (second.id, later)


def test_an_answer_to_a_retired_question_keeps_its_old_label(
    db: Any, event: Any, person: int, store: Store, now: datetime
) -> None:
    question = cast.make_question(event, "goals", label="What do you hope for?")
    store(goals="to listen")
    with transaction():
        db.session.get(Question, question.id).retired_at = now
    store()
    (answer,) = queries.list_answers([person])[person].values()
    assert (answer.question.label, answer.stored) == ("What do you hope for?", "to listen")
    assert queries.list_questions(event.id) == []


def test_a_form_is_complete_when_everything_asked_is_answered(
    event: Any, person: int, store: Store
) -> None:
    cast.make_question(event, "word", "agreement", required=True)
    cast.make_question(event, "goals")
    assert not services.is_complete(queries.list_form(event.id, person))
    store(word=True)
    assert services.is_complete(queries.list_form(event.id, person))


def test_private_answers_are_deleted_when_their_days_are_over(
    db: Any, event: Any, person: int, store: Store
) -> None:
    cast.make_question(event, "allergy", sensitive=True, delete_after_days=30)
    cast.make_question(event, "contact", sensitive=True, delete_after_days=60)
    cast.make_question(event, "conflict", sensitive=True)
    cast.make_question(event, "goals")
    store(allergy="walnuts", contact="Ada", conflict="none", goals="listen")
    for days, gone in ((29, 0), (30, 1), (31, 0)):
        with transaction():
            assert services.delete_private(event.id, days_over=days) == gone
    assert stored(person) == {"contact": "Ada", "conflict": "none", "goals": "listen"}


def test_answers_are_copied_with_their_seals(
    db: Any, event: Any, person: int, store: Store, now: datetime
) -> None:
    cast.make_question(event, "allergy", sensitive=True)
    cast.make_question(event, "years", "number")
    store(allergy="walnuts", years=0)
    other = cast.list_people(cast.make_cart(event))[0].id
    with transaction():
        services.copy_answers({person: other}, now=now)
    assert stored(other) == stored(person) == {"allergy": "walnuts", "years": 0}
    assert raw(db, other)[0][1] is None
    with transaction():
        services.drop_answers(person)
    assert stored(person) == {}
    assert len(stored(other)) == 2


def test_a_form_and_its_answers_are_one_query_for_any_number_of_questions(
    app: Any, db: Any, event: Any, person: int
) -> None:
    for n in range(20):
        cast.make_question(event, f"q{n}", visible_to=Audience.LEADERS)
    assert [e.question.key for e in queries.list_form(event.id, person)] == [
        f"q{n}" for n in range(20)
    ]
    assert db.session.query(Answer).count() == 0
