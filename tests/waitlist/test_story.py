"""A Spokane-sized story, written down by hand: what happens to forty people around thirty-two chairs."""

from typing import Any

import pytest

from regsys.applications.models import Application
from regsys.applications.rules import Decision
from regsys.kernel import clock as kernel_clock
from regsys.kernel.actors import STRIPE
from regsys.kernel.db import transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.policies.rules import Leaving
from regsys.registration import jobs as registration_jobs
from regsys.registration import services as registration
from regsys.registration.models import Order
from regsys.registration.queries import find_registration_by_token
from regsys.waitlist import queries, services
from tests.applications.desk import apply, decide, fresh, make_call
from tests.support import rawsql
from tests.waitlist import line
from tests.waitlist.line import states, sweep

pytestmark = pytest.mark.once
PRICE = 92000
SEATED = [f"Seat{i:02} Nutkin" for i in range(1, 33)]
WAITING = ["Thaddeus Reed", "Octavian Reed", "Henrietta Reed", "Zephyr Reed"]


def _pay(order: Order) -> None:
    """Let the money of an order come, as settling does."""
    now = kernel_clock.now()
    with transaction():
        ledger.record_payment(
            order.id, amount=PRICE, currency="USD", method=Method.CARD, actor=STRIPE, now=now,
            reference=f"pi_story_{order.id}",
        )  # fmt: skip
        registration.confirm_paid(order.id, actor=STRIPE, now=now)


def _cancel(application: Application) -> None:
    assert application.registration_id
    with transaction():
        registration.cancel_paid(
            application.registration_id, event_id=application.event_id,
            money=Leaving(application.registration_id, paid=PRICE),
            reason="cannot come", actor=line.ORGANIZER, now=kernel_clock.now(),
        )  # fmt: skip


def test_thirty_six_apply_for_thirty_two_chairs(db: Any, clock: Any, database: Any) -> None:
    event = make_call(places=32, types={"Standard": PRICE}, accept_hours=48)
    event_id = event.id
    everybody = {name: apply(event, name) for name in [*SEATED, *WAITING]}

    # 32 are accepted with a place and pay; 4 are accepted and wait.
    decide(event, *(everybody[name] for name in SEATED))
    for name in SEATED:
        placed = fresh(event, name).registration
        assert placed
        _pay(placed.order)
    for name in WAITING:
        decide(event, fresh(event, name), how=Decision.WAIT)
        clock.move(minutes=1)
    sweep()
    assert states(event) == [(n.split()[0], "waiting") for n in WAITING]

    # The organizer passes Octavian over, with a note. Then two cancel: Thaddeus and Henrietta are asked.
    octavian = _entry(event, "Octavian")
    with transaction():
        note = "Works in one clinic with somebody who has a place"
        services.skip(
            octavian.id, note, event_id=event_id, actor=line.ORGANIZER, now=kernel_clock.now()
        )
    for name in SEATED[:2]:
        _cancel(fresh(event, name))
        sweep()
    assert states(event) == [
        ("Thaddeus", "offered"), ("Octavian", "waiting"),
        ("Henrietta", "offered"), ("Zephyr", "waiting"),
    ]  # fmt: skip

    # Henrietta takes hers and pays; Thaddeus does not answer, and his goes to Zephyr, who pays too.
    henrietta = line.accept(_entry(event, "Henrietta"))
    _pay(henrietta)
    clock.move(hours=73)
    registration_jobs.sweep({})
    sweep()
    zephyr = line.accept(_entry(event, "Zephyr"))
    own = find_registration_by_token(zephyr.registrations[0].token)
    assert own
    assert {a.key: a.value for a in own.answers if a.value} == {"goals": "Learn to lead"}
    _pay(zephyr)

    # The lists at the end, as they were written down before.
    assert states(event) == [
        ("Thaddeus", "lapsed"), ("Octavian", "waiting"), ("Henrietta", "taken"), ("Zephyr", "taken"),
    ]  # fmt: skip
    assert _entry(event, "Octavian").note == "Works in one clinic with somebody who has a place"
    confirmed = [
        f"{first} {last}"
        for first, last in rawsql.rows(
            database.url,
            "SELECT first_name, last_name FROM registration WHERE event_id = ? AND"
            " state = 'confirmed' ORDER BY id",
            event_id,
        )
    ]
    assert confirmed == [*SEATED[2:], "Henrietta Reed", "Zephyr Reed"]
    assert rawsql.live_places(database.url, event_id) == list(range(1, 33))
    # Nobody who waited was charged.
    paid = "SELECT count(*) FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.last_name = 'Reed'"
    assert rawsql.number(database.url, paid) == 2


def _entry(event: Any, first_name: str) -> Any:
    return next(e for e in queries.list_entries(event.id) if e.first_name == first_name)
