"""Ids of other people, prices of one's own, forms from yesterday, two tabs, two clicks, and headers in letters."""

import dataclasses
import random
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP

import pytest
from flask import Flask
from sqlalchemy import select

from regsys.events.models import Event
from regsys.kernel.db import db as product_db
from regsys.kernel.tokens import hash_token
from regsys.outbox.compose import Letter
from regsys.outbox.models import Message
from regsys.outbox.smtp import _Message
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState
from regsys.web.guard import MARK
from tests.hostile.conftest import Field
from tests.hostile.corpus import SEED, VALUES, as_text, some
from tests.hostile.intruder import Intruder, Pairs, Value, fill
from tests.hostile.test_addresses import SIZES, list_doors
from tests.hostile.test_forms import list_targets
from tests.support.visitor import Form


@pytest.fixture
def narrow(field: Field) -> Intruder:
    """Return a registrar who may work on one event only, and it is not `world.event`."""
    return field.intruders["narrow"]


def test_nobody_changes_an_event_that_is_not_theirs(field: Field, narrow: Intruder) -> None:
    mine, theirs = field.world.external_event.id, field.world.event.id
    statuses = {}
    for door in list_doors(field):
        if "event_id" in door.rule.arguments and "POST" in door.methods:
            path = door.with_part("event_id", str(theirs))
            page = narrow.attack(path, [("csrf_token", narrow.token)], what="another's event")
            statuses[path] = page.status
    assert set(statuses.values()) <= {403, 404, 405}
    assert len(statuses) > 15
    assert "\n".join(narrow.problems) == ""
    assert narrow.get(f"/organize/events/{mine}").status == 200


def test_a_person_of_another_event_is_not_reached_through_ones_own(
    field: Field, narrow: Intruder
) -> None:
    mine, theirs = field.world.external_event.id, field.world.registration
    tried = 0
    for door in list_doors(field):
        names = door.rule.arguments
        if {"event_id", "registration_id"} <= names:
            path = re.sub(
                r"/events/\d+/",
                f"/events/{mine}/",
                door.with_part("registration_id", str(theirs.id)),
            )
            for method in door.methods & {"GET", "POST"}:
                data = {"csrf_token": narrow.token}
                page = narrow.shoot(method, path, what="another's person", data=data)
                assert page.status in (403, 404), (method, path)
                tried += 1
    assert tried > 5
    assert "\n".join(narrow.problems) == ""


def test_every_role_is_refused_at_the_doors_of_others(field: Field) -> None:
    visitor = field.intruders[""]
    for door in list_doors(field):
        view = field.world.app.view_functions[door.rule.endpoint]
        if getattr(view, MARK, ()) and "POST" in door.methods:
            page = visitor.attack(door.address, [("csrf_token", visitor.token)], what="a visitor")
            assert page.status == 403, door.address
    assert field.problems == ""


def test_a_place_of_another_order_is_not_taken_off(field: Field) -> None:
    visitor, theirs = field.intruders[""], field.world.registration
    mine = field.world.first(select(Order).where(Order.id == field.world.unpaid.order_id))
    for path in ("/cart/remove", f"/o/{mine.token}/remove"):
        for place in (str(theirs.id), "2147483648", "9" * 30, "-1", "٣", "", "x"):
            pairs: Pairs = [("csrf_token", visitor.token), ("place", place)]
            page = visitor.shoot("POST", path, what=f"place {place}", data=dict(pairs))  # type: ignore[arg-type]
            assert page.status in (303, 404, 409), (path, place)
            assert state_of(field, theirs.id) is RegistrationState.CONFIRMED
    assert field.problems == ""


def state_of(field: Field, registration_id: int) -> RegistrationState:
    query = select(Registration).where(Registration.id == registration_id)
    return field.world.first(query).state


def test_a_ticket_of_another_event_is_not_sold_here(field: Field) -> None:
    visitor, event = field.intruders[""], field.world.event
    other = field.world.first(select(Event).join(Event.ticket_types).where(Event.id != event.id))
    with field.world.app.app_context():
        known = product_db.session.get(Event, other.id)
        assert known
        theirs = known.ticket_types[0].id
        product_db.session.remove()
    path = f"/events/{event.slug}/register"
    nothing = {
        c.name: "0"
        for c in visitor.get(path).form(action="register").controls
        if c.name.startswith("places_")
    }
    for name in (
        f"places_{theirs}",
        "places_0",
        "places_9223372036854775808",
        "places_x",
        "places_",
    ):
        pairs = fill(visitor.get(path).form(action="register"), {**nothing, name: "1"})
        page = visitor.attack(path, pairs, what=name)
        assert page.status in (409, 422), name
    assert field.problems == ""


