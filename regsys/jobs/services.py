"""The one queue: rows enqueued in the business transaction, claimed by any number of workers."""

import random
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from regsys.jobs.models import Job
from regsys.jobs.queries import Among, is_due
from regsys.jobs.states import MOVES, JobState
from regsys.kernel.db import db, insert_new
from regsys.kernel.states import check_move

LEASE = timedelta(seconds=60)
TRIES = 8


def enqueue(
    kind: str, key: str, payload: Mapping[str, Any], *, due: datetime, now: datetime
) -> None:
    """Add a job unless one with this key exists."""
    row = {
        "kind": kind,
        "key": key,
        "payload": dict(payload),
        "state": JobState.READY,
        "state_at": now,
        "due": due,
        "attempts": 0,
        "created_at": now,
    }
    insert_new(Job, row)


def claim_due(
    worker: str, *, now: datetime, real_now: datetime, limit: int = 10, among: Among = ()
) -> list[Job]:
    """Lease jobs that are due. `due` follows the product's clock, leases follow real time."""
    ready = (
        select(Job.id)
        .where(*is_due(now, real_now), *among)
        .order_by(Job.due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(db.session.scalars(ready))
    claimed = (
        update(Job)
        .where(Job.id.in_(ids))
        .values(lease_until=real_now + LEASE, lease_by=worker, attempts=Job.attempts + 1)
    )
    db.session.execute(claimed)
    return list(
        db.session.scalars(
            select(Job).where(Job.id.in_(ids)).order_by(Job.due),
            execution_options={"populate_existing": True},
        )
    )


def finish(job_id: int, worker: str, *, now: datetime, again_at: datetime | None = None) -> None:
    """Mark as done, or set the next time; a worker whose lease was taken over changes nothing."""
    mine = update(Job).where(Job.id == job_id, Job.lease_by == worker, Job.state == JobState.READY)
    if again_at:
        db.session.execute(mine.values(due=again_at, lease_until=None, lease_by=None, attempts=0))
    else:
        db.session.execute(
            # state by UPDATE: guarded by the lease, so that a late worker changes nothing
            mine.values(state=JobState.DONE, state_at=now, lease_until=None, lease_by=None)
        )


def fail(job_id: int, worker: str, error: str, *, now: datetime) -> bool:
    """Back off, or give up after TRIES; return True where the job is dead now."""
    job = db.session.get(Job, job_id)
    if job is None or job.lease_by != worker or job.state != JobState.READY:
        return False
    dead = job.attempts >= TRIES
    mine = update(Job).where(Job.id == job_id, Job.lease_by == worker, Job.state == JobState.READY)
    if dead:
        values: dict[str, Any] = {"state": JobState.DEAD, "state_at": now}
    else:
        values = {"due": now + timedelta(seconds=2**job.attempts * random.uniform(0.75, 1.25))}
    # state by UPDATE: guarded by the lease
    db.session.execute(mine.values(**values, error=error[:2000], lease_until=None, lease_by=None))
    return dead


def free_leases(workers: Collection[str]) -> None:
    """Let go of what workers had that are known to be dead: nobody waits for their leases to run out."""
    held = update(Job).where(Job.lease_by.in_(workers), Job.state == JobState.READY)
    db.session.execute(held.values(lease_until=None, lease_by=None))


def forget_done(before: datetime) -> None:
    """Delete jobs that were done before this time; the dead stay until somebody has looked."""
    db.session.execute(delete(Job).where(Job.state == JobState.DONE, Job.state_at < before))


def revive(job_id: int, *, now: datetime) -> None:
    """Give a dead job another round; raise IllegalMove if it is not dead."""
    job = db.session.get(Job, job_id)
    if job is not None:
        check_move(MOVES, job.state, JobState.READY, what="Job")
        values = {"state": JobState.READY, "state_at": now, "due": now, "attempts": 0}
        db.session.execute(
            # state by UPDATE: of two who revive it, one does
            update(Job).where(Job.id == job_id, Job.state == JobState.DEAD).values(**values)
        )
