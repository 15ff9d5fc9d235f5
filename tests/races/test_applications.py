"""Two reviewers decide at the same moment: one decision, one letter, and no place twice."""

from typing import Any

from flask import Flask

from regsys.applications import services
from regsys.applications.rules import Decision
from regsys.kernel import clock
from regsys.kernel.errors import Refused
from tests.applications.desk import REVIEWER, apply, make_call
from tests.conftest import Database
from tests.support import rawsql
from tests.support.together import booking, errors, raise_unexpected, together


def test_of_many_decisions_about_one_application_one_stands(
    app: Flask, db: Any, database: Database
) -> None:
    event = make_call(places=5)
    a = apply(event)
    event_id, a_id, now = event.id, a.id, clock.now()

    def decide(how: Decision) -> str:
        services.decide(event_id, {a_id: 1}, how, words="", actor=REVIEWER, now=now)
        return how.value

    results = together(
        [
            lambda h=h: booking(app, lambda: decide(h))
            for h in [Decision.ACCEPT, Decision.DECLINE] * 3
        ]  # type: ignore[misc]
    )
    raise_unexpected(results, Refused)
    assert len(errors(results)) == 5
    (stood,) = [r for r in results if isinstance(r, str)]
    accepted = stood == "accept"
    letters = "SELECT count(*) FROM message WHERE kind IN ('application_accepted', 'application_declined')"
    assert rawsql.number(database.url, letters) == 1
    deeds = (
        "SELECT count(*) FROM audit_entry WHERE action IN ('application.accepted', "
        "'application.declined') AND subject_id = ?"
    )
    assert rawsql.number(database.url, deeds, a_id) == 1
    assert len(rawsql.live_places(database.url, event_id)) == int(accepted)


def test_more_are_accepted_at_once_than_there_are_places(
    app: Flask, db: Any, database: Database
) -> None:
    event = make_call(places=3)
    ids = [apply(event, f"Person{i} Nutkin").id for i in range(6)]
    event_id, now = event.id, clock.now()

    def accept(a_id: int) -> int:
        seen = {a_id: 1}
        services.decide(event_id, seen, Decision.ACCEPT, words="", actor=REVIEWER, now=now)
        return a_id

    results = together([lambda i=i: booking(app, lambda: accept(i)) for i in ids])  # type: ignore[misc]
    raise_unexpected(results, Refused)
    assert len(errors(results)) == 3
    assert rawsql.states(database.url, event_id) == {"awaiting_payment": 3}
    assert len(rawsql.live_places(database.url, event_id)) == 3
    waiting = "SELECT count(*) FROM application WHERE state = 'submitted' AND event_id = ?"
    assert rawsql.number(database.url, waiting, event_id) == 3
