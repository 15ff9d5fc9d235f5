"""Reading questions and answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from regsys.kernel.db import db
from regsys.questions.models import Answer, Question


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
