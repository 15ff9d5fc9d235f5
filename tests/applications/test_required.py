"""What an event requires: no is refused with the reason by mail, unknown is said in one's own words."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.applications.models import Application
from regsys.events import services as events
from regsys.events.models import Event
from regsys.kernel import clock
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.members.models import Member
from regsys.outbox.models import Message
from regsys.pathway.kinds import Need
from regsys.pathway.queries import list_wants
from regsys.pathway.rules import Want
from regsys.pathway.services import set_wants
from tests import cast
from tests.applications.desk import ABOUT, REVIEWER, make_call
from tests.support.typist import Typist

pytestmark = pytest.mark.once
WHO = {"first_name": "Fern", "last_name": "Harrow", "q_goals": "Learn to lead", **ABOUT}


def _call() -> Event:
    event = make_call()
    wants = {Need.INTENSIVES: 1, Need.MEMBER: 1}
    with transaction():
        set_wants(event.id, wants, required=True, actor=REVIEWER, now=clock.now())
    return event


def _send(client: FlaskClient, event: Event, **more: str) -> Any:
    browser = Typist(client)
    page = browser.get(f"/events/{event.slug}/apply")
    sent = browser.send(page, {**WHO, **more}, "send", action="/apply")
    product_db.session.rollback()
    return sent


def test_who_is_known_not_to_have_it_is_told_why_by_mail_and_others_say_it_themselves(
    client: FlaskClient, db: Any, now: Any
) -> None:
    event = _call()
    with transaction():
        product_db.session.add(
            Member(
                number="7",
                email="former@example.org",
                email_key="former@example.org",
                valid_until=now.date() - timedelta(days=3),
                created_at=now,
                changed_at=now,
            )
        )
    said = {"attest_intensives": "Oxford 2019", "attest_member": "Number 12"}
    half = {**said, "attest_member": ""}
    silent = _send(client, event, email="fern@example.org", **half)
    assert (silent.status, "this event requires it" in silent.text) == (422, True)
    assert 'value="Oxford 2019"' in silent.text
    stopped = _send(client, event, email="Former@example.org", **said)
    assert stopped.status == 409
    assert "is not what this event requires" in stopped.text
    assert "membership" not in stopped.text.split("is not what this event requires")[1]
    letter = product_db.session.scalars(select(Message)).one()
    assert letter.to_email == "Former@example.org"
    words = " ".join(letter.text.split())
    assert "On the list of members until" in words
    assert "and not any more." in words
    assert product_db.session.scalars(select(Application)).all() == []

    assert _send(client, event, email="fern@example.org", **said).status == 303
    (a,) = product_db.session.scalars(select(Application))
    assert a.attested == {"intensives": "Oxford 2019", "member": "Number 12"}
    cast.sign_in(client, "reviewer")
    desk = client.get(f"/organize/events/{event.id}/applications/{a.id}").get_data(as_text=True)
    assert "Oxford 2019" in desk
    assert "their own words" in desk
    assert "Not known" in desk  # what they say is no proof yet


def test_a_copy_wants_of_people_what_the_event_wants(db: Any, now: Any) -> None:
    event = _call()
    day = event.starts_at.date() + timedelta(days=365)
    with transaction():
        copy_id = events.copy_event(
            event.id, title="Again", first_day=day, with_leaders=False, actor=REVIEWER, now=now
        )
    assert list_wants(copy_id) == [Want(Need.INTENSIVES, 1, True), Want(Need.MEMBER, 1, True)]