def test_a_price_that_is_sent_is_not_read(field: Field) -> None:
    visitor = field.intruders[""]
    cart = field.world.first(
        select(Order).where(Order.token_hash == hash_token(field.world.cart_token))
    )
    prices = [price for (price,) in _prices(field, cart.id)]
    names = (
        "price",
        "amount",
        "total",
        "due",
        "currency",
        "rate",
        "ticket_type_id",
        "order_id",
        "state",
    )
    token = visitor.token
    data = {"csrf_token": token, **dict.fromkeys(names, "1")}
    answer = visitor.client.post("/cart/place", data=data)
    assert answer.status_code in (303, 307)
    assert [price for (price,) in _prices(field, cart.id)] == prices
    assert all(price != 1 for price in prices)


def _prices(field: Field, order_id: int) -> list[tuple[int]]:
    query = select(Registration.price).where(Registration.order_id == order_id)
    with field.world.app.app_context():
        found = [(price,) for price in product_db.session.scalars(query.order_by(Registration.id))]
        product_db.session.remove()
    return found


def test_a_form_from_yesterday_is_refused_and_keeps_what_was_typed(field: Field) -> None:
    stale = 0
    for target in list_targets(field):
        marks = [c.name for c in target.form.controls if c.name in ("version", "seen") and c.value]
        is_new = target.path.endswith("/new")  # there is nothing older than it
        if (
            marks
            and not is_new
            and any(c.kind in ("text", "textarea") for c in target.form.controls)
        ):
            old: dict[str, Value] = {name: _older(target.form, name) for name in marks}
            controls, statuses = target.form.controls, set()
            for button in target.buttons:  # one of them may only show what would happen
                pairs = fill(target.form, old, button)
                page = target.intruder.attack(target.action, pairs, what="stale", typed=controls)
                statuses.add(page.status)
            assert statuses & {409, 422}, (target.action, statuses)
            assert statuses <= {200, 409, 422}, (target.action, statuses)
            stale += 1
    assert stale > 3
    assert field.problems == ""


def _older(form: object, name: str) -> str:
    (value,) = {c.value for c in form.controls if c.name == name}  # type: ignore[attr-defined]
    return "0" if value.isdigit() else "2001-01-01T00:00:00+00:00"


@SIZES
def test_two_clicks_and_two_tabs_end_in_one_deed_or_in_a_sentence(field: Field, size: str) -> None:
    """Every form is sent twice as it stands, the second time from a tab that was opened before the first."""
    twice = 0
    targets = list_targets(field)
    for target in some(random.Random(SEED), targets, 12) if size == "some" else targets:
        client, path = target.intruder.client, target.action
        pairs = fill(target.form, {})
        data = {n: [as_text(v) for m, v in pairs if m == n] for n, _ in pairs}
        first = client.post(path, data=data)
        second = target.intruder.shoot("POST", path, what="the second click", data=data)
        assert first.status_code < 500 or first.status_code == 502, path
        # "Refused, and yet it wrote" speaks of the first click here.
        target.intruder.problems[:] = [
            p for p in target.intruder.problems if "yet it wrote" not in p
        ]
        twice += second.status < 500
    assert twice > 9
    assert field.problems == ""


# ---- letters


def _letters(app: Flask) -> Iterator[Message]:
    with app.app_context():
        yield from product_db.session.scalars(select(Message))
        product_db.session.remove()


BREAKS = [v for v in VALUES if isinstance(v, str) and ("\n" in v or "\r" in v) and v.strip()]


def test_no_letter_gets_a_header_from_what_was_typed(field: Field) -> None:
    """Of somebody put down by hand: whatever becomes a name, a subject or an address."""
    sent = [*BREAKS, "=?utf-8?q?=0ABcc:_x=40example.org?=", "\u2028Bcc: x@example.org"]
    path = f"/organize/events/{field.world.with_dinner.id}/registrations/add"  # there is room
    form = field.intruders["owner"].get(path).form("reason")
    for text in sent:
        _put_down(field, path, form, text=text, email="u.n@example.org")
        (m,) = [m for m in _letters(field.world.app) if m.to_email == "u.n@example.org"]
        assert "\n" not in f"{m.to_name}{m.to_email}{m.subject}{m.reply_to}"
        parsed = message_from_bytes(_as_sent(field.world.app, m), policy=SMTP)
        assert not {"bcc", "x-planted", "cc"} & {name.lower() for name in parsed.keys()}  # noqa: SIM118
        assert [a.addr_spec for a in parsed["To"].addresses] == ["u.n@example.org"]
        field.ground.restore(field.ground.changed())
    assert len(sent) > 4


def _put_down(field: Field, path: str, form: Form, *, text: str, email: str) -> None:
    names = {"first_name": f"U{text[:60]}", "last_name": f"N{text[:60]}"}
    values = {**names, "email": email, "reason": text, "payment": "none"}
    pairs = fill(form, values)
    data = {n: [as_text(v) for m, v in pairs if m == n] for n, _ in pairs}
    assert field.intruders["owner"].client.post(path, data=data).status_code == 303


def _as_sent(app: Flask, m: Message) -> bytes:
    known = {f.name: getattr(m, f.name) for f in dataclasses.fields(Letter)}
    with app.app_context():
        return _Message(Letter(**{**known, "links": {}})).as_bytes()
