"""Members by a mailed link: what opens, what it costs, and what nobody gets without it."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.events.kinds import Proof, Visibility
from regsys.kernel import clock
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.members import jobs, queries
from regsys.members.models import Member
from regsys.outbox.models import Message
from regsys.registration.models import Registration
from tests import cast
from tests.registration.guest import ABOUT, Guest

pytestmark = pytest.mark.once


def _member(number: str = "1042", email: str = "ida@example.org", days: int = 400) -> None:
    now = clock.now()
    with transaction():
        product_db.session.add(
            Member(
                number=number,
                name="Ida Fern",
                email=email,
                email_key=email.casefold(),
                valid_until=now.date() + timedelta(days=days),
                created_at=now,
                changed_at=now,
            )
        )


def _event(**changes: Any) -> Any:
    event = cast.make_event(types={"Standard": 0, "Members": 0}, places=20, **changes)
    with transaction():
        event.ticket_types[1].proof = Proof.MEMBER
    return event


def _ask(browser: Guest, email: str, then: str = "") -> Any:
    page = browser.get(f"/members?next={then}")
    sent = browser.send(page, {"email": email}, action="/members")
    assert sent.headers["Location"] == "/members/sent"
    payload = {"email": email, "number": "", "target": then or None}
    jobs.mail_link(payload)
    product_db.session.rollback()
    query = select(Message).where(Message.kind == "member_link").order_by(Message.id.desc())
    message = product_db.session.scalars(query).first()
    return next(iter(message.links.values())).split("5000", 1)[-1] if message else None


def _prove(browser: Guest, email: str, then: str = "") -> Any:
    address = _ask(browser, email, then)
    page = browser.get(address)
    assert "You are almost there" in page.text
    return browser.send(page, {}, action="/members/link"), address


def _take_as_member(browser: Guest, event: Any, n: int = 1) -> Any:
    """Send the form of the places, tampered with: it asks for the price for members."""
    page = browser.get(f"/events/{event.slug}/register")
    token = dict(page.form("csrf_token", action="/register").pairs({}, None))["csrf_token"]
    form = {"csrf_token": token, f"places_{event.ticket_types[1].id}": str(n)}
    answer = browser.client.post(f"/events/{event.slug}/register", data=form)
    product_db.session.rollback()
    return answer


def test_the_price_for_members_is_given_for_a_proof_and_never_without(
    client: FlaskClient, db: Any, now: Any
) -> None:
    event, browser = _event(), Guest(client)
    _member()
    place = f"/events/{event.slug}/register"
    page = browser.get(place)
    assert "Show that you are a member" in page.text
    assert f"places_{event.ticket_types[1].id}" not in page.text
    refused = _take_as_member(browser, event)
    assert refused.status_code == 409
    assert "This price is for members" in refused.get_data(as_text=True)
    assert product_db.session.scalars(select(Registration)).all() == []

    assert _ask(browser, "nobody@example.org") is None
    done, address = _prove(browser, "IDA@example.org", place)
    assert done.headers["Location"] == place
    spent = browser.get(address)
    assert (spent.status, "This link is spent" in spent.text) == (409, True)
    assert _take_as_member(browser, event, 2).status_code == 409
    assert _take_as_member(browser, event).status_code == 303
    who = browser.go(browser.get("/cart/next"))
    other = browser.describe(who)
    assert "the address under which you are a member" in other.text
    browser.fill(browser.describe(who, email="ida@example.org"), ABOUT)
    product_db.session.rollback()
    (r,) = product_db.session.scalars(select(Registration))
    until = (now.date() + timedelta(days=400)).isoformat()
    shown = {"kind": "member", "number": "1042", "until": until, "email_key": "ida@example.org"}
    assert {k: r.proof[k] for k in shown} == shown

    cast.sign_in(client)
    desk = client.get(f"/organize/events/{event.id}/registrations/{r.id}").get_data(as_text=True)
    assert "Member 1042, until" in desk
    head, line = client.get(f"/organize/events/{event.id}/export.csv?state=draft").text.split(
        "\r\n"
    )[:2]
    assert "Shown for the price" in head
    assert "Member 1042, until" in line


def test_an_event_for_members_opens_for_them_only(client: FlaskClient, db: Any, now: Any) -> None:
    event, browser = _event(visibility=Visibility.MEMBERS), Guest(client)
    _member()
    _member("7", "former@example.org", days=-1)
    address = f"/events/{event.slug}"
    closed = browser.get(address)
    assert (closed.status, closed.headers["Location"]) == (303, f"/members?next={address}")
    for path in ("/register", "/waitlist", ".ics"):
        assert browser.get(address + path).status == 404
    assert event.title not in browser.get("/events").text

    assert _ask(browser, "former@example.org") is None  # a letter says that it is over
    done, _address = _prove(browser, "ida@example.org", address)
    assert event.title in browser.go(done).text
    assert event.title in browser.get("/events").text
    assert browser.get(f"{address}/register").status == 200
    page = browser.get("/members")
    browser.send(page, {}, action="/members/leave")
    assert browser.get(address).status == 303


def test_a_list_is_looked_at_before_it_counts(client: FlaskClient, db: Any, now: Any) -> None:
    _member()
    _member("7", "odo@example.org")
    cast.sign_in(client)
    browser = Guest(client)
    text = (
        "number,name,e-mail,valid until\n1042,,new@example.org,2030-01-31\n"
        "8,Una Reed,una@example.org,2030-01-31\n9,Bo,bo,2030-01-31\n"
    )
    page = browser.get("/organize/members/upload")
    token = dict(page.form("csrf_token", action="").pairs({}, None))["csrf_token"]
    data = {"csrf_token": token, "whole": "yes", "file": (io.BytesIO(text.encode()), "members.csv")}
    sent = client.post("/organize/members/upload", data=data, content_type="multipart/form-data")
    assert sent.status_code == 303, sent.text
    look = browser.get(sent.headers["Location"])
    assert "1 new member, 1 changed, 1 ended, 0 as before." in look.text
    assert "Line 4:" in look.text
    assert [k.email for k in queries.list_known()] == ["ida@example.org", "odo@example.org"]

    with transaction():
        product_db.session.scalars(select(Member)).first().changed_at = now + timedelta(hours=1)
    stale = browser.send(look, {}, action="")
    assert (stale.status, "was changed meanwhile" in stale.text) == (409, True)
    done = browser.send(stale, {}, action="")
    assert done.headers["Location"] == "/organize/members"
    product_db.session.rollback()
    known = {k.number: (k.name, k.email, k.valid_until, k.ended) for k in queries.list_known()}
    assert known["1042"] == ("Ida Fern", "new@example.org", date(2030, 1, 31), False)
    assert known["8"] == ("Una Reed", "una@example.org", date(2030, 1, 31), False)
    assert known["7"][3] is True
    assert browser.send(look, {}, action="").status == 404
    out = client.get("/organize/members.csv?show=all").text
    assert "8,Una Reed,una@example.org,2030-01-31," in out
