"""The two doors for machines, and what any page says to whoever must not go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from tests.support.typist import Typist


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


@pytest.mark.once
def test_the_address_of_a_secret_page_is_told_to_nobody(client: FlaskClient, db: Any) -> None:
    rules = {r.rule for r in client.application.url_map.iter_rules() if "token" in r.arguments}
    assert {"/o/<token>", "/i/<token>", "/h/<token>", "/b/<token>", "/w/<token>"} <= rules
    paths = ["/i/x", "/h/x", "/b/x", "/members/link?token=x", "/events/none?key=x"]
    told = {client.get(path).headers["Referrer-Policy"] for path in paths}
    assert told == {"no-referrer"}
    assert client.get("/members").headers["Referrer-Policy"] == "same-origin"


@pytest.mark.once
def test_whoever_is_signed_out_while_they_write_is_told_so(client: FlaskClient, db: Any) -> None:
    typist = Typist(client)
    page = typist.get("/members")
    token = dict(page.form("csrf_token", action="/members").pairs({}))["csrf_token"]
    late = client.post("/organize/pages/new", data={"csrf_token": token, "title": "Long"})
    assert late.status_code == 403
    assert "You are not signed in any more" in late.text
    assert 'href="/signin"' in late.text
