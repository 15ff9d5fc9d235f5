"""The worker: due work is done once, failures come again, and nobody's death loses anything."""

import fcntl
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from regsys import worker as module
from regsys.jobs import queries, services
from regsys.jobs.jobs import tidy
from regsys.jobs.models import Job
from regsys.jobs.periodic import Periodic, for_each
from regsys.jobs.states import JobState
from regsys.kernel import clock as kernel_clock
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Busy, IllegalMove
from regsys.worker import Worker
from tests.support.failing import as_in_life

REAL = kernel_clock.real_now


class Diary:
    """Handlers that write down what they did, and fail as told."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.raises: list[Exception] = []
        self.again: list[datetime] = []

    def handle(self, payload: Mapping[str, Any]) -> datetime | None:
        if self.raises:
            raise self.raises.pop(0)
        self.done.append(payload.get("n"))
        return self.again.pop(0) if self.again else None


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def worker(app: Flask, db: Any, diary: Diary, clock: Any) -> Worker:
    """Return a worker that knows one kind of job, and no periodic work."""
    made = Worker(app, "worker-a")
    made.handlers, made.periodic = {"note": diary.handle, "outbox.send": diary.handle}, []
    return made


def enqueue(n: int, *, now: datetime, kind: str = "note", wait: int = 0) -> None:
    with transaction():
        due = now + timedelta(seconds=wait)
        services.enqueue(kind, f"{kind}:{n}", {"n": n}, due=due, now=now)


def the_job() -> Job:
    db.session.rollback()
    return db.session.scalars(select(Job), execution_options={"populate_existing": True}).one()


def test_what_is_due_is_done_once_in_order(worker: Worker, diary: Diary, now: datetime) -> None:
    for n, wait in ((1, -5), (2, -9), (3, 60)):
        enqueue(n, now=now, wait=wait)
    worker.run_once()
    worker.run_once()
    assert diary.done == [2, 1]


def test_a_key_is_one_job(worker: Worker, diary: Diary, now: datetime) -> None:
    enqueue(1, now=now)
    enqueue(1, now=now)
    worker.run_once()
    assert diary.done == [1]


def test_a_job_may_ask_to_run_again(worker: Worker, diary: Diary, clock: Any) -> None:
    enqueue(1, now=clock.now)
    diary.again = [clock.now + timedelta(minutes=3)]
    worker.run_once()
    assert (the_job().state, the_job().lease_by) == ("ready", None)
    clock.move(minutes=3)
    worker.run_once()
    assert diary.done == [1, 1]
    assert the_job().state is JobState.DONE


@pytest.mark.parametrize("error", [ValueError("broken"), Busy("locked")])
def test_a_failed_job_comes_again_later_and_later(
    worker: Worker, diary: Diary, clock: Any, error: Exception
) -> None:
    enqueue(1, now=clock.now)
    diary.raises = [error, error]
    waits = []
    for _ in range(2):
        worker.run_once()
        waits.append((the_job().due - clock.now).total_seconds())
        clock.to(the_job().due)
    assert 1.5 <= waits[0] <= 2.5
    assert 3 <= waits[1] <= 5
    assert the_job().error == module.describe(error)
    worker.run_once()
    assert diary.done == [1]


def test_after_eight_failures_a_job_is_dead_and_seen(
    worker: Worker, diary: Diary, clock: Any
) -> None:
    enqueue(1, now=clock.now)
    diary.raises = [ValueError("broken")] * 9
    for _ in range(9):
        worker.run_once()
        clock.move(hours=1)
    assert (the_job().state, the_job().attempts) == ("dead", 8)
    assert queries.count_dead() == 1
    with transaction():
        services.revive(the_job().id, now=clock.now)
    diary.raises = []
    worker.run_once()
    assert diary.done == [1]


def test_what_was_done_already_counts_as_done(worker: Worker, diary: Diary, now: datetime) -> None:
    enqueue(1, now=now)
    diary.raises = [IllegalMove("Order", "paid", "paid")]
    worker.run_once()
    assert the_job().state is JobState.DONE


def test_a_kind_that_nobody_handles_ends_among_the_dead(worker: Worker, clock: Any) -> None:
    enqueue(1, now=clock.now, kind="riddle")
    for _ in range(8):
        worker.run_once()
        clock.move(hours=1)
    assert (the_job().state, the_job().error) == ("dead", "nothing handles riddle")


def test_an_error_of_the_database_keeps_its_parameters_to_itself(worker: Worker) -> None:
    with pytest.raises(Exception, match="no_such_table") as caught:
        db.session.execute(
            select(Job).from_statement(
                text("SELECT * FROM no_such_table WHERE id = :s").bindparams(s="s3cret")
            )
        )
    assert "s3cret" not in module.describe(caught.value)


# ---- several workers, and dead ones


def test_a_leased_job_is_nobody_elses_until_the_lease_is_over(
    app: Flask, worker: Worker, diary: Diary, now: datetime
) -> None:
    enqueue(1, now=now)
    with transaction():
        services.claim_due("worker-b", now=now, real_now=REAL())
    worker.run_once()
    assert diary.done == []
    with transaction():
        db.session.execute(update(Job).values(lease_until=REAL() - timedelta(seconds=1)))
    worker.run_once()
    assert diary.done == [1]


def test_a_late_worker_changes_nothing(worker: Worker, now: datetime) -> None:
    enqueue(1, now=now)
    with transaction():
        services.claim_due("worker-b", now=now, real_now=REAL())
    with transaction():
        services.finish(the_job().id, "worker-a", now=now)
        services.fail(the_job().id, "worker-a", "too late", now=now)
    assert (the_job().state, the_job().lease_by, the_job().error) == ("ready", "worker-b", None)


def test_a_dead_workers_job_is_taken_over_at_once(
    app: Flask, worker: Worker, diary: Diary, now: datetime, tmp_path: Path
) -> None:
    enqueue(1, now=now)
    with transaction():
        services.claim_due("worker-dead", now=now, real_now=REAL())
    (tmp_path / "worker-dead.lock").touch()
    module.take_over(app, tmp_path)
    worker.run_once()
    assert diary.done == [1]
    assert list(tmp_path.glob("*.lock")) == []


def test_a_living_workers_job_is_left_alone(
    app: Flask, worker: Worker, diary: Diary, now: datetime, tmp_path: Path
) -> None:
    enqueue(1, now=now)
    with module.presence(tmp_path) as name, transaction():
        services.claim_due(name, now=now, real_now=REAL())
    with open(tmp_path / f"{name}.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        module.take_over(app, tmp_path)
        worker.run_once()
    assert diary.done == []


def test_four_workers_do_each_of_two_hundred_jobs_once(
    app: Flask, worker: Worker, diary: Diary, now: datetime
) -> None:
    with transaction():
        for n in range(200):
            services.enqueue("note", f"note:{n}", {"n": n}, due=now, now=now)
    others = [Worker(app, f"worker-{i}") for i in range(4)]
    for other in others:
        other.handlers, other.periodic = worker.handlers, []
    threads = [threading.Thread(target=_until_empty, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(diary.done) == list(range(200))


def _until_empty(worker: Worker) -> None:
    for _ in range(3):  # another worker may hold the last one for a moment
        worker.run_once()


# ---- lanes, slots, and an orderly end


def test_letters_do_not_wait_for_other_work_nor_the_other_way_round(
    app: Flask, worker: Worker, diary: Diary, now: datetime
) -> None:
    enqueue(1, now=now, kind="outbox.send")
    enqueue(2, now=now)
    worker.step([Job.kind.in_(module.MAIL)])
    worker.step([Job.kind.in_(module.MAIL)])
    assert diary.done == [1]
    worker.step([Job.kind.not_in(module.MAIL)])
    assert diary.done == [1, 2]


def test_periodic_work_runs_once_in_each_slot_whoever_asks(
    app: Flask, worker: Worker, diary: Diary, clock: Any
) -> None:
    other = Worker(app, "worker-b")
    for one in (worker, other):
        one.handlers, one.periodic = {"round": diary.handle}, [Periodic("round", 60)]
        one.run_once()
    assert len(diary.done) == 1
    clock.move(seconds=61)
    for one in (worker, other):
        one.run_once()
    assert len(diary.done) == 2


def test_stop_lets_the_job_in_hand_finish_and_begins_no_other(
    app: Flask, worker: Worker, diary: Diary, now: datetime
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(payload: Mapping[str, Any]) -> None:
        began.set()
        go_on.wait(5)
        diary.done.append(payload["n"])

    worker.handlers = {"note": slow}
    enqueue(1, now=now, wait=-1)
    enqueue(2, now=now)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert began.wait(5)
    worker.stop()
    go_on.set()
    thread.join(5)
    assert not thread.is_alive()
    assert diary.done == [1]


def test_every_periodic_kind_has_a_handler() -> None:
    handlers, periodic = module.gather()
    assert {p.kind for p in periodic} - set(handlers) == set()
    assert {"outbox.send", "accounts.mail_link", "accounts.tidy", "jobs.tidy"} <= set(handlers)


def test_done_jobs_are_forgotten_after_a_week_and_dead_ones_kept(
    worker: Worker, diary: Diary, clock: Any
) -> None:
    enqueue(1, now=clock.now)
    worker.run_once()
    enqueue(2, now=clock.now, kind="riddle")
    for _ in range(8):
        worker.run_once()
        clock.move(hours=1)
    clock.move(days=8)
    tidy({})
    assert (the_job().key, the_job().state) == ("riddle:2", "dead")


def test_one_that_fails_keeps_no_other_from_its_turn() -> None:
    done: list[int] = []

    def step(one: int) -> None:
        if one == 1:
            raise RuntimeError("poison")
        done.append(one)

    with as_in_life():
        for_each([1, 2, 3], step)
    assert done == [2, 3]

    with pytest.raises(RuntimeError):  # and in every other test a step that fails is heard
        for_each([1, 2, 3], step)
