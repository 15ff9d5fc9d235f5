"""The reader of sandbox mode."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.kernel.settings import Settings
from tests.outbox.post import ICS, draft, put, send


@pytest.fixture
def letter(db: Any, now: datetime) -> int:
    """Return a letter that was sent."""
    letter = put(draft(), now=now)
    send(letter)
    return letter


def test_the_list_shows_letters_and_finds_them(client: FlaskClient, letter: int) -> None:
    page = client.get("/outbox").text
    assert "lysander@example.org" in page
    assert f'href="/outbox/{letter}"' in page
    assert f'href="/outbox/{letter}"' in client.get("/outbox?q=LYSANDER").text
    assert "No letter fits" in client.get("/outbox?q=nobody").text


def test_a_letter_shows_its_link_and_what_is_attached(client: FlaskClient, letter: int) -> None:
    page = client.get(f"/outbox/{letter}").text
    assert 'href="https://circle.example.org/r/7Hq2mXw9?a=1&amp;b=2"' in page
    assert f'src="/outbox/{letter}/html"' in page
    attached = client.get(f"/outbox/{letter}/attachments/0")
    assert attached.data == ICS.encode()
    assert attached.content_type == "text/calendar; method=REQUEST"
    assert attached.headers["Content-Disposition"] == "attachment; filename=calendar.ics"
    assert client.get(f"/outbox/{letter}/attachments/1").status_code == 404


def test_the_html_has_a_policy_of_its_own(client: FlaskClient, letter: int) -> None:
    answer = client.get(f"/outbox/{letter}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy == (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "Open your page" in answer.text


PATHS = ("/outbox", "/outbox/{}", "/outbox/{}/html", "/outbox/{}/attachments/0")


def list_statuses(client: FlaskClient, letter: int, **request: Any) -> set[int]:
    return {client.get(path.format(letter), **request).status_code for path in PATHS}


@pytest.mark.once
@pytest.mark.parametrize(
    "request_of",
    [
        {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}},
        {"environ_base": {"REMOTE_ADDR": "2001:db8::1"}},
        {"environ_base": {"REMOTE_ADDR": "127.0.0.1.evil.example"}},
        {"environ_base": {"REMOTE_ADDR": ""}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"base_url": "http://circle.example.org"},
    ],
)
def test_nobody_reads_it_from_elsewhere(
    client: FlaskClient, letter: int, request_of: dict[str, Any]
) -> None:
    assert list_statuses(client, letter, base_url="http://127.0.0.1:5000") == {200}
    assert list_statuses(client, letter, **request_of) == {404}


def test_outside_of_the_sandbox_there_is_no_reader(
    make_app: Callable[..., Flask], settings: Settings, letter: int
) -> None:
    live = make_app(settings.replace(SANDBOX=False)).test_client()
    assert live.get("/outbox").status_code == 404
    assert live.get(f"/outbox/{letter}").status_code == 404
