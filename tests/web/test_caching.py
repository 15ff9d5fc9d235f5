"""Kept pages: for whom, for how long, in which wrapping."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, session
from flask.testing import FlaskClient

from regsys.kernel.db import transaction
from regsys.web.caching import MOST_KEPT, revalidated
from tests.content.desk import make_page


@pytest.fixture
def made(app: Flask, now: Any) -> list[str]:
    """Give the app a page that counts how often it is made; return the list of its makings."""
    made: list[str] = []

    def count() -> str:
        made.append("once")
        return f"number {len(made)}"

    def remember() -> str:
        session["seen"] = True
        return count()

    def fail() -> tuple[str, int]:
        return count(), 404

    views: list[Callable[[], Any]] = [count, remember, fail]
    for view in views:
        app.add_url_rule(f"/try/{view.__name__}", view.__name__, revalidated(view))
    return made


def test_a_page_is_made_once_until_something_is_committed(
    client: FlaskClient, db: Any, made: list[str]
) -> None:
    assert [client.get("/try/count").text for _ in range(3)] == ["number 1"] * 3
    make_page("anything")
    assert client.get("/try/count").text == "number 2"
    with transaction():
        pass
    assert client.get("/try/count").text == "number 2"


def test_a_page_is_made_again_in_the_next_second(
    client: FlaskClient, db: Any, made: list[str], clock: Any
) -> None:
    client.get("/try/count")
    clock.move(seconds=1)
    assert client.get("/try/count").text == "number 2"


def test_each_address_is_kept_apart(client: FlaskClient, db: Any, made: list[str]) -> None:
    texts = [client.get("/try/count" + q).text for q in ("", "?a=1", "?a=2", "?a=1", "")]
    assert texts == ["number 1", "number 2", "number 3", "number 2", "number 1"]


def test_what_writes_to_a_session_is_kept_for_nobody(app: Flask, db: Any, made: list[str]) -> None:
    first, second = (app.test_client().get("/try/remember") for _ in range(2))
    assert (first.text, second.text) == ("number 1", "number 2")
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_a_refusal_is_not_kept(client: FlaskClient, db: Any, made: list[str]) -> None:
    answers = [client.get("/try/fail") for _ in range(2)]
    assert [(a.status_code, a.text) for a in answers] == [(404, "number 1"), (404, "number 2")]
    assert "ETag" not in answers[0].headers


def test_whoever_brings_a_cookie_gets_a_page_of_their_own(
    app: Flask, db: Any, made: list[str]
) -> None:
    app.test_client().get("/try/count")
    client = app.test_client()
    client.set_cookie("anything", "1")
    assert client.get("/try/count").text == "number 2"
    assert app.test_client().get("/try/count").text == "number 1"


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("GZIP", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br", False),
        ("", False),
    ],
)
def test_a_page_is_packed_for_those_who_can_unpack(
    accepted: str, packed: bool, client: FlaskClient, db: Any, made: list[str]
) -> None:
    answer = client.get("/try/count", headers={"Accept-Encoding": accepted})
    assert (answer.headers.get("Content-Encoding") == "gzip") == packed
    assert int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize("asked", ["{etag}", 'W/"other", {etag}', "{strong}", "*"])
def test_who_has_the_page_gets_304(
    asked: str, client: FlaskClient, db: Any, made: list[str]
) -> None:
    etag = client.get("/try/count").headers["ETag"]
    value = asked.format(etag=etag, strong=etag.removeprefix("W/"))
    answer = client.get("/try/count", headers={"If-None-Match": value})
    assert (answer.status_code, answer.data) == (304, b"")
    assert client.get("/try/count", headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_a_head_request_says_the_same_without_a_body(
    client: FlaskClient, db: Any, made: list[str]
) -> None:
    answer: Response = client.head("/try/count")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["ETag"].startswith('W/"')


def test_the_shelf_does_not_grow_for_ever(
    app: Flask, client: FlaskClient, db: Any, made: list[str]
) -> None:
    for n in range(MOST_KEPT + 5):
        client.get(f"/try/count?n={n}")
    assert len(app.extensions["regsys.shelf"].pages) == MOST_KEPT
