"""The database is locked, or the disk is full: one clear sentence, and nothing half done.

Stripe away: tests/payments/test_checkout.py (rule 40). The mail server away: tests/outbox/test_jobs.py. Impossible
settings: tests/hostile/test_settings.py.
"""

import errno
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from regsys.jobs import services as jobs
from regsys.kernel.db import Base, transaction
from regsys.kernel.errors import OutOfRoom
from regsys.kernel.settings import Settings
from regsys.launch import sentence
from regsys.worker import Worker
from tests.cast import make_event
from tests.conftest import Clock
from tests.support import rawsql
from tests.support.pg import Postgres
from tests.support.ports import free_port
from tests.support.typist import Typist

TABLES = [table.name for table in Base.metadata.sorted_tables]
BUSY = "Many people are booking at this moment. Nothing was booked and nothing was charged."
AWAY = "The database of this site does not answer."
FULL = "The disk of this site is full. Nothing was changed here."


def counts(url: str) -> dict[str, int]:
    """Count the rows of every table."""
    return {name: rawsql.number(url, f'SELECT count(*) FROM "{name}"') for name in TABLES}


@contextmanager
def write_lock(url: str) -> Iterator[None]:
    """Hold what a writer needs, on a second connection."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        names = ", ".join(f'"{name}"' for name in TABLES)
        connection.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE".encode())
        yield


@contextmanager
def full_disk(app: Flask, url: str) -> Iterator[None]:
    """Let the database grow no more: by a quota of SQLite's, by PostgreSQL's own error."""
    engine = app.extensions["sqlalchemy"].engines[None]
    if engine.dialect.name == "sqlite":
        engine.dispose()
        rawsql.rows(url, "VACUUM")  # pages that were freed would hold some rows more
        pages = rawsql.number(url, "PRAGMA page_count")

        def limit(connection: Any, record: object) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}").fetchall()

        event.listen(engine, "connect", limit)
        yield
        event.remove(engine, "connect", limit)
        engine.dispose()
        return
    body = (
        "BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END"
    )
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$".encode()
        )
        make = (
            "CREATE TRIGGER full_disk BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
        for name in ("inquiry", "job"):
            connection.execute(make.format(name).encode())
        yield
        for name in ("inquiry", "job"):
            connection.execute(f"DROP TRIGGER full_disk ON {name}".encode())
        connection.execute(b"DROP FUNCTION full_disk()")


LETTER = {
    "name": "Undine Nutkin",
    "email": "undine@example.org",
    "message": "Dear all. " * 480,
}


def test_a_locked_database_is_said_in_one_sentence_and_tried_again(
    app: Flask, db: Any, clock: Clock
) -> None:
    url, slug = str(app.config["SQLALCHEMY_DATABASE_URI"]), make_event().slug
    db.session.remove()
    writer, buyer = Typist(app.test_client()), Typist(app.test_client())
    letter, places = writer.get("/contact"), buyer.get(f"/events/{slug}/register")
    clock.move(seconds=30)
    before = counts(url)
    with write_lock(url), ThreadPoolExecutor(2) as at_once:
        answers = [at_once.submit(writer.send, letter, LETTER), at_once.submit(buyer.send, places)]
        pages = [a.result() for a in answers]
        assert buyer.get(f"/events/{slug}").status == 200  # who only reads waits for nobody
    for page in pages:
        assert page.status == 503, (page.title, page.url)
        assert page.headers["Retry-After"] == "2"
        assert page.text.count(BUSY) == 1 + page.text.count(f'content="{BUSY}"')
    assert counts(url) == before
    assert writer.send(letter, LETTER).status == 303
    assert buyer.send(places).status == 303


def test_a_full_disk_is_said_in_one_sentence_and_changes_nothing(
    app: Flask, db: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    url, writer = str(app.config["SQLALCHEMY_DATABASE_URI"]), Typist(app.test_client())
    letter = writer.get("/contact")
    clock.move(seconds=30)
    before = counts(url)
    with full_disk(app, url):
        for _ in range(8):  # the last free pages take a letter or two
            page = writer.send(letter, LETTER)
            if page.status != 303:
                break
            before = counts(url)
        assert page.status == 503, page.title
        assert page.headers["Retry-After"] == "60"
        assert FULL in page.text
        assert counts(url) == before
        assert writer.get("/contact").status == 200
    assert [r.levelname for r in caplog.records if "disk is full" in r.getMessage()] == ["ERROR"]
    assert "Nutkin" not in caplog.text
    assert writer.send(letter, LETTER).status == 303


def test_a_job_that_meets_a_full_disk_is_tried_again(
    app: Flask, db: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def full(payload: object) -> None:
        raise OutOfRoom("The disk is full.")

    with transaction():
        jobs.enqueue("note", "note:1", {}, due=clock.now, now=clock.now)
    worker = Worker(app, "w")
    worker.handlers["note"] = full
    caplog.set_level(logging.CRITICAL, "regsys.worker")
    assert worker.step([])
    url = str(app.config["SQLALCHEMY_DATABASE_URI"])
    found = rawsql.rows(url, "SELECT state, error FROM job WHERE key = 'note:1'")
    assert found == [("ready", "OutOfRoom: The disk is full.")]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")),
        OperationalError("INSERT", {}, Exception("could not extend file: No space left on device")),
    ],
)
def test_a_command_says_that_the_disk_is_full_and_what_to_do(error: Exception) -> None:
    said = sentence(error)
    assert said == "The disk is full, so this was not finished. Free some space, then try again."


def _said(client: FlaskClient, path: str) -> tuple[int, str | None, bool]:
    answer = client.get(path)
    return answer.status_code, answer.headers.get("Retry-After"), AWAY in answer.text


@pytest.mark.once
def test_a_database_that_is_away_is_said_in_one_sentence_until_it_is_back(
    postgres: Postgres,
    postgres_template: str,
    data: Path,
    make_app: Callable[[Settings], Flask],
    clock: Clock,
) -> None:
    url = postgres.create("goes_away", template=postgres_template)
    app = make_app(Settings.for_tests(data, DATABASE_URL=url))
    typist = Typist(app.test_client())
    letter = typist.get("/contact")
    assert letter.status == 200
    allow = "ALTER DATABASE goes_away ALLOW_CONNECTIONS {}"
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'goes_away'"
    postgres.run(allow.format("false"), end)
    clock.move(seconds=30)
    assert _said(app.test_client(), "/events") == (503, "30", True)
    answer = typist.send(letter, LETTER)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert app.test_client().get("/readyz").status_code == 503
    postgres.run(allow.format("true"))
    assert app.test_client().get("/events").status_code == 200
    assert typist.send(letter, LETTER).status == 303
    assert rawsql.number(url, "SELECT count(*) FROM inquiry") == 1


@pytest.mark.once
def test_a_port_that_nobody_listens_at_is_said_in_the_same_words(
    data: Path, make_app: Callable[[Settings], Flask]
) -> None:
    url = f"postgresql+psycopg://regsys@127.0.0.1:{free_port()}/regsys"
    app = make_app(Settings.for_tests(data, DATABASE_URL=url))
    assert _said(app.test_client(), "/events") == (503, "30", True)
    assert app.test_client().post("/webhooks/stripe", data=b"{}").status_code >= 400
