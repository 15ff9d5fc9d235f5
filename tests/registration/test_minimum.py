"""Too few people so far: the registrars are warned once, people are told if they decide so, and it is decided."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.events.queries import get_event
from regsys.events.rules import is_at_risk
from regsys.outbox.models import Message
from regsys.registration import jobs
from tests import cast
from tests.support.typist import Typist

pytestmark = pytest.mark.once


def _letters(db: Any) -> list[tuple[str, str]]:
    db.session.rollback()
    query = select(Message).where(Message.kind.in_(("at_risk", "not_sure"))).order_by(Message.id)
    return [(m.kind, m.to_name) for m in db.session.scalars(query)]


def test_the_registrars_are_warned_and_decide(client: FlaskClient, db: Any, clock: Any) -> None:
    event = cast.make_event(
        types={"Standard": 0}, minimum=3, decide_at=clock.now + timedelta(days=14)
    )
    cast.make_confirmed(event, [cast.a_person("Ada Reed"), cast.a_person("Ben Reed")])
    user = cast.sign_in(client, event=event)
    cast.make_user("treasurer")
    jobs.warn({})
    assert _letters(db) == []
    clock.move(hours=1)
    jobs.warn({})
    jobs.warn({})
    name = f"{user.first_name} {user.last_name}"
    assert _letters(db) == [("at_risk", name)]
    browser = Typist(client)
    page = browser.get(f"/organize/events/{event.id}/registrations/minimum")
    assert "2 of the 3 people that it needs" in page.text
    for _n in range(2):
        assert browser.send(page, {}, action="/tell").status == 303
    people = [("not_sure", "Ada Reed"), ("not_sure", "Ben Reed")]
    assert _letters(db) == [("at_risk", name), *people]
    assert browser.send(page, {}, action="/run").status == 303
    db.session.rollback()
    db.session.expire_all()
    assert get_event(event.id).runs_at == clock.now
    assert browser.send(page, {}, action="/tell").status == 409
    assert "that it takes place" in browser.get(page.url).text
    assert "people it needs" not in browser.get("/organize").text


def test_what_is_decided_is_no_longer_at_risk(now: Any) -> None:
    facts: dict[str, Any] = {"minimum": 6, "decide_at": now, "confirmed": 5, "now": now}
    assert is_at_risk(**facts)
    assert not is_at_risk(**facts, runs_at=now)
