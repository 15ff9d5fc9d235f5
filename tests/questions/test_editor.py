"""Verbs for an event's questions: versions, conditions, order, the library."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.events.models import Event
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import IllegalMove, NotFound, Refused
from regsys.questions import editor, queries
from regsys.questions.editor import Wording
from regsys.questions.editor_form import choices_from
from regsys.questions.kinds import Audience, QuestionType
from regsys.questions.library import BY_KEY, LIBRARY
from regsys.questions.models import Answer, Question
from regsys.questions.types import TYPES
from tests import cast
from tests.events.desk import REGISTRAR

pytestmark = pytest.mark.usefixtures("db", "clock")

FOOD = Wording(
    type=QuestionType.ONE_CHOICE,
    label="Food?",
    column_title="Food",
    choices=(("meat", "Meat"), ("none", "No meat")),
)
WHY = Wording(
    type=QuestionType.SHORT_TEXT,
    label="Why?",
    column_title="Why",
    show_if={"question": "food", "is": ["none"]},
)


@pytest.fixture
def event(now: datetime) -> Event:
    return cast.make_event()


def do(verb: Any, *args: Any, now: datetime, **kwargs: Any) -> Any:
    with transaction():
        return verb(*args, actor=REGISTRAR, now=now, **kwargs)


def refused(verb: Any, *args: Any, now: datetime, **kwargs: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(verb, *args, now=now, **kwargs)
    return caught.value.refusal.name


def current(event: Event) -> list[Question]:
    db.session.rollback()
    db.session.expire_all()
    return queries.list_questions(event.id)


def keys(event: Event) -> list[str]:
    return [q.key for q in current(event)]


def change(event: Event, key: str, now: datetime, **changes: Any) -> None:
    question = next(q for q in current(event) if q.key == key)
    wording = replace(editor.wording_of(question), **changes)
    seen = editor.mark_of(question)
    do(editor.change_question, event.id, key, wording, seen=seen, now=now)


def answer(event: Event, key: str, value: Any) -> None:
    (registration,) = cast.list_people(cast.make_cart(event))
    question = next(q for q in current(event) if q.key == key)
    with transaction() as session:
        session.add(
            Answer(
                registration_id=registration.id,
                question_id=question.id,
                key=key,
                value=value,
                answered_at=registration.created_at,
            )
        )


class TestAdding:
    def test_a_key_is_made_of_the_column_title(self, event: Event, now: datetime) -> None:
        made = [do(editor.add_question, event.id, FOOD, now=now) for _ in range(3)]
        assert made == ["food", "food_2", "food_3"]
        assert keys(event) == made

    def test_a_title_without_letters_has_a_key(self, event: Event, now: datetime) -> None:
        wording = Wording(type=QuestionType.DATE, label="?", column_title="??")
        assert do(editor.add_question, event.id, wording, now=now) == "question"

    @pytest.mark.parametrize("choices", [(), (("a", "A"),), (("a", "A"), ("a", "B"))])
    def test_a_list_needs_two_answers(
        self, event: Event, now: datetime, choices: tuple[tuple[str, str], ...]
    ) -> None:
        wording = replace(FOOD, choices=choices)
        assert refused(editor.add_question, event.id, wording, now=now) == "NoChoices"

    @pytest.mark.parametrize(
        "show_if",
        [
            {"question": "nothing", "is": ["none"]},
            {"question": "food", "is": ["fish"]},
            {"question": "food", "is": [True]},
            {"question": "food", "is": []},
            {"question": "note", "is": ["x"]},
        ],
    )
    def test_it_hangs_only_on_an_answer_that_an_earlier_question_can_have(
        self, event: Event, now: datetime, show_if: dict[str, Any]
    ) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        note = Wording(type=QuestionType.SHORT_TEXT, label="Note", column_title="Note")
        do(editor.add_question, event.id, note, now=now)
        wording = replace(WHY, show_if=show_if)
        assert refused(editor.add_question, event.id, wording, now=now) == "ConditionNotEarlier"

    def test_an_event_that_does_not_exist(self, now: datetime) -> None:
        with pytest.raises(NotFound):
            do(editor.add_question, 999, FOOD, now=now)

    def test_a_form_has_an_end(self, event: Event, now: datetime) -> None:
        with transaction() as session:
            session.add_all(
                Question(
                    event_id=event.id,
                    key=f"q{i}",
                    position=i,
                    type=QuestionType.DATE,
                    label="?",
                    column_title="?",
                    created_at=now,
                )
                for i in range(80)
            )
        assert refused(editor.add_question, event.id, FOOD, now=now) == "TooManyQuestions"


class TestLibrary:
    def test_every_usual_question_is_one_that_can_be_asked(self) -> None:
        assert len(BY_KEY) == len(LIBRARY)
        for s in LIBRARY:
            assert s.type in TYPES
            assert (len(s.choices) >= 2) == (s.type in editor.CHOICES), s.key
            if s.show_if:
                above = BY_KEY[s.show_if["question"]]
                assert editor._can_be(above.type, above.choices, s.show_if["is"])

    def test_what_leaders_must_not_see_is_not_for_them(self) -> None:
        private = (
            "dietary",
            "accessibility",
            "emergency_contact",
            "keep_apart",
            "leader_conflicts",
        )
        for key in private:
            assert BY_KEY[key].visible_to in (Audience.ORGANIZER, Audience.STEWARD)
            assert BY_KEY[key].sensitive
            assert BY_KEY[key].delete_after_days == 30
        assert BY_KEY["keep_apart"].visible_to is Audience.STEWARD

    def test_a_question_brings_along_what_it_hangs_on(self, event: Event, now: datetime) -> None:
        added = do(editor.add_from_library, event.id, ["goals", "licence_number"], now=now)
        assert added == ["goals", "wants_credit", "licence_number"]
        assert keys(event) == added

    def test_what_is_there_already_is_not_added_again(self, event: Event, now: datetime) -> None:
        do(editor.add_from_library, event.id, ["goals"], now=now)
        assert do(editor.add_from_library, event.id, ["goals", "dietary"], now=now) == ["dietary"]

    def test_a_key_that_is_not_in_the_library(self, event: Event, now: datetime) -> None:
        with pytest.raises(NotFound):
            do(editor.add_from_library, event.id, ["goals", "__class__"], now=now)
        assert keys(event) == []

    def test_a_retired_question_comes_back_as_the_next_version(
        self, event: Event, now: datetime
    ) -> None:
        do(editor.add_from_library, event.id, ["goals"], now=now)
        answer(event, "goals", "To listen")
        do(editor.retire_question, event.id, "goals", now=now)
        do(editor.add_from_library, event.id, ["goals"], now=now)
        assert [(q.key, q.version) for q in current(event)] == [("goals", 2)]

    def test_the_questions_of_another_event_are_taken_over(
        self, event: Event, now: datetime
    ) -> None:
        other = cast.make_event()
        do(editor.add_question, other.id, FOOD, now=now)
        do(editor.add_question, other.id, WHY, now=now)
        do(editor.add_from_library, event.id, ["goals"], now=now)
        assert do(editor.copy_questions, other.id, event.id, now=now) == ["food", "why"]
        assert do(editor.copy_questions, other.id, event.id, now=now) == []
        assert keys(event) == ["goals", "food", "why"]
        assert current(event)[2].show_if == WHY.show_if
        assert len(keys(other)) == 2


class TestChanging:
    def test_without_answers_it_is_changed_in_place(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        (before,) = current(event)
        change(event, "food", now, label="What do you eat?")
        (after,) = current(event)
        assert (after.id, after.version, after.label) == (before.id, 1, "What do you eat?")

    @pytest.mark.in_turn
    @pytest.mark.parametrize(
        "promise",
        [
            {"label": "What do you eat?"},
            {"choices": (("meat", "Meat"), ("fish", "Fish"))},
            {"terms": "All of it."},
            {"visible_to": Audience.LEADERS},
            {"sensitive": True},
            {"delete_after_days": 5},
            {"type": QuestionType.SEVERAL_CHOICES},
        ],
    )
    def test_with_answers_what_they_relied_on_stays_with_them(
        self, event: Event, now: datetime, promise: dict[str, Any]
    ) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        answer(event, "food", "meat")
        change(event, "food", now, **promise)
        (new,) = current(event)
        old = db.session.scalars(select(Answer)).one().question
        assert (new.version, old.version, old.retired_at) == (2, 1, now)
        assert editor.wording_of(old) == FOOD
        assert (new.position, new.key) == (old.position, old.key)

    @pytest.mark.parametrize(
        "detail", [{"help": "No details."}, {"required": True}, {"column_title": "Meals"}]
    )
    def test_with_answers_the_rest_is_changed_in_place(
        self, event: Event, now: datetime, detail: dict[str, Any]
    ) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        answer(event, "food", "meat")
        change(event, "food", now, **detail)
        assert [q.version for q in current(event)] == [1]

    def test_widening_who_may_see_does_not_open_old_answers(
        self, event: Event, now: datetime
    ) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        answer(event, "food", "meat")
        change(event, "food", now, visible_to=Audience.LEADERS)
        registration_id = db.session.scalars(select(Answer.registration_id)).one()
        seen = queries.list_readable_answers([registration_id], {Audience.LEADERS})
        assert seen == {registration_id: {}}

    def test_nothing_changed_is_not_written_down(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        change(event, "food", now)
        actions = db.session.scalars(select(AuditEntry.action)).all()
        assert "question.changed" not in actions

    def test_a_change_is_written_down_without_answers(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        answer(event, "food", "meat")
        change(event, "food", now, label="Meals?")
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.before, entry.after) == (
            {"label": "Food?"},
            {"key": "food", "version": 2, "label": "Meals?"},
        )

    def test_a_stale_form_changes_nothing(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        seen = editor.mark_of(current(event)[0])
        change(event, "food", now, help="First.")
        wording = replace(FOOD, help="Second.")
        with pytest.raises(IllegalMove):
            do(editor.change_question, event.id, "food", wording, seen=seen, now=now)
        assert current(event)[0].help == "First."

    def test_an_answer_that_another_question_needs_stays(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        do(editor.add_question, event.id, WHY, now=now)
        question = current(event)[0]
        wording = replace(FOOD, choices=(("meat", "Meat"), ("fish", "Fish")))
        seen = editor.mark_of(question)
        name = refused(editor.change_question, event.id, "food", wording, seen=seen, now=now)
        assert name == "QuestionHangsOnIt"

    def test_a_question_never_hangs_on_itself(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        seen = editor.mark_of(current(event)[0])
        wording = replace(FOOD, show_if={"question": "food", "is": ["meat"]})
        name = refused(editor.change_question, event.id, "food", wording, seen=seen, now=now)
        assert name == "ConditionNotEarlier"


class TestOrderAndEnd:
    def test_questions_move_past_each_other(self, event: Event, now: datetime) -> None:
        do(editor.add_from_library, event.id, ["goals", "dietary", "heard_from"], now=now)
        do(editor.move_question, event.id, "heard_from", up=True, now=now)
        assert keys(event) == ["goals", "heard_from", "dietary"]
        do(editor.move_question, event.id, "goals", up=False, now=now)
        assert keys(event) == ["heard_from", "goals", "dietary"]

    def test_the_first_cannot_go_up(self, event: Event, now: datetime) -> None:
        do(editor.add_from_library, event.id, ["goals", "dietary"], now=now)
        do(editor.move_question, event.id, "goals", up=True, now=now)
        assert keys(event) == ["goals", "dietary"]

    def test_a_question_stays_behind_what_it_hangs_on(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        do(editor.add_question, event.id, WHY, now=now)
        name = refused(editor.move_question, event.id, "why", up=True, now=now)
        assert name == "ConditionNotEarlier"
        assert keys(event) == ["food", "why"]

    def test_without_answers_it_is_deleted(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        do(editor.retire_question, event.id, "food", now=now)
        assert db.session.scalars(select(Question)).all() == []

    def test_with_answers_it_is_kept_for_them(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        answer(event, "food", "meat")
        do(editor.retire_question, event.id, "food", now=now)
        assert keys(event) == []
        assert db.session.scalars(select(Question)).one().retired_at == now

    def test_what_another_hangs_on_stays(self, event: Event, now: datetime) -> None:
        do(editor.add_question, event.id, FOOD, now=now)
        do(editor.add_question, event.id, WHY, now=now)
        assert refused(editor.retire_question, event.id, "food", now=now) == "QuestionHangsOnIt"

    def test_what_is_gone_is_gone(self, event: Event, now: datetime) -> None:
        with pytest.raises(IllegalMove):
            do(editor.retire_question, event.id, "food", now=now)


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Meat", "No meat"], [("meat", "Meat"), ("none", "No meat")]),
        # Reworded in its place: the value stays.
        (["Meat", "Neither meat nor fish"], [("meat", "Meat"), ("none", "Neither meat nor fish")]),
        # Turned round: each label keeps its value.
        (["No meat", "Meat"], [("none", "No meat"), ("meat", "Meat")]),
        (["Meat", "No meat", "Fish"], [("meat", "Meat"), ("none", "No meat"), ("fish", "Fish")]),
        # A new answer never takes a value that meant something else.
        (["Meat", "None"], [("meat", "Meat"), ("none", "None")]),
        (["Meat", "No meat", "None"], [("meat", "Meat"), ("none", "No meat"), ("none_2", "None")]),
        (["漢字", "Meat", "No meat"], [("answer", "漢字"), ("meat", "Meat"), ("none", "No meat")]),
    ],
)
def test_answers_to_choose_from_keep_their_values(
    lines: list[str], expected: list[tuple[str, str]]
) -> None:
    assert choices_from(lines, FOOD.choices) == tuple(expected)
