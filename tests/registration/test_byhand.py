"""What organizers do with one registration: the verbs and their pages."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.events.queries import places_of
from regsys.events.states import EventState
from regsys.kernel.actors import Actor
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.outbox.models import Message
from regsys.registration import queries, services
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.cast import a_person, list_people, make_event
from tests.registration.guest import Guest

DESK = Actor("user", 1, "Tilda Marchbanks")
PERSON = {"first_name": "Undine", "last_name": "Nutkin", "email": "undine@example.org"}


def add(
    event: Any, now: datetime, *, to_pay: bool = True, who: str = "Undine Nutkin"
) -> Registration:
    with transaction():
        return services.add_by_hand(
            event.id,
            a_person(who),
            ticket_type_id=event.ticket_types[0].id,
            to_pay=to_pay,
            reason="rang us",
            actor=DESK,
            now=now,
        )


def letters(db: Any) -> list[Message]:
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def cancel(r: Registration, now: datetime) -> None:
    with transaction():
        services.cancel_unpaid(
            r.id, event_id=r.event_id, reason="the group is mixed anew", actor=DESK, now=now
        )


def refused(call: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value.refusal.name


# ---- adding


def test_a_place_without_payment_is_confirmed_at_once(db: Any, now: datetime) -> None:
    event = make_event(places=2)
    r = add(event, now, to_pay=False)
    assert (r.state, r.price, r.note, r.code) == (S.CONFIRMED, 0, "rang us", f"{r.order.code}-1")
    assert queries.due(r.order_id).total == 0
    assert places_of([event.id], now=now)[event.id].taken == 1
    assert [(m.kind, m.to_email) for m in letters(db)] == [
        ("confirmation", "undine.nutkin@example.org")
    ]
    assert "answers" in letters(db)[0].text


def test_a_place_to_pay_is_held_for_a_week_with_a_mailed_link(db: Any, clock: Any) -> None:
    event = make_event()
    r = add(event, clock.now)
    assert (r.state, r.price) == (S.AWAITING_PAYMENT, 99000)
    ends = queries.list_ends([r.id], now=clock.now)
    assert ends == {r.id: clock.now + timedelta(days=7)}
    (letter,) = letters(db)
    assert (letter.kind, letter.links) == (
        "pay_link",
        {"order": f"http://127.0.0.1:5000/o/{r.order.token}"},
    )
    assert "$990.00" in letter.text
    with transaction():
        assert services.hold_for_checkout(r.order_id, now=clock.move(days=6)).amount == 99000


@pytest.mark.parametrize("state", [EventState.PUBLISHED, EventState.CLOSED])
def test_opening_times_do_not_stand_in_the_way(db: Any, now: datetime, state: EventState) -> None:
    event = make_event(state=state, opens_at=now + timedelta(days=3), closes_at=now)
    assert add(event, now).state is S.AWAITING_PAYMENT


def test_full_places_and_known_addresses_do(db: Any, now: datetime) -> None:
    event = make_event(places=2)
    add(event, now, to_pay=False)
    assert refused(add, event, now) == "EmailHere"
    add(event, now, who="Another One")
    assert refused(add, event, now, who="One Toomany") == "Full"
    assert len(list(db.session.scalars(select(Registration)))) == 2


def test_an_event_that_will_not_be_takes_nobody(db: Any, now: datetime) -> None:
    assert refused(add, make_event(state=EventState.CANCELLED), now) == "EventCancelled"


def test_a_type_of_another_event_is_not_there(db: Any, now: datetime) -> None:
    event, other = make_event(), make_event()
    with pytest.raises(NotFound), transaction():
        services.add_by_hand(
            event.id, a_person("A B"), ticket_type_id=other.ticket_types[0].id, to_pay=True,
            reason="", actor=DESK, now=now,
        )  # fmt: skip


# ---- cancelling


def test_an_unpaid_place_is_cancelled_with_a_letter(db: Any, now: datetime) -> None:
    event = make_event(places=1)
    r = add(event, now)
    cancel(r, now)
    (r,) = list_people(r.order)
    assert (r.state, r.ended_by, r.end_reason) == (
        S.CANCELLED,
        "Tilda Marchbanks",
        "the group is mixed anew",
    )
    assert places_of([event.id], now=now)[event.id].left == 1
    assert queries.due(r.order_id).total == 0
    letter = letters(db)[-1]
    assert (letter.kind, letter.attachments) == ("cancelled", [])
    assert "the group is mixed anew" in letter.text


def test_a_confirmed_free_place_is_taken_off_the_calendar(db: Any, now: datetime) -> None:
    r = add(make_event(), now, to_pay=False)
    cancel(r, now)
    (attached,) = next(m for m in letters(db) if m.kind == "cancelled").attachments
    assert "method=CANCEL" in attached["type"]
    assert "METHOD:CANCEL" in attached["text"]
    assert "STATUS:CANCELLED" in attached["text"]
    assert "SEQUENCE:1" in attached["text"]


def test_a_paid_place_is_not_cancelled_here(db: Any, now: datetime) -> None:
    order = cast.make_confirmed(make_event())
    (r,) = list_people(order)
    assert refused(cancel, r, now) == "PaidPlace"
    assert list_people(order)[0].state is S.CONFIRMED


def test_a_place_under_payment_is_not_cancelled(db: Any, now: datetime) -> None:
    order = cast.make_order(make_event())
    with transaction():
        services.hold_for_checkout(order.id, now=now)
    assert refused(cancel, list_people(order)[0], now) == "PaymentOpen"


def test_a_place_is_cancelled_once(db: Any, now: datetime) -> None:
    r = add(make_event(), now)
    cancel(r, now)
    assert refused(cancel, r, now) == "GoneAlready"


# ---- contact data, notes, letters


def edit(r: Registration, now: datetime, **data: str) -> bool:
    with transaction():
        return services.edit_contact(r.id, data, event_id=r.event_id, actor=DESK, now=now)


def test_contact_data_are_mended_and_written_down(db: Any, now: datetime) -> None:
    r = add(make_event(), now, to_pay=False)
    token = r.token
    assert edit(r, now, first_name="Ondine", last_name="Nutkin", city="Spokane") is False
    (r,) = list_people(r.order)
    assert (r.name, r.city, r.token, r.order.first_name) == (
        "Ondine Nutkin",
        "Spokane",
        token,
        "Ondine",
    )
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "registration.contact_changed")
    ).one()
    assert (entry.before, entry.after) == (
        {"first_name": "Undine", "city": ""},
        {"first_name": "Ondine", "city": "Spokane"},
    )
    assert edit(r, now, first_name="Ondine") is False
    assert len(letters(db)) == 1


def test_a_mistyped_address_pays_by_nobody_elses_link(
    db: Any, client: FlaskClient, now: datetime
) -> None:
    """The link to pay was mailed to a stranger: it opens nothing any more, and the right person gets it."""
    r = add(make_event(), now)
    old = r.order.token
    assert edit(r, now, email="undine.n@example.org") is True
    (r,) = list_people(r.order)
    assert r.order.token != old
    assert client.get(f"/o/{old}").status_code == 404
    assert client.get(f"/o/{r.order.token}").status_code == 200
    told = db.session.scalars(select(Message).order_by(Message.id)).all()
    assert [(m.kind, m.to_email) for m in told] == [
        ("pay_link", "undine.nutkin@example.org"),
        ("pay_link", "undine.n@example.org"),
    ]
    assert r.order.token in str(told[-1].links)


def test_a_new_address_gets_a_new_link_and_the_old_one_opens_nothing(
    db: Any, client: FlaskClient, now: datetime
) -> None:
    r = add(make_event(), now, to_pay=False)
    old = r.token
    assert edit(r, now, email="right@example.org") is True
    (r,) = list_people(r.order)
    assert (r.email_key, r.order.email) == ("right@example.org", "right@example.org")
    assert client.get(f"/r/{old}").status_code == 404
    assert client.get(f"/r/{r.token}").status_code == 200
    assert letters(db)[-1].to_email == "right@example.org"
    assert r.token in letters(db)[-1].links["own"]


def test_another_spelling_of_the_same_address_is_no_new_one(db: Any, now: datetime) -> None:
    r = add(make_event(), now, to_pay=False)
    assert edit(r, now, email="Undine.Nutkin@EXAMPLE.org") is False
    assert list_people(r.order)[0].email == "Undine.Nutkin@EXAMPLE.org"


def test_an_address_that_is_taken_is_refused(db: Any, now: datetime) -> None:
    event = make_event()
    add(event, now, who="A B")
    r = add(event, now)
    assert refused(edit, r, now, email="A.B@example.org") == "EmailHere"


def test_a_note_stays_out_of_the_audit(db: Any, now: datetime) -> None:
    r = add(make_event(), now)
    with transaction():
        services.write_note(r.id, "comes by train", event_id=r.event_id, actor=DESK, now=now)
    assert list_people(r.order)[0].note == "comes by train"
    entries = [
        (e.action, str(e.before), str(e.after)) for e in db.session.scalars(select(AuditEntry))
    ]
    assert entries[-1][0] == "registration.note_changed"
    assert "train" not in str(entries)


def test_a_registration_of_another_event_is_not_there(db: Any, now: datetime) -> None:
    r, other = add(make_event(), now), make_event()
    with pytest.raises(NotFound), transaction():
        services.write_note(r.id, "x", event_id=other.id, actor=DESK, now=now)
    with pytest.raises(NotFound), transaction():
        services.cancel_unpaid(r.id, event_id=other.id, reason="", actor=DESK, now=now)
    with pytest.raises(NotFound), transaction():
        services.edit_contact(r.id, PERSON, event_id=other.id, actor=DESK, now=now)


# ---- the pages


def path(event: Any, rest: str) -> str:
    return f"/organize/events/{event.id}/registrations/{rest}"


def test_an_organizer_adds_somebody(client: FlaskClient, db: Any, now: datetime) -> None:
    event = make_event()
    cast.sign_in(client, "registrar")
    desk = Guest(client)
    kind = str(event.ticket_types[0].id)
    wrong = desk.send(path(event, "add"), {"email": "nobody", "reason": ""}, names=["reason"])
    assert wrong.status == 422
    assert "Say why, in a few words." in wrong.text
    values = {**PERSON, "ticket_type": kind, "payment": "none", "reason": "rang us"}
    done = desk.go(desk.send(path(event, "add"), values, names=["reason"]))
    assert (done.status, "Undine Nutkin" in done.text) == (200, True)
    twice = desk.send(path(event, "add"), values, names=["reason"])
    assert twice.status == 422
    assert "registered for this event already" in twice.text
    db.session.rollback()  # ends the test's own snapshot
    (r,) = db.session.scalars(select(Registration))
    assert (r.state, r.note) == (S.CONFIRMED, "rang us")


def test_an_organizer_cancels_writes_resends_and_mends(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    event = make_event()
    r = add(event, clock.now, to_pay=False)
    cast.sign_in(client, "registrar", event=event)
    desk = Guest(client)
    page = desk.send(path(event, f"{r.id}/contact"), {"city": "Yakima"}, names=["city"])
    assert page.status == 303
    page = desk.send(path(event, f"{r.id}/note"), {"note": "vegetarian"}, names=["note"])
    assert page.status == 303
    clock.move(minutes=2)
    page = desk.go(page)
    assert desk.send(page, action=f"/{r.id}/resend").status == 303
    page = desk.send(
        path(event, f"{r.id}/cancel"), {"reason": "asked", "sure": ""}, names=["reason"]
    )
    assert page.status == 422
    ticked = {"reason": "asked", "sure": "y"}
    page = desk.send(path(event, f"{r.id}/cancel"), ticked, names=["reason"])
    assert page.status == 303
    db.session.rollback()
    (r,) = list_people(r.order)
    assert (r.state, r.city, r.note, r.end_reason) == (S.CANCELLED, "Yakima", "vegetarian", "asked")
    assert [m.kind for m in letters(db)] == [
        "confirmation", "confirmation", "cancelled", "place_free",
    ]  # fmt: skip


def test_a_paid_place_is_refused_in_words(client: FlaskClient, db: Any, now: datetime) -> None:
    event = make_event()
    (r,) = list_people(cast.make_confirmed(event))
    cast.sign_in(client, "registrar")
    ticked = {"reason": "asked", "sure": "y"}
    page = Guest(client).send(path(event, f"{r.id}/cancel"), ticked, names=["reason"])
    assert page.status == 409
    assert "A paid place is cancelled together with its refund" in page.text


PAGES = ["add", "{id}/contact", "{id}/note", "{id}/cancel"]


@pytest.mark.in_turn
@pytest.mark.parametrize("rest", [*PAGES, "{id}/resend"])
@pytest.mark.parametrize("role", ["treasurer", "leader", "registrar"])
def test_other_people_and_organizers_of_other_events_get_nowhere(
    client: FlaskClient, db: Any, now: datetime, rest: str, role: str
) -> None:
    event, other = make_event(), make_event()
    r = add(event, now, to_pay=False)
    cast.sign_in(client, role, event=other if role != "leader" else event)
    address = path(event, rest.format(id=r.id))
    assert client.post(address, data=PERSON).status_code in (400, 403)
    if rest != "{id}/resend":
        assert client.get(address).status_code == 403
    foreign = path(other, rest.format(id=r.id))
    if role == "registrar" and rest in PAGES[1:]:
        assert client.get(foreign).status_code == 404
    assert len(letters(db)) == 1


@pytest.mark.parametrize("rest", PAGES)
def test_visitors_are_sent_to_sign_in(
    client: FlaskClient, db: Any, now: datetime, rest: str
) -> None:
    event = make_event()
    r = add(event, now)
    response = client.get(path(event, rest.format(id=r.id)))
    assert response.status_code == 303
    assert response.headers["Location"].startswith("/signin?next=")
