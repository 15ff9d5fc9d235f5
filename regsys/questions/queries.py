"""Reading questions and answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from regsys.kernel.db import db
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
    """List an event's current questions with one person's answers, in one query."""
    mine = and_(Answer.key == Question.key, Answer.registration_id == registration_id)
    query = (
        select(Question, Answer)
        .outerjoin(Answer, mine)
        .where(Question.event_id == event_id, Question.retired_at.is_(None))
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
        found[answer.registration_id][answer.key] = answer
    return found


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
        .where(Answer.registration_id.in_(registration_ids))
        .where(asked.visible_to.in_(audiences), newest_audience.in_(audiences))
        .order_by(asked.position, Answer.id)
    )
    if not sensitive:
        query = query.where(asked.sensitive.is_(False))
    found: dict[int, dict[str, Answer]] = {r: {} for r in registration_ids}
    for answer in db.session.scalars(query):
        found[answer.registration_id][answer.key] = answer
    return found
