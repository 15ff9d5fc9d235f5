"""How many statements a registration costs."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import cast
from tests.registration.guest import Guest
from tests.support.counting import counted

QUESTIONS = ("goals", "career", "heard_from")


def work(sent: list[str]) -> list[str]:
    return [statement for statement in sent if not statement.startswith(("BEGIN", "SET LOCAL"))]


def short(sent: list[str]) -> str:
    return "\n".join(" ".join(one.split())[:150] for one in sent)


@pytest.mark.parametrize("price", [99000, (92000, 99000)])
def test_a_registration_takes_at_most_33_statements_from_its_page_to_the_payment(
    app: Flask, client: FlaskClient, db: Any, now: datetime, price: Any
) -> None:
    event = cast.make_event(types={"Standard": price}, early_places=16)
    for key in QUESTIONS:
        cast.make_question(event, key)
    guest = Guest(client)
    with counted(app) as sent:
        page = guest.place(guest.register(event, q_goals="To listen"))
    assert (page.status, page.headers["Location"][-4:]) == (307, "/pay")
    assert len(work(sent)) <= 33, short(sent)


def test_a_free_registration_takes_at_most_forty_with_its_letter_and_the_last_page(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    event = cast.make_event(types={"Standard": 0})
    guest = Guest(client)
    with counted(app) as sent:
        page = guest.place(guest.register(event))
    assert page.title == "You have a place, Lysander"
    assert len(work(sent)) <= 40, short(sent)


def test_more_people_and_answers_cost_hardly_more(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    event = cast.make_event(types={"Standard": 0})
    alone: list[str] = []
    crowd: list[str] = []
    for people, found in ((1, alone), (9, crowd)):
        order = cast.fill_cart(
            cast.make_cart(event, quantities={"Standard": people}),
            [cast.a_person(f"P{people}x{i} Nutkin") for i in range(people)],
        )
        with client.session_transaction() as session:
            session["cart"] = order.token
        with counted(app) as sent:
            assert client.get("/cart/review").status_code == 200
        found += sent
    assert len(crowd) == len(alone)
