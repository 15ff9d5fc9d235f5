"""The organizer's pages of an event's questions."""

import html
import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.events.models import Event
from regsys.kernel.db import db, transaction
from regsys.questions import editor, queries
from regsys.questions.kinds import Audience, QuestionType
from regsys.questions.models import Question
from tests import cast
from tests.events.desk import REGISTRAR
from tests.support.counting import counted
from tests.support.typist import Typist
from tests.support.visitor import Page

pytestmark = pytest.mark.usefixtures("db", "clock")


@pytest.fixture
def event(now: datetime) -> Event:
    return cast.make_event()


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    """Return a registrar of the whole society at their desk."""
    cast.sign_in(client, "registrar")
    return Typist(client)


def text(page: Page) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def path(event: Event, *parts: str) -> str:
    return "/".join((f"/organize/events/{event.id}/questions", *parts))


def current(event: Event) -> list[Question]:
    db.session.rollback()
    db.session.expire_all()
    return queries.list_questions(event.id)


def usual(event: Event, *keys: str, now: datetime) -> None:
    with transaction():
        editor.add_from_library(event.id, keys, actor=REGISTRAR, now=now)


def test_usual_questions_are_ticked_and_added(typist: Typist, event: Event) -> None:
    page = typist.get(path(event))
    more = [("key", "goals"), ("key", "keep_apart")]
    page = typist.follow(typist.send(page, action="/usual", more=more))
    assert "2 questions were added." in text(page)
    assert [q.key for q in current(event)] == ["goals", "keep_apart"]
    usual_form = page.form(action="/usual")
    assert "goals" not in [c.value for c in usual_form.controls]


@pytest.mark.parametrize("key", ["nothing", "", "x" * 5000, "<b>"])
def test_a_usual_question_that_does_not_exist(typist: Typist, event: Event, key: str) -> None:
    page = typist.get(path(event))
    assert typist.send(page, action="/usual", more=[("key", key)]).status == 404


def test_an_own_question_is_written_with_everything(typist: Typist, event: Event) -> None:
    values = {
        "label": "Which table would you like to sit at?",
        "type": "several_choices",
        "choices": "By the window\n\n  By the door \nBy the window",
        "help": "As many as you like.",
        "required": "y",
        "column_title": "Table",
        "visible_to": "leaders",
        "sensitive": "y",
        "delete_after_days": "30",
    }
    page = typist.follow(typist.send(path(event, "new"), values))
    assert "Which table would you like to sit at?" in text(page)
    (q,) = current(event)
    assert (q.key, q.type, q.required, q.sensitive) == (
        "table",
        QuestionType.SEVERAL_CHOICES,
        True,
        True,
    )
    assert q.choices == [["by_the_window", "By the window"], ["by_the_door", "By the door"]]
    assert (q.visible_to, q.delete_after_days) == (Audience.LEADERS, 30)


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"label": ""}, "Please fill this in."),
        ({"label": "x" * 501}, "At most 500 characters"),
        ({"type": "file"}, "Please choose from the list."),
        ({"type": "one_choice", "choices": "Only one"}, "at least two answers"),
        ({"type": "one_choice", "choices": "\n".join(map(str, range(61)))}, "At most 60 answers"),
        ({"delete_after_days": "-1"}, "whole number from 0 to 3650"),
        ({"delete_after_days": "soon"}, "Please write"),
    ],
)
def test_what_is_malformed_is_said(
    typist: Typist, event: Event, wrong: dict[str, str], sentence: str
) -> None:
    values = {"label": "A question?", "help": "Kept.", **wrong}
    page = typist.send(path(event, "new"), values)
    assert page.status == 422
    assert sentence in text(page)
    assert "Kept." in page.text
    assert current(event) == []


def test_a_condition_is_ticked(typist: Typist, event: Event, now: datetime) -> None:
    usual(event, "wants_credit", "track", now=now)
    values = {"label": "Why?", "show_if": 'track="continuing"|track="first_intensive"'}
    typist.follow(typist.send(path(event, "new"), values))
    condition = current(event)[-1].show_if
    assert condition == {"question": "track", "is": ["first_intensive", "continuing"]}
    page = typist.get(path(event, "why"))
    ticked = [c.value for c in page.form("label").controls if c.name == "show_if" and c.checked]
    assert ticked == ['track="first_intensive"', 'track="continuing"']
    typist.follow(typist.send(page, {"show_if": "wants_credit=false"}))
    assert current(event)[-1].show_if == {"question": "wants_credit", "is": [False]}


@pytest.mark.parametrize(
    "condition",
    ['wants_credit=true|track="continuing"', "nothing=true", "wants_credit=__import__", "why=true"],
)
def test_an_impossible_condition_is_refused(
    typist: Typist, event: Event, now: datetime, condition: str
) -> None:
    usual(event, "wants_credit", "track", now=now)
    more = [("show_if", one) for one in condition.split("|")]
    page = typist.send(path(event, "new"), {"label": "Why?"}, more=more)
    assert page.status == 422
    assert len(current(event)) == 2


