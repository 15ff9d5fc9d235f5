"""Letters as organizers see them: masked, and sent again where nobody knows."""

import re
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from regsys.audit import queries as audit
from regsys.kernel.db import transaction
from regsys.outbox import services
from tests.accounts.door import post
from tests.cast import make_event, sign_in
from tests.outbox.post import draft, put, read, send

SECRET = "7Hq2mXw9"


def in_doubt(now: datetime, **changes: Any) -> int:
    """Return a letter that a dead worker had in hand."""
    letter = put(draft(**changes), now=now)
    for _ in range(2):
        with transaction():
            services.claim(letter, now=now)
    return letter


def test_letters_are_listed_by_state_and_words(client: FlaskClient, db: Any, now: datetime) -> None:
    sign_in(client, "registrar")
    put(draft("a", subject="A waiting one"), now=now)
    in_doubt(now, key="b", subject="A doubtful one", to_email="birch@example.org")
    both = client.get("/organize/messages").text
    assert "A waiting one" in both
    assert "A doubtful one" in both
    assert "Uncertain (1)" in both
    doubtful = client.get("/organize/messages?state=uncertain").text
    assert "A waiting one" not in doubtful
    assert "A doubtful one" in doubtful
    assert "A doubtful one" in client.get("/organize/messages?q=Birch").text
    assert "No letters here" in client.get("/organize/messages?state=failed").text
    assert "A waiting one" in client.get("/organize/messages?state=nonsense&page=-3").text
    assert client.get(f"/organize/messages?page={'9' * 400}").status_code == 200


def test_secret_links_are_never_shown(client: FlaskClient, db: Any, now: datetime) -> None:
    sign_in(client, "owner")
    letter = put(draft(), now=now)
    for path in (f"/organize/messages/{letter}", f"/organize/messages/{letter}/html"):
        page = client.get(path)
        assert page.status_code == 200
        assert SECRET not in page.text
        assert "[[link:" not in page.text
    frame = client.get(f"/organize/messages/{letter}/html")
    assert frame.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_an_uncertain_letter_is_sent_once_more_by_one_click(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    user = sign_in(client, "registrar")
    letter = in_doubt(now)
    page = f"/organize/messages/{letter}"
    assert post(client, page, f"{page}/retry").status_code == 303
    assert read(letter).state == "queued"
    assert post(client, page, f"{page}/retry").status_code == 409
    send(letter)
    assert read(letter).state == "sent"
    (entry,) = audit.list_for("message", letter)
    assert (entry.action, entry.actor_id) == ("message.retried", user.id)


def test_an_uncertain_letter_that_has_arrived_is_settled(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    sign_in(client, "registrar")
    letter = in_doubt(now)
    page = f"/organize/messages/{letter}"
    assert post(client, page, f"{page}/arrived").status_code == 303
    assert (read(letter).state, read(letter).links) == ("sent", None)


def test_buttons_are_shown_only_where_they_work(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    sign_in(client, "registrar")
    waiting, doubtful = put(draft("a"), now=now), in_doubt(now, key="b")
    shown = {
        letter: re.findall(
            r'action="/organize/messages/\d+/(\w+)"',
            client.get(f"/organize/messages/{letter}").text,
        )
        for letter in (waiting, doubtful)
    }
    assert shown == {waiting: [], doubtful: ["retry", "arrived"]}


@pytest.mark.parametrize("role", ["treasurer", "leader"])
def test_letters_are_the_registrars(client: FlaskClient, db: Any, now: datetime, role: str) -> None:
    event = make_event()
    sign_in(client, role, event=event)
    letter = put(draft(event_id=event.id), now=now)
    assert client.get("/organize/messages").status_code == 403
    assert client.get(f"/organize/messages/{letter}").status_code == 403


def test_a_registrar_of_one_event_sees_its_letters_only(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    mine, other = make_event(), make_event()
    sign_in(client, "registrar", event=mine)
    letters = {
        name: in_doubt(now, key=name, subject=f"Letter {name}", event_id=event_id)
        for name, event_id in (("mine", mine.id), ("other", other.id), ("nobody's", None))
    }
    page = client.get("/organize/messages").text
    assert re.findall(r">Letter ([^<]+)<", page) == ["mine"]
    assert client.get(f"/organize/messages/{letters['mine']}").status_code == 200
    for name in ("other", "nobody's"):
        for part in ("", "/html"):
            path = f"/organize/messages/{letters[name]}{part}"
            assert client.get(path).status_code == 404
        own = f"/organize/messages/{letters['mine']}"
        path = f"/organize/messages/{letters[name]}/retry"
        assert post(client, own, path).status_code == 404
        assert read(letters[name]).state == "uncertain"
