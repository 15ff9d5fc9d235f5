"""Reading the queue."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from regsys.jobs.models import Job
from regsys.jobs.states import JobState
from regsys.kernel.db import db

# Further conditions: which kinds of jobs.
Among = Sequence[ColumnElement[bool]]


def is_due(now: datetime, real_now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions under which a job waits for a worker."""
    free = or_(Job.lease_until.is_(None), Job.lease_until < real_now)
    return [Job.state == JobState.READY, Job.due <= now, free]


def has_due(*, now: datetime, real_now: datetime, among: Among = ()) -> bool:
    """Tell whether there is work, without taking a lock."""
    query = select(Job.id).where(*is_due(now, real_now), *among).limit(1)
    return db.session.scalar(query) is not None


def find_oldest_due(*, now: datetime) -> datetime | None:
    """Find since when the oldest job is due that nobody has done."""
    query = select(func.min(Job.due)).where(Job.state == JobState.READY, Job.due <= now)
    return db.session.scalar(query)


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
