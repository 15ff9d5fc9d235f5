"""A group that has begun: one asks the leader, talks, is accepted, and pays for the meetings that are left."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.accounts.models import User
from regsys.accounts.services import start_session
from regsys.accounts.setup import TOKEN
from regsys.applications.models import Application
from regsys.events.kinds import Enrollment, EventKind
from regsys.kernel.clock import now as now_of
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.outbox.models import Message
from regsys.registration.models import OrderLine, Registration
from tests import cast
from tests.conftest import Clock
from tests.support.typist import Typist

pytestmark = pytest.mark.once
WHO = {
    "first_name": "Fern", "last_name": "Harrow", "email": "fern@example.org",
    "phone": "+1 509 555 0199", "profession": "Nurse", "workplace": "Copperline Clinic",
}  # fmt: skip


def _group(**changes: Any) -> Any:
    first = now_of() + timedelta(days=2)
    hours = timedelta(hours=2)
    meetings = [(first + timedelta(weeks=n), first + timedelta(weeks=n) + hours) for n in range(8)]
    values: dict[str, Any] = {
        "kind": EventKind.OPEN_ENROLLMENT_GROUP,
        "enrollment": Enrollment.APPLICATION,
        "talk_first": True,
        "join_meetings": 3,
        "pro_rata": True,
        "starts_at": first,
        "ends_at": meetings[-1][1],
        "sessions": meetings,
        "types": {"Standard": 32000},
        "places": 8,
        **changes,
    }
    return cast.make_event(**values)


def _sign_in(client: FlaskClient, user_id: int) -> Typist:
    with transaction():
        token = start_session(user_id, how="link", old_token=None, now=now_of())
    with client.session_transaction() as session:
        session[TOKEN] = token
    return Typist(client)


def _last(kind: str) -> Message:
    product_db.session.rollback()
    query = select(Message).where(Message.kind == kind).order_by(Message.id.desc())
    return product_db.session.scalars(query).first()


def test_the_leader_hears_of_it_talks_and_accepts(
    client: FlaskClient, app: Any, db: Any, clock: Clock
) -> None:
    event = _group()
    leader = cast.make_leader(event)
    slug, event_id, user_id = event.slug, event.id, leader.user_id
    clock.move(days=2 + 14, hours=1)  # the third meeting goes on: five are left
    visitor = Typist(client)
    shown = visitor.get(f"/events/{slug}").text
    assert "Ask to join" in shown
    assert "For the 5 of 8 meetings that are left." in shown
    assert "$200.00" in shown
    page = visitor.get(f"/events/{slug}/apply")
    assert 'name="badge_name"' not in page.text
    sent = visitor.send(page, WHO, "send", action="/apply")
    assert sent.status == 303, sent.text

    letter = _last("application_talk")
    assert (letter.to_email, letter.reply_to) == (leader.email, "fern@example.org")
    assert "+1 509 555 0199" in letter.text
    (link,) = letter.links.values()
    desk = _sign_in(app.test_client(), user_id)
    assert "1 waits for a talk" in re.sub(r"<[^>]+>", "", desk.get("/lead").text)
    one = desk.get("/lead" + link.split("/lead")[1])
    assert "Copperline Clinic" in one.text
    assert "$200.00" in one.text  # in the letter, before it is sent
    stranger = _sign_in(app.test_client(), cast.make_user("leader", event=cast.make_event()).id)
    assert stranger.get(one.path).status == 403
    done = desk.send(one, {"words": "Come on the 23rd."}, "accept", action="/asked/")
    assert done.status == 303, done.text

    product_db.session.rollback()
    (a,) = product_db.session.scalars(select(Application))
    (r,) = product_db.session.scalars(select(Registration))
    assert (a.decided_by, r.price) == (product_db.session.get(User, user_id).name, 20000)
    lines = list(product_db.session.scalars(select(OrderLine)))
    assert [x.reason for x in lines] == ["For the 5 of 8 meetings that are left."]
    assert "Come on the 23rd." in _last("application_accepted").text
    again = desk.send(one, {}, "decline", action="/asked/")
    assert (again.status, "this is decided already" in again.text) == (409, True)
    clock.move(hours=1)  # the third meeting is over
    late = visitor.get(f"/events/{slug}/apply").text
    assert "The time to apply is over." in late
    assert event_id == a.event_id


def test_an_open_group_sells_the_rest_of_its_meetings(
    client: FlaskClient, db: Any, clock: Clock
) -> None:
    event = _group(enrollment=Enrollment.OPEN, talk_first=False, join_meetings=1)
    slug = event.slug
    browser = Typist(client)
    assert "$320.00" in browser.get(f"/events/{slug}/register").text
    clock.move(days=2, hours=1)
    page = browser.get(f"/events/{slug}/register")
    assert "$280.00" in page.text
    assert "For the 7 of 8 meetings that are left." in page.text
    clock.move(hours=1)
    assert "Registration has closed." in browser.get(f"/events/{slug}/register").text
