"""The same thing done twice at once: by two tabs, two people with one address, two tellers of one payment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.kernel import clock
from regsys.kernel.errors import IllegalMove, Refused
from regsys.kernel.settings import Settings
from regsys.payments.settle import settle, start_checkout
from regsys.registration import services
from regsys.registration.queries import get_order
from tests import cast
from tests.conftest import Database
from tests.sandbox.control import Sandbox, running_sandbox
from tests.support import rawsql
from tests.support.books import reconciled
from tests.support.ports import free_port
from tests.support.servers import serving
from tests.support.together import booking, errors, inside, raise_unexpected, together

FREE = {"Standard": 0}


ANSWERED = (200, 302, 303, 307, 409, 422, 503)


def _confirmations(database: Database, order_id: int) -> int:
    return rawsql.number(
        database.url,
        "SELECT count(*) FROM message m JOIN registration r ON r.id = m.registration_id"
        " WHERE r.order_id = ? AND m.key LIKE 'confirm:%'",
        order_id,
    )


def _confirmed_entries(database: Database, order_id: int) -> int:
    return rawsql.number(
        database.url,
        "SELECT count(*) FROM audit_entry WHERE order_id = ? AND action = 'registration.confirmed'",
        order_id,
    )


# ---- two tabs


def test_placing_a_cart_eight_times_at_once_places_it_once(
    app: Flask, db: Any, database: Database
) -> None:
    order = cast.fill_cart(cast.make_cart(cast.make_event(places=3, types=FREE)))
    order_id, now = order.id, clock.now()
    results = together([lambda: booking(app, lambda: services.place(order_id, now=now).id)] * 8)
    raise_unexpected(results)
    assert results == [order_id] * 8
    assert _confirmations(database, order_id) == 1
    assert _confirmed_entries(database, order_id) == 1


def test_taking_places_twice_from_two_tabs_keeps_one_choice(
    app: Flask, db: Any, database: Database
) -> None:
    """Both tabs say "two places": the cart holds two, not four."""
    event = cast.make_event(places=10, types=FREE)
    order = cast.make_cart(event)
    order_id, event_id, type_id, now = order.id, event.id, event.ticket_types[0].id, clock.now()

    def take() -> int:
        return services.put_in_cart(
            event_id, {type_id: 2}, cart_id=order_id, minutes=30, now=now
        ).id

    results = together([lambda: booking(app, take)] * 6)
    raise_unexpected(results)
    assert results == [order_id] * 6
    assert len(rawsql.live_places(database.url, event_id)) == 2
    assert rawsql.states(database.url, event_id) == {"draft": 2}


def test_extending_a_hold_from_many_tabs_extends_it_once(
    app: Flask, db: Any, database: Database
) -> None:
    order = cast.make_cart(cast.make_event(places=3, types=FREE))
    order_id, now = order.id, clock.now()
    results = together([lambda: booking(app, lambda: services.extend_hold(order_id, now=now))] * 6)
    raise_unexpected(results, Refused)
    assert len(errors(results)) == 5


def test_placing_against_taking_the_last_person_off_leaves_one_truth(
    app: Flask, db: Any, database: Database
) -> None:
    event = cast.make_event(places=3, types=FREE)
    order = cast.fill_cart(cast.make_cart(event))
    order_id, event_id, now = order.id, event.id, clock.now()
    r = cast.list_people(order)[0].id
    results = together(
        [
            lambda: booking(app, lambda: services.place(order_id, now=now) and None),
            lambda: booking(app, lambda: services.remove_from_cart(order_id, r, now=now)),
        ]
    )
    raise_unexpected(results, Refused, IllegalMove)
    assert len(errors(results)) == 1
    states = rawsql.states(database.url, event_id)
    held = len(rawsql.live_places(database.url, event_id))
    assert (states, held) in [({"confirmed": 1}, 1), ({"cancelled": 1}, 0)]


# ---- two people with one address


def _post(
    client: FlaskClient, page: str, fields: dict[str, str], *, to: str = ""
) -> Callable[[], Any]:
    """Return a request with the token that the form on the page would bring."""
    shown = client.get(page).get_data(as_text=True)
    token = shown.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
    return lambda: client.post(to or page, data={**fields, "csrf_token": token})


def _client_with(app: Flask, token: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["cart"] = token
    return client


def test_one_address_in_two_carts_at_once_gets_one_place(
    app: Flask, db: Any, database: Database
) -> None:
    event = cast.make_event(places=10, types=FREE)
    event_id = event.id
    carts = [cast.make_cart(event) for _ in range(6)]
    fields = {
        "first_name": "Lysander",
        "last_name": "Saltmarsh",
        "email": "lysander@example.org",
        f"mine_{event_id}": str(event.ticket_types[0].id),
    }
    clients = [_client_with(app, c.token) for c in carts]
    db.session.remove()
    answers = together([_post(c, "/cart/people/0", fields) for c in clients])
    raise_unexpected(answers)
    codes = [a.status_code for a in answers]
    assert set(codes) <= {303, 409, 503}, codes
    named = rawsql.number(
        database.url,
        "SELECT count(*) FROM registration WHERE event_id = ? AND email_key = ?",
        event_id,
        "lysander@example.org",
    )
    assert named == codes.count(303) == 1


def test_a_double_click_on_the_last_button_places_one_order(
    app: Flask, db: Any, database: Database
) -> None:
    """Each of six tabs gets the same order page."""
    order = cast.fill_cart(cast.make_cart(cast.make_event(places=3, types=FREE)))
    order_id, token = order.id, order.token
    clients = [_client_with(app, token) for _ in range(6)]
    db.session.remove()
    answers = together([_post(c, "/cart/review", {}, to="/cart/place") for c in clients])
    raise_unexpected(answers)
    went = {(a.status_code, a.headers.get("Location")) for a in answers}
    assert went <= {(303, f"/o/{token}"), (503, None)}, went
    assert (303, f"/o/{token}") in went
    assert _confirmations(database, order_id) == 1
    assert _confirmed_entries(database, order_id) == 1


# ---- one payment, told by several


@dataclass
class Till:
    """The app behind a server of this process, and the stand-in that tells it of payments."""

    app: Flask
    sandbox: Sandbox
    database: Database


@pytest.fixture
def till(make_app: Callable[[Settings], Flask], data: Path, database: Database) -> Iterator[Till]:
    port = free_port()
    settings = Settings.for_tests(
        data, DATABASE_URL=database.url, STRIPE_API_BASE=f"http://127.0.0.1:{port}"
    )
    app = make_app(settings)
    with serving(app) as site:
        known = {
            "api_key": settings.STRIPE_SECRET_KEY,
            "webhook_secret": settings.STRIPE_WEBHOOK_SECRET[0],
            "port": port,
        }
        with running_sandbox(data, f"{site}/webhooks/stripe", **known) as sandbox:
            yield Till(app, sandbox, database)
            with app.app_context():
                assert reconciled() == []


def _order_to_pay(app: Flask) -> tuple[int, int]:
    def make() -> tuple[int, int]:
        event = cast.make_event(places=3)
        return cast.make_order(event).id, event.id

    return inside(app, make)


def _session_of(till: Till, order_id: int) -> tuple[int, str]:
    found = rawsql.rows(
        till.database.url, "SELECT id, session_id FROM payment_attempt WHERE order_id = ?", order_id
    )
    assert len(found) == 1, found
    return found[0][0], found[0][1]


def test_pressing_pay_in_many_tabs_opens_one_session(till: Till) -> None:
    order_id, _ = _order_to_pay(till.app)
    urls = together([lambda: inside(till.app, lambda: start_checkout(order_id))] * 6)
    raise_unexpected(urls)
    assert len(set(urls)) == 1
    assert "/c/pay/" in str(urls[0])
    _session_of(till, order_id)
    assert till.sandbox.control.count("checkout.session") == 1


def test_webhook_success_page_and_poller_together_confirm_once(till: Till) -> None:
    order_id, event_id = _order_to_pay(till.app)
    inside(till.app, lambda: start_checkout(order_id))
    attempt_id, session_id = _session_of(till, order_id)
    control = till.sandbox.control
    control.pay(session_id, deliver="never")
    event = control.events("checkout.session.completed")[-1]["id"]
    token = inside(till.app, lambda: get_order(order_id).token)
    page = f"/o/{token}/paid?session_id={session_id}"

    def look() -> int:
        return till.app.test_client().get(page).status_code

    def tell() -> list[int]:
        return [sent["code"] for sent in control.deliver(event, times=3, parallel=True)]

    def ask() -> str:
        return str(inside(till.app, lambda: settle(attempt_id=attempt_id)).state)

    results = together([tell, look, look, ask, ask, tell])
    raise_unexpected(results)
    assert {c for codes in (results[0], results[5]) for c in codes} <= {200, 500}  # type: ignore[union-attr]
    assert results[1] in ANSWERED
    assert results[2] in ANSWERED
    assert results[3:5] == ["paid", "paid"]
    _assert_paid_once(till, order_id, event_id)


def _assert_paid_once(till: Till, order_id: int, event_id: int) -> None:
    url = till.database.url
    assert rawsql.states(url, event_id) == {"confirmed": 1}
    assert rawsql.number(url, "SELECT count(*) FROM payment WHERE order_id = ?", order_id) == 1
    assert _confirmations(till.database, order_id) == 1
    assert _confirmed_entries(till.database, order_id) == 1
    assert len(rawsql.live_places(url, event_id)) == 1


def test_paying_against_the_end_of_the_session_keeps_money_and_place_together(till: Till) -> None:
    """One teller says that it is paid while another has just been told that it was still open."""
    order_id, event_id = _order_to_pay(till.app)
    inside(till.app, lambda: start_checkout(order_id))
    attempt_id, session_id = _session_of(till, order_id)
    control = till.sandbox.control

    def pay() -> str:
        return str(control.pay(session_id)["error"])

    def ask() -> str:
        return str(inside(till.app, lambda: settle(attempt_id=attempt_id)).state)

    results = together([pay, ask, ask, ask])
    raise_unexpected(results)
    inside(till.app, lambda: settle(attempt_id=attempt_id))
    _assert_paid_once(till, order_id, event_id)
