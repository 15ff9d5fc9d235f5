"""Who pays and who comes: one address, one live place in an event, and nothing shown to others."""

from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.kernel.actors import attendee
from regsys.kernel.db import transaction
from regsys.kernel.errors import Invalid, NotFound, Refusal, Refused
from regsys.outbox.models import Message
from regsys.registration import queries, rules, services
from regsys.registration.models import Order
from regsys.registration.services import Person
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.cast import a_person, list_people, make_cart, make_event
from tests.support.typist import Typist

ME = Person("Lysander", "Saltmarsh", "Lysander@Example.org")
ABOUT = {"profession": "Physician", "credentials": "MD", "workplace": "Clinic"}


def pay(order: Order, now: datetime, who: Person = ME, **mine: int | None) -> Refusal | None:
    types = {int(k.removeprefix("event")): v for k, v in mine.items()}
    with transaction():
        return services.describe_payer(order.id, who, phone="1 2 3 4 5", mine=types, now=now)


def name(order: Order, n: int, who: Person, now: datetime) -> Refusal | None:
    with transaction():
        return services.describe_person(order.id, list_people(order)[n].id, who, now=now)


def letters(db: Any) -> list[Message]:
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def mine(event: Any, n: int = 0) -> dict[str, int]:
    return {f"event{event.id}": event.ticket_types[n].id}


# ---- the payer


def test_the_payer_may_be_one_of_the_people(db: Any, now: datetime) -> None:
    event = make_event()
    cart = make_cart(event, quantities={"Standard": 2})
    assert pay(cart, now, **mine(event)) is None
    first, second = list_people(cart)
    assert (first.name, first.email, first.email_key, first.is_payer, first.phone) == (
        "Lysander Saltmarsh",
        "Lysander@Example.org",
        "lysander@example.org",
        True,
        "1 2 3 4 5",
    )
    assert (second.name, second.email_key, second.is_payer) == ("", None, False)
    assert (cart.payer_name, cart.email) == ("Lysander Saltmarsh", "Lysander@Example.org")


def test_the_payer_may_be_none_of_them(db: Any, now: datetime) -> None:
    event = make_event()
    cart = make_cart(event)
    assert pay(cart, now, **{f"event{event.id}": None}) is None
    assert [r.email for r in list_people(cart)] == [""]
    assert cart.email == "Lysander@Example.org"


def test_the_payer_may_change_their_mind(db: Any, now: datetime) -> None:
    event = make_event(types={"A": 1000, "B": 2000})
    cart = make_cart(event, quantities={"A": 1, "B": 1})
    pay(cart, now, **mine(event, 0))
    cast.make_answers(list_people(cart)[0])
    pay(cart, now, **mine(event, 1))
    a, b = list_people(cart)
    assert (a.email, a.profession, a.answered_at, a.is_payer) == ("", "", None, False)
    assert (b.email_key, b.is_payer) == ("lysander@example.org", True)
    pay(cart, now, **{f"event{event.id}": None})
    assert [r.email for r in list_people(cart)] == ["", ""]


def test_the_payer_takes_no_place_that_has_a_name(db: Any, now: datetime) -> None:
    event = make_event()
    cart = make_cart(event)
    pay(cart, now, **{f"event{event.id}": None})
    name(cart, 0, a_person("Undine Nutkin"), now)
    with pytest.raises(Refused) as refused:
        pay(cart, now, **mine(event))
    assert refused.value.refusal is rules.ALL_NAMED
    assert list_people(cart)[0].first_name == "Undine"


def test_a_new_address_of_the_payer_goes_to_order_and_place(db: Any, now: datetime) -> None:
    event = make_event()
    cart = make_cart(event)
    pay(cart, now, **mine(event))
    pay(cart, now, Person("Lys", "Saltmarsh", "new@example.org"), **mine(event))
    assert [r.email for r in list_people(cart)] == ["new@example.org"]
    assert cart.email == "new@example.org"


def test_one_person_comes_to_two_events(db: Any, now: datetime) -> None:
    first, second = make_event(), make_event()
    cart = make_cart(second, cart=make_cart(first))
    assert pay(cart, now, **mine(first), **mine(second)) is None
    assert [r.is_payer for r in list_people(cart)] == [True, True]


# ---- one address, one place


def test_two_people_of_one_cart_need_two_addresses(db: Any, now: datetime) -> None:
    event = make_event()
    cart = make_cart(event, quantities={"Standard": 2})
    pay(cart, now, **mine(event))
    twin = Person("Twin", "Saltmarsh", " LYSANDER@example.org")
    assert name(cart, 1, twin, now) is rules.SAME_PERSON_TWICE
    assert letters(db) == []