def test_a_changed_question_with_answers_is_a_new_version(
    typist: Typist, event: Event, now: datetime
) -> None:
    usual(event, "track", now=now)
    (registration,) = cast.list_people(cast.make_cart(event))
    cast.make_answers(registration, track="continuing")
    page = typist.get(path(event, "track"))
    assert "People have answered this." in text(page)
    typist.follow(typist.send(page, {"label": "Which one is it?"}))
    (q,) = current(event)
    assert (q.version, q.label) == (2, "Which one is it?")
    assert [v for v, _ in q.choices] == ["first_intensive", "continuing", "credentialing_intensive"]


def test_a_stale_form_keeps_what_was_typed_and_can_be_sent_again(
    typist: Typist, event: Event, now: datetime
) -> None:
    usual(event, "goals", now=now)
    page = typist.get(path(event, "goals"))
    typist.follow(typist.send(page, {"help": "The other's help."}))
    answer = typist.send(page, {"help": "My help."})
    assert (answer.status, "Somebody changed it meanwhile" in text(answer)) == (409, True)
    assert "My help." in answer.text
    typist.follow(typist.send(answer))
    assert current(event)[0].help == "My help."


def test_a_question_that_was_retired_meanwhile_is_not_found(
    typist: Typist, event: Event, now: datetime
) -> None:
    usual(event, "goals", now=now)
    page = typist.get(path(event, "goals"))
    with transaction():
        editor.retire_question(event.id, "goals", actor=REGISTRAR, now=now)
    assert typist.send(page, {"help": "x"}).status == 404


def test_questions_are_moved_and_asked_no_longer(
    typist: Typist, event: Event, now: datetime
) -> None:
    usual(event, "goals", "dietary", now=now)
    page = typist.get(path(event))
    page = typist.follow(typist.send(page, action="/dietary/move"))
    assert [q.key for q in current(event)] == ["dietary", "goals"]
    page = typist.follow(typist.send(page, action="/goals/retire"))
    assert "It is no longer asked." in text(page)
    assert [q.key for q in current(event)] == ["dietary"]


def test_what_another_question_hangs_on_is_kept_and_said(
    typist: Typist, event: Event, now: datetime
) -> None:
    usual(event, "licence_number", now=now)
    answer = typist.send(typist.get(path(event)), action="/wants_credit/retire")
    assert (answer.status, "change that question first" in text(answer)) == (409, True)


def test_the_questions_of_another_event_are_taken_over(
    typist: Typist, event: Event, now: datetime
) -> None:
    other = cast.make_event()
    usual(other, "goals", "dietary", now=now)
    page = typist.get(path(event))
    page = typist.follow(typist.send(page, {"event": str(other.id)}, action="/take"))
    assert "2 questions were added." in text(page)


@pytest.mark.parametrize(("source", "status"), [("999", 404), ("abc", 404), ("9" * 30, 404)])
def test_an_event_that_does_not_exist_has_no_questions_to_take(
    typist: Typist, event: Event, source: str, status: int
) -> None:
    cast.make_event()
    page = typist.send(path(event), {"event": source}, action="/take")
    assert page.status == status


class TestWhoMay:
    def test_visitors_are_sent_to_sign_in(self, client: FlaskClient, event: Event) -> None:
        for page in (path(event), path(event, "new"), path(event, "goals")):
            assert client.get(page).headers["Location"].startswith("/signin?next=")

    def test_a_registrar_of_another_event_may_not(
        self, client: FlaskClient, event: Event, now: datetime
    ) -> None:
        other = cast.make_event()
        usual(other, "goals", now=now)
        cast.sign_in(client, "registrar", event=event)
        typist = Typist(client)
        assert [client.get(path(other, *p)).status_code for p in ((), ("new",), ("goals",))] == [
            403,
            403,
            403,
        ]
        page = typist.get(path(event))
        assert other.title not in page.text
        token = next(c.value for c in page.form(action="/usual").controls if c.name == "csrf_token")
        taken = client.post(path(event, "take"), data={"csrf_token": token, "event": str(other.id)})
        posts = [
            client.post(path(other, *p), data={"csrf_token": token, "key": "dietary"}).status_code
            for p in (("usual",), ("goals", "retire"), ("goals", "move"), ("new",))
        ]
        assert (taken.status_code, posts) == (403, [403] * 4)
        assert [q.key for q in current(other)] == ["goals"]
        assert current(event) == []

    def test_leaders_and_treasurers_may_not(self, client: FlaskClient, event: Event) -> None:
        found = []
        for role in ("leader", "treasurer"):
            cast.sign_in(client, role, event=event if role == "leader" else None)
            found.append(client.get(path(event)).status_code)
        assert found == [403, 403]


def test_the_list_asks_the_database_the_same_however_long_it_is(
    app: Flask, typist: Typist, event: Event, now: datetime
) -> None:
    asked = []
    for n in (1, 3, 30):
        one = cast.make_event()
        for i in range(n):
            cast.make_question(one, f"q{i}")
        with counted(app) as sent:
            assert typist.get(path(one)).status == 200
        asked.append(len(sent))
    assert len(set(asked)) == 1, asked
