"""The page of an event is made again by what is committed about it, and by nothing else."""

import re
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from regsys.events.queries.marking import SHOWN
from regsys.kernel.db import transaction
from regsys.policies import presets
from regsys.policies import services as policies
from tests import cast
from tests.content.desk import make_page
from tests.support.counting import counted

# What `places_of` says of them stands in the mark; the menu is asked for by the frame.
ASKED_FOR = {"pool", "place", "claim", "ticket_type_pool", "page"}


def make_whole_event(now: datetime) -> Any:
    begin = now + timedelta(days=40)
    with transaction():
        policy = policies.save_version(
            "Terms", presets.get_preset("intensive", "USD"), before=None, actor=cast.STRIPE, now=now
        )
    event = cast.make_event(
        early_places=2,
        types={"Standard": (92000, 99000)},
        venue_id=cast.make_venue().id,
        policy_id=policy.id,
        sessions=[(begin, begin + timedelta(hours=2))],
    )
    cast.make_leader(event)
    return event


def test_the_page_reads_nothing_that_its_mark_does_not_hold(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    event = make_whole_event(now)
    with counted(app) as sent:
        assert client.get(f"/events/{event.slug}").status_code == 200
    read = set(re.findall(r"\b(?:FROM|JOIN) (\w+)", " ".join(sent)))
    known = {model.__tablename__ for model in SHOWN}
    assert read <= known | ASKED_FOR, "the page reads what its mark does not know"


def test_the_page_stays_as_it_is_until_something_about_it_is_committed(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    event = make_whole_event(now)
    other = cast.make_event()
    pages = app.extensions["regsys.shelf"].pages

    def look() -> tuple[str, object]:
        page = client.get(f"/events/{event.slug}").text
        return page, next(reversed(pages.values()))

    def sql(statement: str) -> None:
        with transaction():
            db.session.execute(text(statement))

    page, made = look()
    cast.make_cart(other)
    sql("UPDATE account SET created_at = created_at")
    assert look() == (page, made)
    for statement, words in (
        (f"UPDATE event SET title = 'Another title' WHERE id = {event.id}", "Another title"),
        ("UPDATE venue SET name = 'Another house'", "Another house"),
        (f"UPDATE event_session SET title = 'Evening' WHERE event_id = {event.id}", "Evening"),
        ("UPDATE price SET amount = 91234", "$912.34"),
        ("UPDATE leader SET last_name = 'Elsewhere'", "Elsewhere"),
    ):
        sql(statement)
        assert words in look()[0], statement
    assert "of 32 places left" in look()[0]
    before = re.findall(r"\d+ of 32 places", look()[0])
    cast.make_cart(event)
    assert re.findall(r"\d+ of 32 places", look()[0]) != before
    make_page("ways", title="Ways to come", menu=1)
    assert "Ways to come" in look()[0]