@pytest.mark.parametrize("spelling", ["undine@example.org", "UNDINE@EXAMPLE.ORG"])
def test_an_address_that_is_here_already_is_refused_and_gets_its_link(
    db: Any, now: datetime, spelling: str
) -> None:
    event = make_event()
    there = cast.make_confirmed(event, [a_person("Undine Nutkin", "Undine@example.org")])
    before = len(letters(db))
    cart = make_cart(event)
    refusal = pay(cart, now, Person("Somebody", "Else", spelling), **mine(event))
    assert refusal is rules.EMAIL_TAKEN
    assert (cart.email, list_people(cart)[0].email) == ("", "")
    (letter,) = letters(db)[before:]
    assert (letter.to_email, letter.kind) == ("Undine@example.org", "existing_link")
    assert letter.links == {"own": f"http://127.0.0.1:5000/r/{list_people(there)[0].token}"}
    assert "Else" not in letter.text + letter.html


def test_an_address_gets_one_letter_an_hour(db: Any, clock: Any) -> None:
    event = make_event()
    cast.make_confirmed(event, [a_person("Undine Nutkin")])
    before = len(letters(db))
    cart = make_cart(event, minutes=240)
    for _try in range(3):
        assert pay(cart, clock.now, a_person("Undine Nutkin"), **mine(event))
    assert len(letters(db)) == before + 1
    clock.move(hours=1)
    assert pay(cart, clock.now, a_person("Undine Nutkin"), **mine(event))
    assert len(letters(db)) == before + 2


def test_a_draft_of_somebody_else_gives_away_no_link(db: Any, now: datetime) -> None:
    event = make_event()
    other = make_cart(event)
    pay(other, now, Person("P", "Ayer", "payer@example.org"), **{f"event{event.id}": None})
    name(other, 0, a_person("Undine Nutkin"), now)
    assert pay(make_cart(event), now, a_person("Undine Nutkin"), **mine(event)) is rules.EMAIL_TAKEN
    (letter,) = letters(db)
    assert letter.links == {}
    assert "begun" in letter.text
    assert (letter.order_id, letter.registration_id) == (None, None)


def test_a_draft_of_ones_own_gets_the_link_to_go_on(db: Any, now: datetime) -> None:
    event = make_event()
    other = make_cart(event)
    pay(other, now, **mine(event))
    assert pay(make_cart(event), now, **mine(event)) is rules.EMAIL_TAKEN
    assert letters(db)[0].links == {"own": f"http://127.0.0.1:5000/o/{other.token}"}


def test_a_lapsed_hold_under_the_same_address_is_let_go(db: Any, clock: Any) -> None:
    event = make_event(places=1)
    order = cast.make_order(event, [a_person("Undine Nutkin")])
    clock.move(minutes=31)
    cart = make_cart(event)
    assert pay(cart, clock.now, a_person("Undine Nutkin"), **mine(event)) is None
    assert [r.state for r in list_people(order)] == [S.EXPIRED]
    assert [m.kind for m in letters(db)] == ["hold_expired"]


def test_a_place_under_payment_is_not_let_go(db: Any, clock: Any) -> None:
    event = make_event()
    order = cast.make_order(event, [a_person("Undine Nutkin")])
    with transaction():
        services.hold_for_checkout(order.id, now=clock.now)
    clock.move(minutes=31)
    refusal = pay(make_cart(event), clock.now, a_person("Undine Nutkin"), **mine(event))
    assert refusal is rules.EMAIL_TAKEN
    assert [r.state for r in list_people(order)] == [S.AWAITING_PAYMENT]


def test_ended_places_free_their_address(db: Any, now: datetime) -> None:
    event = make_event(types={"Standard": 0})
    order = cast.make_confirmed(event, [a_person("Undine Nutkin")])
    with transaction():
        services.cancel_unpaid(
            list_people(order)[0].id,
            event_id=event.id,
            reason="asked",
            actor=attendee("x"),
            now=now,
        )
    assert pay(make_cart(event), now, a_person("Undine Nutkin"), **mine(event)) is None


def test_the_same_address_may_come_to_another_event(db: Any, now: datetime) -> None:
    cast.make_confirmed(make_event(), [a_person("Undine Nutkin")])
    event = make_event()
    assert pay(make_cart(event), now, a_person("Undine Nutkin"), **mine(event)) is None


# ---- limits


