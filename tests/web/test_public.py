"""The two doors for machines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings


def test_a_migrated_database_is_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_old_schema_is_not_ready_and_says_what_to_do(client: FlaskClient, db: Any) -> None:
    with transaction():
        db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "regsys upgrade" in answer.text


@pytest.mark.once
def test_a_newer_schema_serves_older_code(client: FlaskClient, db: Any) -> None:
    with transaction():
        db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert client.get("/readyz").status_code == 200


@pytest.mark.once
def test_an_empty_database_is_not_ready_but_the_process_lives(
    make_app: Callable[[Settings], Flask], tmp_path: Path
) -> None:
    client = make_app(Settings.for_tests(tmp_path)).test_client()
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").text == "ok\n"
