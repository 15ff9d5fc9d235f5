"""The fixtures of tests/conftest.py keep what they promise."""

from datetime import timedelta
from typing import Any

from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import text

from regsys.kernel import clock as kernel_clock
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from tests.conftest import Clock, Database


def test_the_database_is_migrated_empty_and_the_apps_own(db: Any, database: Database) -> None:
    assert db.engine.dialect.name == database.kind
    assert db.session.scalar(text("SELECT count(*) FROM event")) == 0
    assert db.session.scalar(text("SELECT version_num FROM alembic_version")) is not None


def test_what_a_transaction_wrote_is_gone_in_the_next_test(db: Any) -> None:
    count = text("SELECT count(*) FROM venue")
    assert db.session.scalar(count) == 0
    with transaction() as session:
        session.execute(text("INSERT INTO venue VALUES (1, 'a', '', '', NULL, '')"))
    assert db.session.scalar(count) == 1


test_what_a_transaction_wrote_is_gone_in_the_next_test_again = (
    test_what_a_transaction_wrote_is_gone_in_the_next_test
)


def test_a_request_shares_neither_session_nor_g_with_the_test(
    app: Flask, db: Any, client: FlaskClient
) -> None:
    seen = {}
    g.mine = "the test's"
    mine = product_db.session()

    @app.before_request
    def look() -> str:
        seen["g"], seen["session"] = "mine" in g, product_db.session() is mine
        return "looked"

    assert client.get("/").text == "looked"
    assert seen == {"g": False, "session": False}


def test_the_clock_stands_until_it_is_moved(clock: Clock) -> None:
    before = kernel_clock.now()
    assert kernel_clock.now() == before == clock.now
    assert clock.move(minutes=31) == kernel_clock.now() == before + timedelta(minutes=31)
