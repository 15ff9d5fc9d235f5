"""The demo loads as far as the features go, and its sums are the data file's own."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from regsys.demo import services
from regsys.demo.services.calendar import make_calendar
from regsys.events import queries as events
from regsys.events.rules import is_at_risk

NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)


@pytest.fixture
def app(demo_app):
    """The app that these tests look into: the one with the demo."""
    return demo_app


def _sql(db, query):
    return db.session.execute(text(query)).all()


def test_demo_sums_equal_the_expected_ones(db):
    expected = services.read()["expected"]
    assert _sql(db, "SELECT count(*) FROM orders")[0][0] == expected["orders"]
    assert (
        dict(map(tuple, _sql(db, "SELECT state, count(*) FROM registration GROUP BY state")))
        == expected["registrations"]
    )
    assert (
        dict(map(tuple, _sql(db, "SELECT state, count(*) FROM application GROUP BY state")))
        == expected["applications"]
    )
    assert (
        dict(map(tuple, _sql(db, "SELECT state, count(*) FROM event GROUP BY state")))
        == expected["events"]
    )
    assert (
        dict(map(tuple, _sql(db, "SELECT state, count(*) FROM waitlist_entry GROUP BY state")))
        == expected["waiting_list"]
    )
    money = expected["money"]
    assert _sql(db, "SELECT sum(amount) FROM payment")[0][0] == money["received"]
    refunds = dict(map(tuple, _sql(db, "SELECT state, sum(amount) FROM refund GROUP BY state")))
    assert refunds["succeeded"] + refunds["pending"] == money["refunded"]
    assert refunds["failed"] == money["refunds_failed"]
    dues = [row[0] for row in _sql(db, _DUES)]
    assert sum(d for d in dues if d > 0) == money["still_due"]
    assert -sum(d for d in dues if d < 0) == money["to_give_back"]


_DUES = """
SELECT coalesce((SELECT sum(amount) FROM order_line l WHERE l.order_id = o.id), 0)
     - coalesce((SELECT sum(amount) FROM payment p WHERE p.order_id = o.id), 0)
     + coalesce((SELECT sum(r.amount) FROM refund r JOIN payment p ON p.id = r.payment_id
                 WHERE p.order_id = o.id AND r.state <> 'failed'), 0)
FROM orders o
"""


def test_every_live_registration_holds_its_places(db):
    live = "('draft', 'awaiting_payment', 'confirmed')"
    without = _sql(
        db,
        f"SELECT r.code FROM registration r WHERE r.state IN {live} AND NOT EXISTS "
        "(SELECT 1 FROM claim c WHERE c.registration_id = r.id AND c.released_at IS NULL)",
    )
    assert without == []
    all_events = {e.slug: e for e in events.list_events()}
    places = events.places_of([e.id for e in all_events.values()], now=NOW)
    assert places[all_events["introductory-intensive"].id].early_left == 11
    assert places[all_events["leadership-intensive-spokane"].id].early_left == 0
    assert places[all_events["leadership-intensive-spokane"].id].left == 0


def test_events_at_risk_are_the_expected_ones(db):
    confirmed = Counter(
        {
            row[0]: row[1]
            for row in _sql(
                db,
                "SELECT event_id, count(*) FROM registration WHERE state = 'confirmed' GROUP BY 1",
            )
        }
    )
    at_risk = [
        e.slug
        for e in events.list_events()
        if e.state == "published"
        and is_at_risk(minimum=e.minimum, decide_at=e.decide_at, confirmed=confirmed[e.id], now=NOW)
    ]
    assert at_risk == ["first-years-group"]


def test_dates_shift_by_whole_weeks_and_keep_their_weekday(db):
    data = services.read()
    calendar = make_calendar(data["meta"], "America/Los_Angeles", now=NOW)
    assert calendar.shifted("2027-02-15") == "2026-11-23"
    assert calendar.shifted({"a": ["2027-02-15T09:05", "no 2027-02-15 date"]}) == {
        "a": ["2026-11-23T09:05", "no 2027-02-15 date"]
    }


def test_holds_of_the_demo_are_running_when_it_is_opened(db):
    ends = _sql(
        db, "SELECT c.until FROM claim c WHERE c.until IS NOT NULL AND c.released_at IS NULL"
    )
    # three registrations and an offer, each in the total and in one other pool; two seats that are kept for a host
    assert len(ends) == 10
    assert all(str(row[0]) > "2026-11-24 17:00" for row in ends)


def test_sensitive_answers_of_the_demo_are_sealed(db):
    stored = _sql(
        db,
        "SELECT a.value, a.sealed FROM answer a JOIN question q ON q.id = a.question_id WHERE q.sensitive",
    )
    assert len(stored) > 20
    assert all(value in (None, "null") and len(sealed) > 90 for value, sealed in stored)
