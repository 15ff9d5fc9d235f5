"""`regsys check`: what is well, what is not, and what to do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regsys import checkup
from regsys.jobs import services as jobs
from regsys.kernel import clock as kernel_clock
from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from regsys.worker import presence
from tests.outbox.post import at, draft, put
from tests.support.smtp import SmtpServer

Find = Callable[..., tuple[bool, str, str]]


def look(settings: Settings, words: str) -> tuple[bool, str, str]:
    """Return the one finding that holds the words."""
    found = [f for f in checkup.examine(settings) if words in f[1]]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.once
def test_an_empty_database_is_the_last_thing_that_is_looked_at(tmp_path: Path) -> None:
    found = checkup.examine(Settings.for_tests(tmp_path))
    assert (False, "The database is empty.", "Run `regsys upgrade`.") in found
    assert len(found) == 5


def test_a_good_house_is_said_to_be_good(settings: Settings, db: Any) -> None:
    with presence(settings.DATA_DIR / "workers"):
        assert look(settings, "Workers on this machine") == (
            True,
            "Workers on this machine: 1.",
            "Start one: `regsys serve`, or `regsys worker`.",
        )
    assert look(settings, "The database has schema")[0]
    assert look(settings, "are free for")[0]
    assert look(settings, "Sandbox mode: letters stay")[0]


def test_work_that_nobody_does_is_seen(settings: Settings, db: Any, now: datetime) -> None:
    with transaction():
        early = now - timedelta(minutes=6)
        jobs.enqueue("note", "note:1", {}, due=early, now=early)
    assert not look(settings, "Workers on this machine: 0")[0]
    assert not look(settings, "A job is due since 24 Nov 2026, 16:54 UTC")[0]


def test_jobs_that_were_given_up_are_seen(settings: Settings, db: Any, clock: Any) -> None:
    with transaction():
        jobs.enqueue("note", "note:1", {}, due=clock.now, now=clock.now)
    for _ in range(jobs.TRIES):
        with transaction():
            (job,) = jobs.claim_due("w", now=clock.now, real_now=kernel_clock.real_now())
            jobs.fail(job.id, "w", "broken", now=clock.now)
        clock.move(hours=1)
    assert look(settings, "given up: 1 (note)")[0] is False


def test_letters_that_wait_are_counted(settings: Settings, db: Any, now: datetime) -> None:
    put(draft(), now=now)
    assert look(settings, "failed: 0; whose fate is unknown: 0; waiting: 1")[0]


@pytest.mark.once
def test_the_mail_server_is_asked(settings: Settings, db: Any) -> None:
    with SmtpServer() as server:
        known = at(server, settings)
        assert look(known, f"The mail server localhost:{server.port} answers.")[0]
    assert look(known, f"The mail server localhost:{server.port} does not answer")[0] is False


@pytest.mark.once
def test_a_missing_copy_is_seen_where_people_are_real(settings: Settings, db: Any) -> None:
    real = settings.replace(SANDBOX=False)
    assert look(real, "There is no copy.")[0] is False


@pytest.mark.once
def test_a_server_that_is_away_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    away = Settings.for_tests(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert look(away, "The database cannot be asked")[0] is False
