"""A place goes to a colleague: by a link and a form of their own, at once, by our word, or not at all."""

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.capacity.models import Claim
from regsys.events.models import Event
from regsys.kernel.db import db, transaction
from regsys.outbox.models import Message
from regsys.policies import services as policies
from regsys.policies.rules import read
from regsys.questions import queries as questions
from regsys.registration.models import Order, Registration
from regsys.registration.queries import due
from tests import cast
from tests.cast import a_person, list_people, make_confirmed, make_event, make_question
from tests.support.typist import Typist
from tests.support.visitor import Page

pytestmark = pytest.mark.usefixtures("db", "clock")

WHO = {
    "first_name": "Orla",
    "last_name": "Fenn",
    "email": "orla.fenn@example.org",
    "credentials": "RN",
    "profession": "Nurse",
    "workplace": "Copperline Clinic",
}


def said(page: Page) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    return Typist(client)


def an_event(now: datetime, **substitute: Any) -> Event:
    """Make an event of two places whose places can be handed on by this rule."""
    event = make_event(places=2)
    with transaction():
        terms = read({"substitute": {"allowed": "free", **substitute}})
        row = db.session.get_one(Event, event.id)
        row.policy = policies.save_version("T", terms, before=None, actor=cast.STRIPE, now=now)
    return event


def bought(event: Event) -> tuple[Order, Registration]:
    order = make_confirmed(event, [a_person("Lysander Saltmarsh"), a_person("Guest Nutkin")])
    return order, list_people(order)[0]


def link_of(typist: Typist, r: Registration) -> str:
    page = typist.follow(typist.send(f"/r/{r.token}/hand-over", {}, names=["do"]))
    found = re.search(r"/h/[\w-]+", page.text)
    assert found, said(page)
    return found.group()


def letters(kind: str) -> list[Message]:
    db.session.rollback()
    return list(
        db.session.scalars(select(Message).where(Message.kind == kind).order_by(Message.id))
    )


def test_a_colleague_takes_the_place_and_none_of_the_answers(typist: Typist, now: datetime) -> None:
    event = an_event(now)
    make_question(event, "goals")
    order, old = bought(event)
    cast.make_answers(old, goals="MARKED SECRET")
    link = link_of(typist, old)
    form = typist.get(link)
    assert "Take the place of Lysander Saltmarsh" in said(form)
    assert "MARKED SECRET" not in form.text
    done = typist.follow(typist.send(form, WHO, names=["first_name"]))
    assert "The place is yours" in said(done)
    first, guest, new = list_people(order)
    assert [str(r.state) for r in (first, guest, new)] == ["transferred", "confirmed", "confirmed"]
    assert (new.name, new.price, new.answered_at) == ("Orla Fenn", 99000, None)
    assert new.policy_id == old.policy_id
    assert questions.list_answers([new.id])[new.id] == {}
    assert "MARKED SECRET" not in typist.get(f"/r/{new.token}").text
    live = db.session.scalars(select(Claim.registration_id).where(Claim.released_at.is_(None)))
    assert sorted(i or 0 for i in live) == [guest.id, new.id], "no third place was taken"
    assert (due(order.id).total, due(order.id).due) == (198000, 0)
    (told,) = [m for m in letters("handed_over") if m.to_email == first.email]
    assert "METHOD:CANCEL" in str(told.attachments)
    assert [m.to_email for m in letters("confirmation")][-1] == "orla.fenn@example.org"
    again = typist.send(form, {**WHO, "email": "x@example.org"}, names=["first_name"])
    assert again.status == 200
    assert len(list_people(order)) == 3, "the link works once"


@pytest.mark.once
def test_a_fee_is_added_to_the_order(typist: Typist, now: datetime) -> None:
    order, old = bought(an_event(now, fee=15000))
    assert "It costs $150.00" in said(typist.get(f"/r/{old.token}/hand-over"))
    typist.send(link_of(typist, old), WHO, names=["first_name"])
    db.session.rollback()
    assert due(order.id).due == 15000


def test_where_we_have_to_agree_nothing_moves_before(
    typist: Typist, client: FlaskClient, now: datetime
) -> None:
    event = an_event(now, allowed="approval")
    order, old = bought(event)
    asked = typist.follow(typist.send(link_of(typist, old), WHO, names=["first_name"]))
    assert "Thank you; now we decide" in said(asked)
    assert [str(r.state) for r in list_people(order)] == ["confirmed", "confirmed"]
    assert "Orla Fenn has filled the form in." in said(typist.get(f"/r/{old.token}/hand-over"))
    cast.sign_in(client)
    path = f"/organize/events/{event.id}/registrations/hand-overs"
    home = typist.get("/organize")
    assert "Orla Fenn wants to take the place of Lysander Saltmarsh" in said(home)
    assert path in home.text
    page = typist.get(path)
    assert "Orla Fenn instead of Lysander Saltmarsh" in said(page)
    forms = [f for f in page.forms if "hand-overs/" in f.action]
    typist.client.post(forms[1].action, data=dict(forms[1].pairs({}, None)))
    assert len(letters("hand_over_declined")) == 2
    typist.send(link_of(typist, old), WHO, names=["first_name"])
    forms = [f for f in typist.get(path).forms if "hand-overs/" in f.action]
    typist.client.post(forms[0].action, data=dict(forms[0].pairs({}, None)))
    db.session.rollback()
    assert [str(r.state) for r in list_people(order)] == ["transferred", "confirmed", "confirmed"]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"allowed": "no"}, "cannot be handed to somebody else"),
        ({"taker": "employer_paid"}, "where an employer or somebody else has paid"),
        ({"until": {"days": 200}}, "too late now to hand this place on"),
    ],
)
@pytest.mark.once
def test_where_it_is_not_allowed_there_is_no_button(
    typist: Typist, now: datetime, rule: dict[str, Any], sentence: str
) -> None:
    _order, old = bought(an_event(now, **rule))
    page = typist.get(f"/r/{old.token}/hand-over")
    assert sentence in said(page)
    assert 'name="do"' not in page.text


@pytest.mark.once
def test_an_address_that_is_here_already_is_refused_with_all_kept(
    typist: Typist, now: datetime
) -> None:
    order, old = bought(an_event(now, taker="same_workplace"))
    form = typist.get(link_of(typist, old))
    guest = list_people(order)[1].email
    answer = typist.send(form, {**WHO, "email": guest}, names=["first_name"])
    assert answer.status == 409
    assert "This address can't be used again here" in said(answer)
    assert 'value="Orla"' in answer.text
    assert [m.to_email for m in letters("existing_link")] == [guest]
    elsewhere = typist.send(form, {**WHO, "workplace": "Elsewhere"}, names=["first_name"])
    assert "a colleague of the same workplace only" in said(elsewhere)
    assert len(list_people(order)) == 2


@pytest.mark.once
def test_a_link_that_was_taken_back_opens_nothing(
    typist: Typist, now: datetime, clock: Any
) -> None:
    _order, old = bought(an_event(now))
    link = link_of(typist, old)
    page = typist.get(f"/r/{old.token}/hand-over")
    typist.send(page, {}, names=["do"])
    assert "This link is no longer of use" in said(typist.get(link))
    fresh = link_of(typist, old)
    assert fresh != link
    clock.to(now + timedelta(days=400))
    assert "This event is over." in said(typist.get(fresh))
