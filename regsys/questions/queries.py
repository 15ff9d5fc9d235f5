"""Reading questions and answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from regsys.events.kinds import Enrollment
from regsys.events.models import Event
from regsys.kernel.db import db
from regsys.questions.kinds import QuestionType, Stage
from regsys.questions.models import Answer, Audience, Question


@dataclass(frozen=True)
class Entry:
    """A question as one person has it before them, with their answer to it or to an earlier version."""

    question: Question
    answer: Answer | None


def list_questions(event_id: int) -> list[Question]:
    """List an event's current questions in their order."""
    query = (
        select(Question)
        .where(Question.event_id == event_id, Question.retired_at.is_(None))
        .order_by(Question.position, Question.id)
    )
    return list(db.session.scalars(query))


def list_form(event_id: int, registration_id: int) -> list[Entry]:
    """List what an event asks at registration, with one person's answers, in one query."""
    applies = select(Event.id).where(
        Event.id == event_id, Event.enrollment == Enrollment.APPLICATION
    )
    asked = or_(Question.stage == Stage.REGISTER, ~applies.exists())
    return _list_form(event_id, Answer.registration_id == registration_id, asked)


def list_open_answers(key: str, registration_ids: Collection[int]) -> dict[int, Answer]:
    """List what these registrations answered to the question with a key, where nothing about it is private."""
    query = (
        select(Answer)
        .join(Answer.question)
        .where(Answer.registration_id.in_(registration_ids), Answer.key == key)
        .where(~Question.sensitive, Question.visible_to != Audience.STEWARD)
        .options(contains_eager(Answer.question))
    )
    return {a.registration_id: a for a in db.session.scalars(query) if a.registration_id}


def list_form_to_change(
    event_id: int, registration_id: int, audiences: Collection[Audience]
) -> list[Entry]:
    """List the part of a form that somebody else may fill in for a person: what these audiences may read.

    Private questions and agreements are left out, and whatever is asked because of them.
    """
    entries = [
        e
        for e in list_form(event_id, registration_id)
        if e.question.visible_to in audiences
        and not e.question.sensitive
        and e.question.type is not QuestionType.AGREEMENT
    ]
    while True:
        keys = {e.question.key for e in entries}
        fit = [
            e for e in entries if not e.question.show_if or e.question.show_if["question"] in keys
        ]
        if len(fit) == len(entries):
            return fit
        entries = fit


def list_application_form(event_id: int, application_id: int | None) -> list[Entry]:
    """List what an event asks of applicants, with the answers of one (None: of nobody yet), in one query."""
    mine = false() if application_id is None else Answer.application_id == application_id
    return _list_form(event_id, mine, Question.stage == Stage.APPLY)


def _list_form(event_id: int, mine: ColumnElement[bool], asked: ColumnElement[bool]) -> list[Entry]:
    query = (
        select(Question, Answer)
        .outerjoin(Answer, and_(Answer.key == Question.key, mine))
        .where(Question.event_id == event_id, Question.retired_at.is_(None), asked)
        .order_by(Question.position, Question.id)
        .execution_options(populate_existing=True)
    )
    return [Entry(q, a) for q, a in db.session.execute(query)]


def list_answers(registration_ids: Sequence[int]) -> dict[int, dict[str, Answer]]:
    """List answers by registration and key, each with the version of the question that was answered."""
    query = (
        select(Answer)
        .where(Answer.registration_id.in_(registration_ids))
        .options(joinedload(Answer.question))
        .order_by(Answer.id)
    )
    found: dict[int, dict[str, Answer]] = {r: {} for r in registration_ids}
    for answer in db.session.scalars(query):
        assert answer.registration_id is not None
        found[answer.registration_id][answer.key] = answer
    return found


def list_application_answers(application_id: int) -> list[Answer]:
    """List what one applicant answered, with the versions of the questions that were answered."""
    query = (
        select(Answer)
        .join(Answer.question)
        .where(Answer.application_id == application_id)
        .options(contains_eager(Answer.question))
        .order_by(Question.position, Answer.id)
    )
    return list(db.session.scalars(query))


# ---- who may read: what is not loaded cannot leak


def list_readable_questions(
    event_ids: Sequence[int], audiences: Collection[Audience]
) -> list[Question]:
    """List the questions whose answers these audiences may read, each key once with its newest wording, in form order.

    Retired questions stay as long as somebody answered them. The newest version decides who may read.
    """
    answered = select(Answer.id).where(Answer.question_id == Question.id).exists()
    query = (
        select(Question)
        .where(Question.event_id.in_(event_ids))
        .where(or_(Question.retired_at.is_(None), answered))
        .order_by(Question.event_id, Question.position, Question.version)
    )
    newest = {(q.event_id, q.key): q for q in db.session.scalars(query)}
    return list({q.key: q for q in newest.values() if q.visible_to in audiences}.values())


def list_readable_answers(
    registration_ids: Sequence[int], audiences: Collection[Audience], *, sensitive: bool = True
) -> dict[int, dict[str, Answer]]:
    """List the answers that these audiences may read, by registration and key, with the version that was answered.

    Both the version that was answered and the newest one must be open to them. `sensitive=False` leaves those out.
    """
    query = _readable(audiences, sensitive).where(Answer.registration_id.in_(registration_ids))
    found: dict[int, dict[str, Answer]] = {r: {} for r in registration_ids}
    for answer in db.session.scalars(query):
        assert answer.registration_id is not None
        found[answer.registration_id][answer.key] = answer
    return found


def readable_answers_of_applications(
    application_ids: Sequence[int], audiences: Collection[Audience]
) -> dict[int, dict[str, Answer]]:
    """List the answers that these audiences may read, by application and key, without the private ones."""
    query = _readable(audiences, False).where(Answer.application_id.in_(application_ids))
    found: dict[int, dict[str, Answer]] = {a: {} for a in application_ids}
    for answer in db.session.scalars(query):
        assert answer.application_id is not None
        found[answer.application_id][answer.key] = answer
    return found


def list_readable_application_answers(
    application_id: int, audiences: Collection[Audience], *, sensitive: bool
) -> list[Answer]:
    """List the answers of one application that these audiences may read, in the order of the form."""
    query = _readable(audiences, sensitive).where(Answer.application_id == application_id)
    return list(db.session.scalars(query))


def _readable(audiences: Collection[Audience], sensitive: bool) -> Select[Answer]:
    asked, newest = aliased(Question), aliased(Question)
    newest_audience = (
        select(newest.visible_to)
        .where(newest.event_id == asked.event_id, newest.key == asked.key)
        .order_by(newest.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Answer)
        .join(asked, asked.id == Answer.question_id)
        .options(contains_eager(Answer.question.of_type(asked)))
        .where(asked.visible_to.in_(audiences), newest_audience.in_(audiences))
        .order_by(asked.position, Answer.id)
    )
    return query if sensitive else query.where(asked.sensitive.is_(False))
