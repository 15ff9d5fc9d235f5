"""Verbs for an event's questions: answers keep the words that they answered, so a changed question is a new version."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from regsys.audit.services import record
from regsys.events.services.editing import lock_event
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import IllegalMove, NotFound, Refusal, Refused
from regsys.kernel.text import N_, slugify
from regsys.questions import queries
from regsys.questions.kinds import Audience, QuestionType, Stage
from regsys.questions.library import BY_KEY, Suggestion
from regsys.questions.models import Answer, Question

MOST_QUESTIONS = 80
CHOICES = frozenset({QuestionType.ONE_CHOICE, QuestionType.SEVERAL_CHOICES})
YES = frozenset({QuestionType.YES_NO, QuestionType.AGREEMENT})

TOO_MANY = Refusal("TooManyQuestions", N_("A form has at most 80 questions."))
NO_CHOICES = Refusal("NoChoices", N_("Write at least two answers to choose from."))
NOT_EARLIER = Refusal(
    "ConditionNotEarlier",
    N_("A question can hang only on the answer to one that stands before it."),
)
OTHER_STAGE = Refusal(
    "OtherStage",
    N_("A question can hang only on one that is asked at the same time: of applicants, or later."),
)


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Everything that an organizer decides about a question; fields as in `Question`."""

    type: QuestionType
    label: str
    column_title: str
    help: str = ""
    terms: str = ""
    required: bool = False
    stage: Stage = Stage.REGISTER
    choices: Sequence[tuple[str, str]] = ()
    show_if: Mapping[str, Any] | None = None
    visible_to: Audience = Audience.ORGANIZER
    sensitive: bool = False
    delete_after_days: int | None = None

    def columns(self) -> dict[str, Any]:
        """Return the values of the row's columns."""
        facts = {f.name: getattr(self, f.name) for f in fields(self)}
        show_if = dict(self.show_if) if self.show_if else None
        return {**facts, "choices": [list(c) for c in self.choices], "show_if": show_if}


# What people answered to, or relied on when they did: for them it stays as it was.
PROMISED = (
    "type",
    "label",
    "terms",
    "choices",
    "visible_to",
    "sensitive",
    "delete_after_days",
)


def wording_of(q: Question | Suggestion) -> Wording:
    """Return what was decided about a question."""
    facts = {f.name: getattr(q, f.name) for f in fields(Wording)}
    return Wording(**{**facts, "choices": tuple((v, label) for v, label in q.choices)})


def add_question(event_id: int, wording: Wording, *, actor: Actor, now: datetime) -> str:
    """Add a question at the end of the form and return its key; raise Refused."""
    lock_event(event_id)
    current = queries.list_questions(event_id)
    _check(wording, current)
    return _add(event_id, _free_key(event_id, wording), wording, current, actor, now).key


def add_from_library(
    event_id: int, keys: Sequence[str], *, actor: Actor, now: datetime
) -> list[str]:
    """Add usual questions at the end of the form, and return the keys of those that were not there yet.

    A question that hangs on another brings it along.
    """
    lock_event(event_id)
    current = queries.list_questions(event_id)
    there = {q.key for q in current}
    wanted: dict[str, Suggestion] = {}
    for key in keys:
        suggestion = BY_KEY.get(key)
        if suggestion is None:
            raise NotFound(N_("There is no such question."))
        if suggestion.show_if:
            needed = suggestion.show_if["question"]
            wanted[needed] = BY_KEY[needed]
        wanted[key] = suggestion
    added = []
    for key, suggestion in wanted.items():
        if key not in there:
            current.append(_add(event_id, key, wording_of(suggestion), current, actor, now))
            added.append(key)
    return added


def copy_questions(from_event_id: int, event_id: int, *, actor: Actor, now: datetime) -> list[str]:
    """Add the questions of another event that are not here yet, and return their keys."""
    lock_event(event_id)
    current = queries.list_questions(event_id)
    there = {q.key for q in current}
    added = []
    for q in queries.list_questions(from_event_id):
        if q.key not in there:
            current.append(_add(event_id, q.key, wording_of(q), current, actor, now))
            added.append(q.key)
    return added


def change_question(
    event_id: int, key: str, wording: Wording, *, seen: int, actor: Actor, now: datetime
) -> None:
    """Change a question: in place, or as a new version where people answered the old words.

    `seen`: the mark of the question that the organizer looked at. Raises IllegalMove if it was changed meanwhile.
    """
    lock_event(event_id)
    current = queries.list_questions(event_id)
    question = _get(current, key)
    if mark_of(question) != seen:
        raise IllegalMove("Question", str(seen), str(mark_of(question)))
    place = current.index(question)
    _check(wording, current[:place])
    _check_dependents(question, wording, current[place + 1 :])
    before, after = wording_of(question).columns(), wording.columns()
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    if set(changed) & set(PROMISED) and count_answers([question.id]):
        question.retired_at = now
        db.session.flush()
        question = _row(event_id, key, question.version + 1, question.position, wording, now)
    else:
        for name in changed:
            setattr(question, name, after[name])
    db.session.flush()
    _record("question.changed", question, actor, now, _kept(before, changed), _kept(after, changed))


