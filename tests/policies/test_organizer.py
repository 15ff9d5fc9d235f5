"""The organizer's page of refund rules, and what buyers see and keep of them."""

import html
import re
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.events import services
from regsys.kernel.db import db, transaction
from regsys.policies.models import RefundPolicy
from regsys.policies.rules import Terms, read, refund
from regsys.registration import queries
from regsys.registration.models import Registration
from tests import cast
from tests.events import desk
from tests.events.desk import REGISTRAR, at, draft, set_places
from tests.support.typist import Typist
from tests.support.visitor import Page

pytestmark = [pytest.mark.usefixtures("db", "clock"), pytest.mark.once]

SPRING = {"starts_at": at("2027-04-22T12:30"), "ends_at": at("2027-04-25T12:00")}
ROWS = {
    "title": "Spring",
    "steps-0-days": "60",
    "steps-0-percent": "100",
    "steps-0-minus": "75.00",
    "refilled": "100",
    "refilled_minus": "75",
}


def said(page: Page) -> str:
    """Return what a page says, without tags and with plain spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    cast.sign_in(client, "registrar")
    return Typist(client)


def path(event_id: int) -> str:
    return f"/organize/events/{event_id}/refunds"


def terms_of(event_id: int) -> Terms:
    policy = desk.event(event_id).policy
    assert policy is not None
    return read(policy.body)


def test_rules_are_typed_tried_and_saved_as_versions(typist: Typist, now: datetime) -> None:
    event_id = draft(now, **SPRING)
    set_places(event_id, now)
    trial = {**ROWS, "paid": "920", "on": "2027-02-21"}
    tried = typist.send(path(event_id), trial, "See what they get")
    assert "Somebody who paid $920.00 and cancels on Sun 21 Feb 2027 gets $845.00 back." in said(
        tried
    )
    late = typist.send(tried, {"on": "2027-02-22"}, "See what they get", names=["title"])
    assert "cancels on Mon 22 Feb 2027 gets $0.00 back." in said(late)
    assert desk.event(event_id).policy is None, "a trial keeps nothing"
    saved = typist.follow(typist.send(late, {}, "Save", names=["title"]))
    assert "until Sun 21 Feb 2027, 11:59 PM PST everything but $75.00" in said(saved)
    first = terms_of(event_id)
    assert (first.steps[0].ahead.days, first.steps[0].back.minus) == (60, 7500)
    more = typist.send(saved, {}, "Add another rule", names=["title"])
    second = {"steps-1-months": "1", "steps-1-percent": "50", "steps-1-part": "programme"}
    typist.follow(typist.send(more, second, "Save", names=["title"]))
    assert desk.event(event_id).policy.version == 2  # type: ignore[union-attr]
    terms = terms_of(event_id)
    assert [s.ahead.months for s in terms.steps] == [0, 1]
    assert terms.room is not None
    assert len(terms.room.steps) == 1, "what is for everything is for the room too"
    assert len(db.session.scalars(select(RefundPolicy)).all()) == 2


def test_a_preset_fills_the_form_in_the_currency_of_the_event(
    typist: Typist, now: datetime
) -> None:
    event_id = draft(now, currency="JPY", **SPRING)
    shown = typist.send(path(event_id), {"preset": "weekend"}, "Put it into the form")
    assert 'value="150"' in shown.text
    typist.follow(typist.send(shown, {"title": "A weekend"}, "Save", names=["title"]))
    terms = terms_of(event_id)
    assert (terms.deposit, terms.steps[0].back.minus) == (150, 50)
    assert terms.room is not None
    assert [s.released for s in terms.room.steps] == [False, True]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"steps-0-percent": "101"}, "whole number from 0 to 100"),
        ({"steps-0-minus": "a bit"}, "Please write an amount, like 920.00."),
        ({"steps-0-percent": ""}, "Please write how much comes back; 0 for nothing."),
        ({"title": ""}, "Please fill this in."),
        ({"deposit": "1.234"}, "Please write an amount"),
        ({"hour": "25:00"}, "Please write a time."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_kept(
    typist: Typist, now: datetime, wrong: dict[str, str], sentence: str
) -> None:
    event_id = draft(now, **SPRING)
    answer = typist.send(path(event_id), {**ROWS, **wrong}, "Save")
    assert answer.status == 422
    assert sentence in said(answer)
    assert 'value="100"' in answer.text
    assert desk.event(event_id).policy is None


def test_a_place_keeps_the_rules_it_was_bought_with(typist: Typist, now: datetime) -> None:
    event = cast.make_event(**SPRING)
    event_id, slug = event.id, event.slug
    typist.follow(typist.send(path(event_id), ROWS, "Save"))
    order = cast.make_confirmed(desk.event(event_id))
    typist.follow(typist.send(path(event_id), {**ROWS, "steps-0-minus": "500"}, "Save"))
    assert "everything but $500.00" in said(typist.get(f"/events/{slug}"))
    (mine,) = cast.list_people(order)
    own = said(typist.get(f"/r/{mine.token}"))
    assert "everything but $75.00" in own
    assert "until Sun 21 Feb 2027, 11:59 PM PST" in own
    assert "$915.00" in own


def test_an_event_that_moves_brings_no_deadline_nearer(now: datetime) -> None:
    event = cast.make_event(**SPRING)
    with transaction():
        services.set_refunds(
            event.id,
            "Spring",
            read({"steps": [{"ahead": {"days": 60}, "back": {"percent": 100}}]}),
            version=None,
            actor=REGISTRAR,
            now=now,
        )
    order = cast.make_confirmed(desk.event(event.id))
    with transaction():
        moved = desk.event(event.id)
        moved.starts_at = at("2027-04-01T12:30")
        moved.ends_at = at("2027-04-04T12:00")
    (mine,) = cast.list_people(order)
    assert isinstance(mine, Registration)
    terms = read(mine.policy.body)  # type: ignore[union-attr]
    for day, expected in (("2027-02-21T23:00", 99000), ("2027-02-22T01:00", 0)):
        made = refund(terms, queries.amounts_of(mine, 99000), at(day), queries.refund_facts(mine))
        assert made.amount == expected
