"""What reviewers do before they decide: take it up, note what they think."""

from datetime import datetime

from sqlalchemy import select

from regsys.applications import rules
from regsys.applications.models import Review
from regsys.applications.services.shared import lock_application, move_to, record
from regsys.applications.states import WAITING
from regsys.applications.states import ApplicationState as S
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refused


def start_review(application_id: int, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Take an application up; where somebody has done so already nothing changes. Raises Refused if it is decided."""
    a = lock_application(application_id, event_id=event_id)
    if a.state not in WAITING:
        raise Refused(rules.DECIDED)
    if a.state is S.SUBMITTED:
        move_to(a, S.UNDER_REVIEW, actor=actor, now=now)


def write_review(
    application_id: int,
    *,
    event_id: int,
    user_id: int,
    score: int | None,
    note: str,
    seen: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep what one reviewer thinks; `seen`: the version that they read. What it says stays out of the audit.

    A new application is under review from then on, unless its applicant owes an answer.
    """
    a = lock_application(application_id, event_id=event_id)
    mine = (Review.application_id == a.id, Review.user_id == user_id)
    review = db.session.scalar(select(Review).where(*mine))
    if review is None:
        review = Review(application_id=a.id, user_id=user_id)
        db.session.add(review)
    review.score, review.note = score, note
    review.version, review.at = min(seen, a.version), now
    record("application.reviewed", a, actor=actor, now=now, after={"version": review.version})
    if a.state is S.SUBMITTED and not a.asked:
        move_to(a, S.UNDER_REVIEW, actor=actor, now=now)
