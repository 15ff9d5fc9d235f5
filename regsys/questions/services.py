"""Storing answers: only what is asked is kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from regsys.kernel.db import db
from regsys.kernel.errors import Invalid
from regsys.questions import queries, rules
from regsys.questions.models import Answer, Question
from regsys.questions.queries import Entry
from regsys.questions.types import type_of


def store_answers(
    registration_id: int,
    *,
    event_id: int,
    values: Mapping[str, Any],
    now: datetime,
    kept: Collection[str] = (),
    form: Sequence[Entry] | None = None,
) -> None:
    """Store one person's answers to an event's current questions; raise Invalid if one is missing or malformed.

    `values` maps keys to what is stored, None where nothing was answered. For the keys in `kept` an earlier answer
    stands where `values` has none: sensitive answers are never shown again, and so never sent again. Answers to
    questions that are no longer asked are dropped; an agreement that was given to this version keeps its time.
    `form`: the questions with the earlier answers, where this transaction has read them.
    """
    entries = queries.list_form(event_id, registration_id) if form is None else form
    _store(entries, values, kept, now, registration_id)


def keep_answers(
    registration_id: int, *, values: Mapping[str, Any], form: Sequence[Entry], now: datetime
) -> None:
    """Store what is fine of a form that is not complete yet; nothing is taken away by it.

    Private answers wait for the whole form: nobody could see that an earlier one still stands.
    """
    questions = [e.question for e in form]
    asked = rules.asked(questions, values)
    wrong = list_problems(questions, values, asked)
    for entry in form:
        q, value = entry.question, values.get(entry.question.key)
        if value is None or q.sensitive or q.key in wrong or q.key not in asked:
            continue
        answer = entry.answer or Answer(registration_id=registration_id, key=q.key)
        _put(answer, q, value, now=now)
    db.session.flush()


def store_application_answers(
    application_id: int,
    *,
    event_id: int,
    values: Mapping[str, Any],
    now: datetime,
    kept: Collection[str] = (),
) -> None:
    """Store one applicant's answers to what is asked of applicants, as `store_answers` does."""
    entries = queries.list_application_form(event_id, application_id)
    _store(entries, values, kept, now, application_id=application_id)


def _store(
    entries: Sequence[Entry],
    values: Mapping[str, Any],
    kept: Collection[str],
    now: datetime,
    registration_id: int | None = None,
    application_id: int | None = None,
) -> None:
    known = whole(entries, values, kept)
    questions = [e.question for e in entries]
    asked = rules.asked(questions, known)
    wrong = list_problems(questions, known, asked)
    if wrong:
        raise Invalid({f"q_{key}": [sentence] for key, sentence in wrong.items()})
    gone = []
    for entry in entries:
        key = entry.question.key
        value = known.get(key) if key in asked else None
        if value is None and entry.answer is not None:
            gone.append(entry.answer.id)
        elif value is not None:
            answer = entry.answer or Answer(
                registration_id=registration_id, application_id=application_id, key=key
            )
            _put(answer, entry.question, value, now=now)
    if gone:
        db.session.execute(delete(Answer).where(Answer.id.in_(gone)))
    db.session.flush()


def whole(
    entries: Sequence[Entry], values: Mapping[str, Any], kept: Collection[str]
) -> dict[str, Any]:
    """Return the values with the earlier answers that stand."""
    earlier = {e.question.key: e.answer.stored for e in entries if e.answer and usable(e)}
    stand = {k: v for k, v in earlier.items() if k in kept and values.get(k) is None}
    return {**values, **stand}


def usable(entry: Entry) -> bool:
    """Tell whether the earlier answer answers the question as it stands now."""
    answer, q = entry.answer, entry.question
    if answer is None or (type_of(q).agrees and answer.question_id != q.id):
        return False
    return type_of(q).problem(q, answer.stored) is None


def list_problems(
    questions: Sequence[Question], values: Mapping[str, Any], asked: Collection[str]
) -> dict[str, str]:
    """Return what is wrong, by key: of what is asked, whatever is malformed, or required and not there."""
    wrong = {}
    for q in questions:
        value = values.get(q.key)
        if q.key not in asked or (value is None and not q.required):
            continue
        kind = type_of(q)
        problem = kind.missing(q) if value is None else kind.problem(q, value)
        if problem:
            wrong[q.key] = problem
    return wrong


def is_complete(entries: Sequence[Entry]) -> bool:
    """Tell whether everything that the form asks of this person is answered."""
    questions = [e.question for e in entries]
    values = whole(entries, {}, [q.key for q in questions])
    return not list_problems(questions, values, rules.asked(questions, values))


def copy_answers(pairs: Mapping[int, int], *, now: datetime) -> None:
    """Copy the answers of registrations to others (from id → to id)."""
    found = queries.list_answers(list(pairs))
    db.session.add_all(
        _copy(answer, pairs[registration_id])
        for registration_id, answers in found.items()
        for answer in answers.values()
    )
    db.session.flush()


def take_over_answers(application_id: int, registration_id: int) -> None:
    """Give a registration everything that its person answered when they applied."""
    mine = select(Answer).where(Answer.application_id == application_id).order_by(Answer.id)
    db.session.add_all([_copy(answer, registration_id) for answer in db.session.scalars(mine)])
    db.session.flush()


def _copy(answer: Answer, registration_id: int) -> Answer:
    return Answer(
        registration_id=registration_id,
        question_id=answer.question_id,
        key=answer.key,
        value=answer.value,
        sealed=answer.sealed,
        answered_at=answer.answered_at,
    )


def drop_answers(registration_id: int) -> None:
    """Delete everything that one person answered."""
    db.session.execute(delete(Answer).where(Answer.registration_id == registration_id))


def delete_private(event_id: int, *, days_over: int) -> int:
    """Delete the private answers of an event that has been over for so many days, where their time has come."""
    due = select(Question.id).where(
        Question.event_id == event_id,
        Question.sensitive,
        Question.delete_after_days <= days_over,
    )
    gone = delete(Answer).where(Answer.question_id.in_(due)).returning(Answer.id)
    return len(db.session.scalars(gone).all())


def _put(answer: Answer, q: Question, value: Any, *, now: datetime) -> None:
    if answer.id and answer.stored == value and answer.question_id == q.id:
        return
    db.session.add(answer)
    answer.question_id = q.id
    answer.value = None if q.sensitive else value
    answer.sealed = value if q.sensitive else None
    answer.answered_at = now