def test_a_placed_order_is_no_longer_described(db: Any, now: datetime) -> None:
    event = make_event()
    order = cast.make_order(event)
    with pytest.raises(Refused):
        pay(order, now, **mine(event))
    with pytest.raises(Refused):
        name(order, 0, ME, now)


def test_a_place_of_another_cart_is_not_there(db: Any, now: datetime) -> None:
    event = make_event()
    cart, other = make_cart(event), make_cart(event)
    with pytest.raises(NotFound), transaction():
        services.describe_person(cart.id, list_people(other)[0].id, ME, now=now)


def test_what_is_typed_after_the_time_was_over_is_kept(db: Any, clock: Any) -> None:
    event = make_event()
    cart = make_cart(event)
    clock.move(minutes=31)
    with transaction():
        services.expire_lapsed(cart.id, now=clock.now)
    assert pay(cart, clock.now, **mine(event)) is None
    cast.make_answers(list_people(cart)[0])
    (r,) = list_people(cart)
    assert (r.state, r.first_name, r.profession) == (S.EXPIRED, "Lysander", "Physician")


# ---- answers


def answer(r: Any, now: datetime, about: dict[str, str] = ABOUT, **values: Any) -> None:
    with transaction():
        services.answer(
            r.order_id, r.id, about=about, values=values, kept=[], actor=attendee(r.name), now=now
        )


def test_answering_marks_the_time_and_tells_the_audit_nothing_private(db: Any, clock: Any) -> None:
    event = make_event()
    cast.make_question(event, "allergy", sensitive=True)
    order = cast.make_confirmed(event, [a_person("A B"), a_person("C D")])
    guest = list_people(order)[1]
    assert guest.answered_at is None
    answer(guest, clock.move(hours=1), allergy="walnuts")
    assert list_people(order)[1].answered_at == clock.now
    answer(guest, clock.move(hours=1), {**ABOUT, "city": "Spokane"})
    entries = list(
        db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("registration.answer%")))
    )
    assert [(e.action, e.after) for e in entries] == [
        ("registration.answered", {"about": ["profession", "credentials", "workplace"]}),
        ("registration.answers_changed", {"about": ["city"]}),
    ]
    assert "walnuts" not in str([(e.before, e.after, e.reason) for e in entries])


def test_what_certificates_need_is_demanded_on_the_server(db: Any, now: datetime) -> None:
    order = cast.make_confirmed(make_event(), [a_person("A B"), a_person("C D")])
    guest = list_people(order)[1]
    with pytest.raises(Invalid) as invalid:
        answer(guest, now, {"profession": "Nurse"})
    assert sorted(invalid.value.fields) == ["credentials", "workplace"]
    assert list_people(order)[1].profession == ""


def test_answers_end_with_the_event_and_with_the_place(db: Any, clock: Any) -> None:
    event = make_event(types={"Standard": 0})
    order = cast.make_confirmed(event, [a_person("A B")])
    (r,) = list_people(order)
    clock.to(event.ends_at)
    with pytest.raises(Refused) as refused:
        answer(r, clock.now)
    assert refused.value.refusal is rules.NO_MORE_ANSWERS


def test_the_other_people_are_not_asked_in_the_cart(db: Any, now: datetime) -> None:
    event = make_event()
    cast.make_question(event, "word", "agreement", required=True)
    cart = make_cart(event, quantities={"Standard": 2})
    pay(cart, now, **{f"event{event.id}": None})
    name(cart, 0, a_person("A B"), now)
    name(cart, 1, a_person("C D"), now)
    assert queries.get_held(cart.id, now=now).next_step[0] is rules.Step.REVIEW


@pytest.mark.once
def test_whose_answers_an_organizer_changes_is_told_why_and_no_answer(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event = make_event()
    cast.make_question(event, "goals")
    (r,) = list_people(cast.make_confirmed(event, [a_person("A B")]))
    cast.sign_in(client, "registrar")
    typist = Typist(client)
    page = typist.get(f"/organize/events/{event.id}/registrations/{r.id}/answers")
    changes = {"workplace": "A boat", "q_goals": "MARKED"}
    assert typist.send(page, {**changes, "reason": ""}, names=["reason"]).status == 422
    assert typist.send(page, {**changes, "reason": "He rang"}, names=["reason"]).status == 303
    db.session.rollback()
    (told,) = db.session.scalars(select(Message).where(Message.kind == "answers_changed"))
    assert "He rang" in told.text
    assert "MARKED" not in told.text
    assert list_people(r.order)[0].workplace == "A boat"
