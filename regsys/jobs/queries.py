"""Reading the queue."""

from sqlalchemy import func, select

from regsys.jobs.models import Job
from regsys.jobs.states import JobState
from regsys.kernel.db import db


def count_dead() -> int:
    """Count jobs that were given up."""
    return (
        db.session.scalar(select(func.count()).select_from(Job).where(Job.state == JobState.DEAD))
        or 0
    )


def list_dead(limit: int = 50) -> list[Job]:
    """List jobs that were given up, newest first."""
    return list(
        db.session.scalars(
            select(Job).where(Job.state == JobState.DEAD).order_by(Job.state_at.desc()).limit(limit)
        )
    )
