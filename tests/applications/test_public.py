"""The applicant's pages: the form and its draft, the secret link, one honest sentence."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.applications import jobs, services
from regsys.applications.models import Application, ApplicationDraft
from regsys.applications.public import SENT_AN_HOUR
from regsys.applications.rules import Decision
from regsys.applications.states import ApplicationState as S
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.outbox.models import Message
from regsys.questions.models import Answer
from regsys.web.models import RateCount
from tests.applications.desk import ABOUT, apply, decide, fresh, make_call
from tests.cast import make_confirmed, make_event
from tests.support.typist import Typist
from tests.support.visitor import Page

WHO = {"first_name": "Undine", "last_name": "Nutkin", "email": "undine.nutkin@example.org"}
ALL = {**WHO, **ABOUT, "q_goals": "Learn to lead", "q_needs": "A ramp"}


@pytest.fixture
def guest(client: FlaskClient, db: Any, clock: Any) -> Typist:
    return Typist(client)


def send(guest: Typist, event: Any, values: dict[str, str], button: str = "send") -> Page:
    page = guest.get(f"/events/{event.slug}/apply")
    return guest.send(page, values, button=button, action="/apply")


def drafts(db: Any) -> list[ApplicationDraft]:
    db.session.rollback()
    return list(db.session.scalars(select(ApplicationDraft)))


def letters(db: Any) -> list[Message]:
    db.session.rollback()
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def sentence(guest: Typist, token: str) -> str:
    found = re.search(r'class="sentence">(.*?)</p>', guest.get(f"/a/{token}").text, re.S)
    assert found
    return " ".join(found.group(1).split())


def test_an_application_is_sent_and_its_page_is_behind_the_mailed_link(
    guest: Typist, db: Any
) -> None:
    event = make_call()
    answer = send(guest, event, ALL)
    assert answer.headers["Location"].endswith("/apply/sent")
    assert "/a/" not in guest.follow(answer).text, "the link goes by mail only"
    a = fresh(event)
    assert (a.state, a.name, a.workplace) == (S.SUBMITTED, "Undine Nutkin", "Copperline Clinic")
    stored = {x.key: (x.value, x.sealed) for x in db.session.scalars(select(Answer))}
    assert stored == {"goals": ("Learn to lead", None), "needs": (None, "A ramp")}
    (letter,) = letters(db)
    assert (letter.kind, letter.to_email) == ("application_received", WHO["email"])
    assert letter.links == {"own": f"http://127.0.0.1:5000/a/{a.token}"}
    page = guest.get(f"/a/{a.token}").text
    assert "nobody has begun to read it" in page
    assert "Learn to lead" in page
    assert "A ramp" not in page, "what is private is never shown again"


def test_what_is_missing_is_said_at_the_field_and_everything_typed_stays(
    guest: Typist, db: Any
) -> None:
    event = make_call()
    page = send(guest, event, {**ALL, "q_goals": "", "email": "undine@"})
    assert page.status == 422
    assert "This is not a whole e-mail address" in page.text
    assert "Please answer this: Goals" in page.text
    assert "A ramp" in page.text
    assert "Copperline Clinic" in page.text
    assert db.session.scalar(select(Application)) is None


def test_a_draft_is_kept_as_typed_and_reached_by_its_link(
    guest: Typist, db: Any, app: Any, clock: Any
) -> None:
    event = make_call()
    assert send(guest, event, {**WHO, "email": ""}, "save").status == 422
    half = {**WHO, "first_name": "", "q_goals": "Half a", "q_needs": "A ramp", "phone": "no number"}
    assert send(guest, event, half, "save").status == 303
    (letter,) = letters(db)
    assert (letter.kind, letter.to_email) == ("application_draft", WHO["email"])
    path = letter.links["draft"].removeprefix("http://127.0.0.1:5000")
    elsewhere = Typist(app.test_client())
    page = elsewhere.follow(elsewhere.get(path))
    assert "Half a" in page.text
    assert "no number" in page.text
    assert "A ramp" not in page.text
    clock.move(minutes=30)
    assert send(elsewhere, event, {**ALL, "phone": "+1 206 555 0101"}).status == 303
    assert drafts(db) == []
    assert elsewhere.get(path).status == 404
    assert [m.kind for m in letters(db)] == ["application_draft", "application_received"]


def test_a_draft_whose_address_was_mistyped_goes_to_the_right_one(
    guest: Typist, db: Any, now: Any
) -> None:
    event = make_call()
    for address in ("typo@example.org", WHO["email"], WHO["email"]):
        assert send(guest, event, {**WHO, "email": address}, "save").status == 303
    assert [m.to_email for m in letters(db)] == ["typo@example.org", WHO["email"]]


def test_one_place_cannot_write_to_a_list_of_addresses(guest: Typist, db: Any, now: Any) -> None:
    event, hour = make_call(), int(now.timestamp()) // 3600 * 3600
    key = f"application-sent:127.0.0.1:{hour}"
    with transaction() as session:
        session.add(RateCount(key=key, count=SENT_AN_HOUR - 1, ends_at=now + timedelta(hours=1)))
    assert send(guest, event, ALL).status == 303
    assert send(guest, event, {**ALL, "email": "other@example.org"}).status == 429
    assert len(letters(db)) == 1


def test_quiet_saving_mails_its_link_when_the_draft_has_rested(
    guest: Typist, db: Any, clock: Any
) -> None:
    event = make_call()
    page = guest.get(f"/events/{event.slug}/apply")
    token = page.form("csrf_token", action="/apply").pairs({})[0][1]
    other = {**WHO, "email": "other@example.org", "quiet": "1", "csrf_token": token}
    path = f"/events/{event.slug}/apply"
    assert guest.client.post(path, data={**other, "email": "o@"}).status_code == 422
    assert guest.client.post(path, data=other).status_code == 204
    jobs.drafts({})
    assert "application_draft" not in [m.kind for m in letters(db)]
    clock.move(minutes=21)
    jobs.drafts({})
    jobs.drafts({})
    assert [m.kind for m in letters(db)].count("application_draft") == 1
    clock.move(days=61)
    jobs.drafts({})
    assert drafts(db) == []


def test_an_address_that_is_here_already_gets_its_link_and_nothing_is_shown(
    guest: Typist, db: Any
) -> None:
    event, other = make_call(), make_event()
    apply(event)
    page = send(guest, event, ALL)
    assert page.status == 409
    assert "This address can&#39;t be used again here" in page.text
    assert [m.kind for m in letters(db)] == ["application_received", "application_existing"]
    make_confirmed(other)
    assert send(guest, make_call(), ALL).status == 303, "another event is no matter"


@pytest.mark.parametrize(
    ("opens", "closes", "says"),
    [(1, 9, "Applications have not opened yet"), (-9, -1, "The time to apply is over")],
)
def test_the_time_to_apply_is_kept(
    guest: Typist, now: Any, opens: int, closes: int, says: str
) -> None:
    day = timedelta(days=1)
    event = make_call(opens_at=now + opens * day, closes_at=now + closes * day)
    assert says in guest.get(f"/events/{event.slug}/apply").text
    assert "/apply" not in guest.get(f"/events/{event.slug}").text
    closed = make_event()
    assert "not given by application" in guest.get(f"/events/{closed.slug}/apply").text


def test_the_event_page_says_how_and_until_when(guest: Typist, now: Any) -> None:
    event = make_call(
        places=0, closes_at=now + timedelta(days=8), answer_by=now + timedelta(days=12)
    )
    page = guest.get(f"/events/{event.slug}").text
    assert f'href="/events/{event.slug}/apply"' in page
    for part in ("Apply until", "Wed 2 Dec 2026", "You hear by", "Sun 6 Dec 2026", "48 hours"):
        assert part in page.replace("\N{NO-BREAK SPACE}", " "), part


def test_a_change_after_sending_opens_the_review_again(guest: Typist, db: Any, clock: Any) -> None:
    event = make_call(closes_at=clock.now + timedelta(days=9))
    a = apply(event)
    decide(event, a, how=Decision.ASK, words="What *exactly* is your clinic?")
    assert "have a question for you" in sentence(guest, a.token)
    assert "<em>exactly</em>" in guest.get(f"/a/{a.token}").text
    clock.move(days=10)
    page = guest.get(f"/a/{a.token}/edit")
    assert page.status == 200, "an answer may come after the deadline"
    assert "A ramp" not in page.text
    assert guest.send(page, {"q_goals": "More"}, action="/edit").status == 303
    db.session.rollback()
    a = fresh(event)
    assert (a.state, a.version, a.asked) == (S.SUBMITTED, 2, "")
    answers = {x.key: x.stored for x in db.session.scalars(select(Answer))}
    assert answers == {"goals": "More", "needs": "A ramp"}
    assert guest.get(f"/a/{a.token}/edit").status == 303, "nothing is asked, and the time is over"


@pytest.mark.parametrize("read", [False, True])
def test_an_application_is_withdrawn_by_one_button_on_a_page(
    guest: Typist, db: Any, clock: Any, read: bool
) -> None:
    """Also one that somebody has begun to read."""
    event = make_call()
    a = apply(event)
    if read:
        with transaction():
            services.start_review(a.id, event_id=event.id, actor=SYSTEM, now=clock.now)
    page = guest.get(f"/a/{a.token}/withdraw")
    assert guest.send(page, action="/withdraw").status == 303
    assert "You have withdrawn" in sentence(guest, a.token)
    assert guest.send(page, action="/withdraw").status == 303
    assert guest.get(f"/a/{a.token}/edit").status == 303
    assert send(guest, event, ALL).status == 303, "withdrawn, one may apply again"
    assert guest.get("/a/nothing").status == 404
