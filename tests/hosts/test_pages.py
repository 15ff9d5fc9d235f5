"""The pages of hosts through their doors: by code, by approval, by the coordinator; and no answer ever on hers."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.content.kinds import InquiryKind
from regsys.content.models import Inquiry
from regsys.events.models import Event
from regsys.hosts.kinds import Pays
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.outbox.models import Message
from regsys.registration.models import Registration
from tests import cast
from tests.hosts import house
from tests.hosts.house import CODE, hosted, name, words
from tests.support.typist import Typist

pytestmark = pytest.mark.once
ADA = {"first_name": "Ada", "last_name": "Reed", "email": "ada.reed@example.org"}
EVE = {"first_name": "Eve", "last_name": "Reed", "email": "eve.reed@example.org"}


def _link(kind: str, to: str, which: str) -> str:
    """Return the path of a secret link in the last letter of a kind to somebody."""
    product_db.session.rollback()
    query = select(Message).where(Message.kind == kind, Message.to_email == to)
    message = product_db.session.scalars(query.order_by(Message.id.desc())).first()
    assert message
    assert message.links
    return "/" + message.links[which].split("/", 3)[3]


def _sign_in(client: FlaskClient) -> Typist:
    """Sign the coordinator in by the link in her letter: one button, pressed once."""
    browser = Typist(client)
    page = browser.get(_link("hosts_invite", "prudence@example.org", "sign_in"))
    done = browser.send(page, {}, action="")
    assert done.status == 303
    assert "/host/" in done.headers["Location"]
    return browser


def test_a_code_opens_the_page_and_a_wrong_one_says_so(client: FlaskClient, db: Any) -> None:
    event = hosted()
    browser = Typist(client)
    address = f"/events/{event.slug}"
    hidden, wrong = browser.get(address), browser.get(f"{address}?key=WRONG")
    assert (hidden.status, wrong.status) == (404, 404)
    assert "This private link opens nothing" in wrong.text
    assert "This private link opens nothing" in browser.get("/events/nowhere?key=WRONG").text
    form = browser.get("/code")
    typo = browser.send(form, {"code": "FERN-7K2X"}, action="/code")
    assert (typo.status, "This code opens nothing" in typo.text) == (422, True)
    assert (
        browser.send(form, {"code": CODE.lower().replace("-", "- ")}, action="/code").status == 303
    )
    assert "Ask for a seat" in browser.get(address).text
    assert browser.get(f"{address}/register").status in (200, 409)
    for _try in range(20):
        last = browser.send(form, {"code": "FERN-7K2X"}, action="/code")
    assert (last.status, "tried very often" in last.text) == (429, True)


def test_one_asks_is_approved_answers_and_the_coordinator_never_reads_it(
    app: Any, client: FlaskClient, db: Any
) -> None:
    event = hosted(agreed_sum=0)
    cast.make_question(event, "goals", label="Goals")
    cast.make_question(event, "health", label="Health", sensitive=True)
    guest = Typist(app.test_client())
    guest.get(f"/events/{event.slug}?key={CODE}")
    form = guest.get(f"/events/{event.slug}/seat")
    assert guest.send(form, {**ADA, "email": "no address"}, action="").status == 422
    asked = guest.send(form, ADA, action="")
    assert "Your wish is passed on" in guest.get(asked.headers["Location"]).text
    coordinator = _sign_in(client)
    page = coordinator.get(f"/host/{event.id}")
    assert "Waiting for your approval" in page.text
    assert coordinator.send(page, {}, action="/approve").status == 303
    own = _link("hosts_seat", ADA["email"], "own")
    sheet = guest.get(own)
    marked = {
        "profession": "PRIVATEprofession", "credentials": "PRIVATEletters",
        "workplace": "PRIVATEwork", "phone": "+1 999 555 0199", "pronouns": "PRIVATEpronouns",
        "q_goals": "PRIVATEgoals", "q_health": "PRIVATEhealth",
    }  # fmt: skip
    names = {c.name for c in sheet.form(action=own).controls}
    sent = guest.send(sheet, {k: v for k, v in marked.items() if k in names}, action=own)
    assert sent.status == 303
    assert {k for k in marked if k.startswith("q_")} <= names
    assert words(event) == [("Ada", "confirmed")]
    seat = product_db.session.scalars(select(Registration)).one()
    seen = [
        coordinator.get(path)
        for path in (
            f"/host/{event.id}",
            f"/host/{event.id}/seats/{seat.id}/swap",
            f"/o/{seat.order.token}",
        )
    ]
    assert [p.status for p in seen] == [200] * 3
    assert "Ada Reed" in seen[0].text
    assert [p.text for p in seen if re.search("PRIVATE|999 555", p.text)] == []
    # A swap passes nothing on, and tells both.
    assert coordinator.send(seen[1], EVE, action="").status == 303
    assert words(event) == [("Eve", "invited")]
    letters = product_db.session.scalars(select(Message).where(Message.to_email != ADA["email"]))
    assert [m.kind for m in letters if "PRIVATE" in m.text + m.html] == []
    assert "PRIVATE" not in guest.get(_link("confirmation", EVE["email"], "own")).text


def test_a_coordinator_sees_her_own_event_only(app: Any, client: FlaskClient, db: Any) -> None:
    mine, other = hosted(), hosted(email="orla@example.org", pays=Pays.EACH)
    seat = name(other, "Ben Reed")
    coordinator = _sign_in(client)
    assert coordinator.get("/host").headers["Location"] == f"/host/{mine.id}"
    for path in (
        f"/host/{other.id}",
        f"/host/{other.id}/seats/{seat.id}/swap",
        f"/organize/events/{mine.id}",
        f"/organize/events/{mine.id}/host",
        f"/organize/events/{mine.id}/registrations/{seat.id}",
        f"/lead/{mine.id}",
    ):
        assert coordinator.get(path).status == 403, path
    assert coordinator.get(f"/host/{mine.id}/seats/{seat.id}/swap").status == 404
    page = coordinator.get(f"/host/{mine.id}")
    full = {"first_name": "Ada", "last_name": "", "email": "x"}
    assert coordinator.send(page, full, action="/names").status == 422
    assert coordinator.send(page, ADA, action="/names").status == 303
    again = coordinator.send(page, ADA, action="/names")
    assert (again.status, "Somebody with this address" in again.text) == (409, True)
    assert 'value="Ada"' in again.text
    assert app.test_client().get(f"/host/{mine.id}").status_code == 303


def test_the_organizer_agrees_invites_and_begins_from_an_inquiry(
    client: FlaskClient, db: Any, now: Any
) -> None:
    with transaction() as session:
        inquiry = Inquiry(
            kind=InquiryKind.ON_THE_ROAD, received_at=now, name="Augustin Brackenridge",
            email="augustin@example.org", organisation="Brackenridge Rural Residency", people=9,
            wished_dates="2027-08-19, 2027-08-26", message="Nine of us.",
        )  # fmt: skip
        session.add(inquiry)
    cast.sign_in(client)
    browser = Typist(client)
    page = browser.get(f"/organize/inquiries/{inquiry.id}")
    made = browser.send(page, {}, action="/draft")
    again = browser.send(page, {}, action="/draft")
    assert made.headers["Location"] == again.headers["Location"]
    product_db.session.rollback()
    event = product_db.session.scalars(select(Event)).one()
    assert (event.title, str(event.kind), str(event.state)) == (
        "Intensive on the Road at Brackenridge Rural Residency", "intensive_on_the_road", "draft",
    )  # fmt: skip
    assert event.starts_at.date().isoformat() == "2027-08-19"
    panel = browser.get(made.headers["Location"])
    assert "0 of 9 have a name" in panel.text
    early = browser.send(panel, {}, action="/invite")
    assert "Publish the event first" in browser.get(early.headers["Location"]).text
    wrong = browser.send(panel, {"agreed_sum": "a lot", "seats": "9"}, action="")
    assert (wrong.status, "write an amount" in wrong.text) == (422, True)
    many = browser.send(panel, {"agreed_sum": "9,000.00", "seats": "10"}, action="")
    assert (many.status, 'value="10"' in many.text) == (409, True)
    agreed = {"agreed_sum": "9000.00", "names_until": "2027-08-12", "kept_until": ""}
    assert browser.send(panel, agreed, action="").status == 303
    saved = browser.get(made.headers["Location"])
    assert 'value="9000.00"' in saved.text
    assert 'value="2027-08-12"' in saved.text
    assert house.table(event).facts.kept == 9
    assert browser.get("/host").status in (200, 303)
