"""What `regsys check` looks at: (fine?, what is found, what to do), in plain words."""

import importlib.util
import shutil
import socket
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

from sqlalchemy import text

from regsys.app import create_app
from regsys.jobs import queries as jobs
from regsys.kernel import clock, revisions
from regsys.kernel.db import db
from regsys.kernel.settings import Settings
from regsys.outbox import queries as outbox
from regsys.outbox.states import MessageState
from regsys.rooms import FLOORS
from regsys.worker import describe, is_held

Finding = tuple[bool, str, str]
Look = Callable[[Settings], list[Finding]]

LEAST_DISK = 500_000_000
LATE = timedelta(minutes=5)
OLD_COPY = timedelta(days=2)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; what cannot be looked at is a finding of its own."""
    found: list[Finding] = [(True, "The settings can be read.", "")]
    found += _alone(_disk, settings)
    schema = _schema(settings)
    found += [schema, *_alone(_mail_server, settings), *_alone(_copies, settings)]
    if not schema[0]:
        return found
    with create_app(settings).app_context():
        for look in (_clock, _work, _letters, *_looks_of_rooms()):
            found += _alone(look, settings)
        db.session.remove()
        db.engine.dispose()
    return found


def _looks_of_rooms() -> list[Look]:
    """Collect `check` from every room's checks.py."""
    names = [f"regsys.{room}.checks" for room in FLOORS]
    return [import_module(name).check for name in names if importlib.util.find_spec(name)]


def _alone(look: Look, settings: Settings) -> list[Finding]:
    """Return what a look finds; a look that breaks hides no other."""
    try:
        return look(settings)
    except Exception as e:
        return [(False, f"This could not be looked at: {describe(e)}", "See the log.")]


def _disk(settings: Settings) -> list[Finding]:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.DATA_DIR).free
    said = f"{free / 1e9:.1f} GB are free for {settings.DATA_DIR}."
    return [(free > LEAST_DISK, said, "Make room: SQLite stops at a full disk.")]


def _schema(settings: Settings) -> Finding:
    try:
        found = revisions.stored(settings)
    except Exception as e:
        return False, f"The database cannot be asked: {describe(e)}", "Is DATABASE_URL right?"
    if found is None:
        return False, "The database is empty.", "Run `regsys upgrade`."
    fine = not revisions.is_behind(settings)
    return fine, f"The database has schema {found}.", "It is old: run `regsys upgrade`."


def _clock(settings: Settings) -> list[Finding]:
    """Compare with PostgreSQL's clock; SQLite has none of its own."""
    if db.engine.dialect.name != "postgresql":
        return []
    theirs = db.session.scalar(text("SELECT clock_timestamp()"))
    apart = abs((theirs - clock.real_now()).total_seconds())
    sentence = f"This machine's clock and the database's are {apart:.1f} s apart."
    return [(apart < 5, sentence, "Set both by NTP: holds and links end by the clock.")]


def _mail_server(settings: Settings) -> list[Finding]:
    if settings.SANDBOX and (settings.MAIL_SERVER, settings.MAIL_PORT) == ("localhost", 25):
        return [(True, "Sandbox mode: letters stay in the data folder (/outbox).", "")]
    where = f"{settings.MAIL_SERVER}:{settings.MAIL_PORT}"
    try:
        socket.create_connection((settings.MAIL_SERVER, settings.MAIL_PORT), timeout=5).close()
    except OSError as e:
        said = f"The mail server {where} does not answer: {e}."
        return [(False, said, "Check the MAIL_ settings.")]
    return [(True, f"The mail server {where} answers.", "")]


def _work(settings: Settings) -> list[Finding]:
    alive = [p for p in (settings.DATA_DIR / "workers").glob("worker-*.lock") if is_held(p)]
    late = jobs.find_oldest_due(now=clock.now() - LATE)
    dead = jobs.list_dead(limit=3)
    kinds = ", ".join(sorted({job.kind for job in dead}))
    return [
        (
            bool(alive) or late is None,
            f"Workers on this machine: {len(alive)}.",
            "Start one: `regsys serve`, or `regsys worker`.",
        ),
        (
            late is None,
            "No job is late."
            if late is None
            else f"A job is due since {late:%d %b %Y, %H:%M} UTC.",
            "See why the worker does not get to it.",
        ),
        (
            not dead,
            f"Jobs that were given up: {jobs.count_dead()}{f' ({kinds})' if kinds else ''}.",
            "Their errors stand in the table `job`; mend the cause and set them going again.",
        ),
    ]


def _letters(settings: Settings) -> list[Finding]:
    counts = outbox.count_by_state()
    failed, uncertain = counts[MessageState.FAILED], counts[MessageState.UNCERTAIN]
    return [
        (
            not failed and not uncertain,
            f"Letters that failed: {failed}; whose fate is unknown: {uncertain}; waiting: "
            f"{counts[MessageState.QUEUED]}.",
            "Look at them under Letters on the organizers' pages.",
        )
    ]


def _copies(settings: Settings) -> list[Finding]:
    if not settings.database_url.startswith("sqlite") or settings.SANDBOX:
        return [(True, "Copies of the database are not made here.", "")]
    made = [p.stat().st_mtime for p in (settings.DATA_DIR / "backups").glob("*.sqlite")]
    age = timedelta(seconds=clock.real_now().timestamp() - max(made)) if made else None
    fine = age is not None and age < OLD_COPY
    said = (
        f"The newest copy of the database is {age.days} days old." if age else "There is no copy."
    )
    return [(fine, said, "Run `regsys backup` every day, and keep the copies elsewhere.")]