def retire_question(event_id: int, key: str, *, actor: Actor, now: datetime) -> None:
    """Ask it no longer: with answers it is kept for them, without it is deleted. Raises Refused, or IllegalMove."""
    lock_event(event_id)
    current = queries.list_questions(event_id)
    question = _get(current, key)
    hanging = [q for q in current if q.show_if and q.show_if["question"] == key]
    if hanging:
        raise Refused(_hangs(hanging[0]))
    _record("question.retired", question, actor, now, {"label": question.label}, None)
    if count_answers([question.id]):
        question.retired_at = now
    else:
        db.session.delete(question)
    current.remove(question)
    _renumber(current)


def move_question(event_id: int, key: str, *, up: bool, actor: Actor, now: datetime) -> bool:
    """Move a question one place up or down, and tell whether it moved; raise Refused before what it hangs on."""
    lock_event(event_id)
    current = queries.list_questions(event_id)
    question = _get(current, key)
    place = current.index(question)
    other = place + (-1 if up else 1)
    if not 0 <= other < len(current):
        return False
    current[place], current[other] = current[other], current[place]
    seen: set[str] = set()
    for q in current:
        if q.show_if and q.show_if["question"] not in seen:
            raise Refused(NOT_EARLIER)
        seen.add(q.key)
    _renumber(current)
    _record("question.moved", question, actor, now, {"place": place + 1}, {"place": other + 1})
    return True


def count_answers(question_ids: Sequence[int]) -> dict[int, int]:
    """Count the answers to each of these versions; those without any are left out."""
    query = (
        select(Answer.question_id, func.count().label("n"))
        .where(Answer.question_id.in_(question_ids))
        .group_by(Answer.question_id)
    )
    return {row.question_id: row.n for row in db.session.execute(query)}


def mark_of(question: Question) -> int:
    """Return a number that changes with every change of a question: forms carry it to notice that they are stale."""
    text = repr((question.version, sorted(wording_of(question).columns().items())))
    return zlib.crc32(text.encode())


# ---- what is checked


def _get(current: Sequence[Question], key: str) -> Question:
    found = next((q for q in current if q.key == key), None)
    if found is None:
        raise IllegalMove("Question", "retired", "changed")
    return found


def _check(wording: Wording, earlier: Sequence[Question]) -> None:
    values = [value for value, _label in wording.choices]
    if wording.type in CHOICES and (len(values) < 2 or len(set(values)) != len(values)):
        raise Refused(NO_CHOICES)
    if wording.show_if:
        above = next((q for q in earlier if q.key == wording.show_if["question"]), None)
        if above is None or not _can_be(above.type, above.choices, wording.show_if["is"]):
            raise Refused(NOT_EARLIER)
        if above.stage is not wording.stage:
            raise Refused(OTHER_STAGE)


def _check_dependents(question: Question, wording: Wording, later: Sequence[Question]) -> None:
    for q in later:
        condition = q.show_if
        if condition is None or condition["question"] != question.key:
            continue
        same = q.stage is wording.stage
        if not same or not _can_be(wording.type, wording.choices, condition["is"]):
            raise Refused(_hangs(q))


def _can_be(kind: QuestionType, choices: Sequence[Sequence[str]], wanted: Sequence[Any]) -> bool:
    """Tell whether every wanted value is an answer that such a question can have."""
    possible: list[Any] = [value for value, _label in choices] if kind in CHOICES else []
    if kind in YES:
        possible = [True, False]
    same = [any(type(w) is type(p) and w == p for p in possible) for w in wanted]
    return bool(same) and all(same)


def _hangs(q: Question) -> Refusal:
    return Refusal(
        "QuestionHangsOnIt",
        N_("“%(label)s” is asked because of its answer: change that question first."),
        {"label": q.label},
    )


# ---- how it is stored


def _free_key(event_id: int, wording: Wording) -> str:
    """Return a key that no question of the event ever had."""
    stem = slugify(wording.column_title or wording.label)[:50].strip("-").replace("-", "_")
    taken = set(db.session.scalars(select(Question.key).where(Question.event_id == event_id)))
    key, n = stem or "question", 1
    while key in taken:
        n += 1
        key = f"{stem or 'question'}_{n}"
    return key


def _add(
    event_id: int,
    key: str,
    wording: Wording,
    current: Sequence[Question],
    actor: Actor,
    now: datetime,
) -> Question:
    if len(current) >= MOST_QUESTIONS:
        raise Refused(TOO_MANY)
    newest = select(func.max(Question.version)).where(
        Question.event_id == event_id, Question.key == key
    )
    version = (db.session.scalar(newest) or 0) + 1
    position = current[-1].position + 1 if current else 0
    question = _row(event_id, key, version, position, wording, now)
    _record("question.added", question, actor, now, None, {"label": wording.label})
    return question


def _row(
    event_id: int, key: str, version: int, position: int, wording: Wording, now: datetime
) -> Question:
    question = Question(
        event_id=event_id,
        key=key,
        version=version,
        position=position,
        created_at=now,
        **wording.columns(),
    )
    db.session.add(question)
    db.session.flush()
    return question


def _renumber(current: Sequence[Question]) -> None:
    for position, question in enumerate(current):
        question.position = position
    db.session.flush()


def _kept(columns: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {n: columns[n] for n in names}


def _record(
    action: str,
    question: Question,
    actor: Actor,
    now: datetime,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    record(
        action,
        ("question", question.id),
        actor=actor,
        now=now,
        event_id=question.event_id,
        before=before,
        after={"key": question.key, "version": question.version, **(after or {})},
    )
