"""The treasurer's page: the demo's own sums, what needs a hand, and the files that leave."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from regsys.demo import services as demo
from regsys.jobs.models import Job
from regsys.kernel.db import db as database
from regsys.kernel.money import spread
from regsys.reports.queries import treasury
from regsys.reports.rules import bars
from tests import cast
from tests.reports.desk import entries, pay_twice, signed_in, text_of

ZONE = "America/Los_Angeles"


@pytest.fixture
def society(demo_app: Flask) -> Iterator[dict[str, int]]:
    """Return the sums that the demo's file names, in a context of the app with the demo."""
    with demo_app.app_context():
        yield demo.read()["expected"]["money"]


def test_sums_are_those_of_the_demo(society: dict[str, int]) -> None:
    found = treasury.find_treasury(zone=ZONE, month="")
    total = found.totals["USD"]
    assert (total.gross, total.refunded) == (society["received"], society["refunded"])
    assert total.due == society["still_due"]
    assert sum(f.gross for f in found.by_month.values()) == total.gross
    assert sum(f.refunded for f in found.by_month.values()) == total.refunded
    assert sum(f.gross for f in found.by_event.values()) == total.gross
    assert sum(f.refunded for f in found.by_event.values()) == total.refunded
    assert sum(f.due for f in found.by_event.values()) == total.due


def test_a_month_holds_its_own_money_only(society: dict[str, int]) -> None:
    whole = treasury.find_treasury(zone=ZONE, month="")
    month = whole.months[0]
    found = treasury.find_treasury(zone=ZONE, month=month)
    assert found.totals["USD"].gross == whole.by_month[month, "USD"].gross
    assert found.months == whole.months


def test_the_page_says_the_sums(demo_app: Flask, society: dict[str, int]) -> None:
    page = text_of(signed_in(demo_app, "treasurer").get("/organize/treasurer"))
    assert "$52,509.40 came, $3,695.00 were given back" in page
    assert "They have not been compared yet" in page


def test_odd_money_comes_first(app: Flask, db: Any, clock: Any) -> None:
    order = cast.make_confirmed(cast.make_event(), [cast.a_person()])
    pay_twice(cast.list_people(order)[0])
    page = text_of(signed_in(app, "treasurer").get("/organize/treasurer"))
    assert "1 payment needs a decision" in page


def test_only_those_with_all_the_money_may_look(app: Flask, db: Any, clock: Any) -> None:
    event = cast.make_event()
    assert signed_in(app, "leader").get("/organize/treasurer").status_code == 403
    assert signed_in(app, "registrar", event=event).get("/organize/treasurer").status_code == 403
    assert signed_in(app, "owner").get("/organize/treasurer").status_code == 200


def test_the_file_is_safe_and_written_down(app: Flask, db: Any, clock: Any) -> None:
    person = cast.a_person("=Sum Attack", "attack@example.org")
    cast.make_confirmed(cast.make_event(), [person])
    answer = signed_in(app, "treasurer").get("/organize/treasurer/payments.csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(r["Kind"], r["Amount"], r["Paid by"]) for r in rows] == [
        ("payment", "990.00", "'=Sum Attack")
    ]
    (entry,) = entries("payments.exported")
    assert entry.after == {"format": "csv", "rows": 1}


def test_the_workbook_opens(demo_app: Flask, society: dict[str, int]) -> None:
    answer = signed_in(demo_app, "treasurer").get("/organize/treasurer/payments.xlsx")
    assert answer.data[:2] == b"PK"
    assert "payments-" in answer.headers["Content-Disposition"]


def test_the_button_asks_the_worker(app: Flask, db: Any, clock: Any) -> None:
    client = signed_in(app, "treasurer")
    token = client.get("/organize/treasurer").get_data(as_text=True)
    value = token.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post("/organize/treasurer/reconcile", data={"csrf_token": value})
    assert answer.status_code == 303
    database.session.rollback()
    kinds = list(database.session.scalars(select(Job.kind)))
    assert kinds.count("payments.reconcile") == 1
    assert "A comparison is under way" in text_of(client.get("/organize/treasurer"))


def test_parts_always_add_up() -> None:
    assert spread(100, {1: 1, 2: 1, 3: 1}) == {1: 33, 2: 33, 3: 34}
    assert spread(-100, {1: 2, 2: 1}) == {1: -67, 2: -33}
    assert spread(5, {7: 0}) == {7: 5}
    assert [b.came for b in bars([("a", 10, 0), ("b", 20, 5)])] == [60, 120]
