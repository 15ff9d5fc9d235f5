"""Runs jobs that are due, with every room's `jobs.py` as handlers.

Letters have a lane of their own, so that a mail server that does not answer never keeps a payment waiting. Several
workers may run at once; on one machine a new one takes over at once what a dead one left, elsewhere when the lease
has run out.
"""

import fcntl
import importlib.util
import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from regsys.app import create_app
from regsys.jobs import queries, services
from regsys.jobs.models import Job
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Busy, IllegalMove, Invalid, NotFound, Refused
from regsys.kernel.settings import Settings
from regsys.rooms import FLOORS

log = logging.getLogger("regsys.worker")

IDLE_SECONDS = 0.3
TROUBLE_SECONDS = 1.0
MAIL = ("outbox.send",)

# What these say will be as true the next time: the work is done already, or there is nothing to work on.
FINAL = (IllegalMove, Refused, NotFound, Invalid)


@dataclass(frozen=True)
class Work:
    """A leased job, without its row."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]


class Worker:
    """Takes jobs one by one; `stop()` lets it finish what it has in hand."""

    def __init__(self, app: Flask, name: str) -> None:
        self.app, self.name = app, name
        self.handlers, self.periodic = gather()
        self.stopping = threading.Event()
        self._slots: dict[str, str] = {}

    def run(self) -> None:
        """Work until `stop()`."""
        mail = threading.Thread(target=self._lane, args=([Job.kind.in_(MAIL)], False), name="mail")
        mail.start()
        self._lane([Job.kind.not_in(MAIL)], True)
        mail.join()

    def run_once(self) -> None:
        """Do what is due now, and what follows from it."""
        self._open_slots()
        while not self.stopping.is_set() and self.step():
            pass

    def stop(self) -> None:
        """End after the current job."""
        self.stopping.set()

    def _lane(self, among: queries.Among, opens_slots: bool) -> None:
        while not self.stopping.is_set():
            try:
                if opens_slots:
                    self._open_slots()
                pause = 0.0 if self.step(among) else IDLE_SECONDS
            except Exception as e:
                # The database is away or locked: nothing is lost, the rows wait.
                log.warning("the queue cannot be read: %s", describe(e))
                pause = TROUBLE_SECONDS
            self.stopping.wait(pause)

    def _open_slots(self) -> None:
        """Enqueue the periodic work whose time has come."""
        now = clock.now()
        new = [p for p in self.periodic if self._slots.get(p.kind) != p.key(now)]
        if not new:
            return
        with self.app.app_context(), transaction():
            for p in new:
                services.enqueue(p.kind, p.key(now), {}, due=now, now=now)
        self._slots.update({p.kind: p.key(now) for p in new})

    def step(self, among: queries.Among = ()) -> bool:
        """Do one job; return False where none is due."""
        work = self._take(among)
        if work is None:
            return False
        self._finish(work, *self._do(work))
        return True

    def _take(self, among: queries.Among) -> Work | None:
        now, real_now = clock.now(), clock.real_now()
        with self.app.app_context():
            if not queries.has_due(now=now, real_now=real_now, among=among):
                return None
            with transaction():
                jobs = services.claim_due(
                    self.name, now=now, real_now=real_now, limit=1, among=among
                )
                return next((Work(j.id, j.kind, j.key, j.payload) for j in jobs), None)

    def _do(self, work: Work) -> tuple[Any, str | None]:
        """Run the handler; return (when to run again or None, what went wrong or None)."""
        handler = self.handlers.get(work.kind)
        if handler is None:
            return None, f"nothing handles {work.kind}"
        try:
            with self.app.app_context():
                return handler(work.payload), None
        except FINAL as e:
            log.info("%s ends: %s", work.key, describe(e))
            return None, None
        except Busy as e:
            return None, describe(e)
        except Exception as e:
            log.exception("%s failed", work.key)
            return None, describe(e)

    def _finish(self, work: Work, again_at: Any, error: str | None) -> None:
        now = clock.now()
        with self.app.app_context(), transaction():
            if error is None:
                services.finish(work.id, self.name, now=now, again_at=again_at)
            elif services.fail(work.id, self.name, error, now=now):
                log.error("%s was given up: %s", work.key, error)


def describe(e: Exception) -> str:
    """Return what went wrong in one line; a statement's parameters may be private and are left out."""
    said = getattr(e, "orig", None) or type(e).__name__ if isinstance(e, SQLAlchemyError) else e
    return " ".join(f"{type(e).__name__}: {said}".split())[:1000]


def gather() -> tuple[dict[str, Handler], list[Periodic]]:
    """Collect handlers and periodic work from every room."""
    handlers: dict[str, Handler] = {}
    periodic: list[Periodic] = []
    for room in FLOORS:
        if importlib.util.find_spec(f"regsys.{room}.jobs"):
            module = import_module(f"regsys.{room}.jobs")
            handlers.update(getattr(module, "HANDLERS", {}))
            periodic += getattr(module, "PERIODIC", [])
    return handlers, periodic


# ---- who is alive: each worker holds a lock on a file of its own, which the kernel frees when it dies


@contextmanager
def presence(folder: Path) -> Iterator[str]:
    """Hold a lock file while alive, and give the name under which jobs are leased."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"worker-{os.getpid()}-{secrets.token_hex(4)}"
    path = folder / f"{name}.lock"
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield name
        path.unlink(missing_ok=True)


def list_dead(folder: Path) -> list[Path]:
    """List the lock files of workers that are dead."""
    return [path for path in folder.glob("worker-*.lock") if not is_held(path)]


def is_held(path: Path) -> bool:
    """Tell whether a living worker holds the file."""
    try:
        with open(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def take_over(app: Flask, folder: Path) -> None:
    """Free at once what dead workers of this machine had in hand."""
    dead = list_dead(folder)
    if dead:
        with app.app_context(), transaction():
            services.free_leases([path.stem for path in dead])
        for path in dead:
            path.unlink(missing_ok=True)


@contextmanager
def working(app: Flask, settings: Settings) -> Iterator[Worker]:
    """Give a worker that is known on this machine, and has taken over what a dead one left."""
    logging.basicConfig(level=settings.LOG_LEVEL, format="%(levelname)s %(name)s: %(message)s")
    folder = settings.DATA_DIR / "workers"
    with presence(folder) as name:
        worker = Worker(app, name)
        take_over(app, folder)
        log.info("the worker is ready: %d kinds of jobs", len(worker.handlers))
        yield worker


def start(settings: Settings, *, once: bool) -> None:
    """Run a worker in this process until SIGTERM or Ctrl-C, or until nothing is due."""
    with working(create_app(settings), settings) as worker:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        if once:
            worker.run_once()
        else:
            worker.run()
