"""The two secret links: the payer's page and one person's own."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select

from regsys.events.kinds import EventMode
from regsys.kernel.actors import STRIPE
from regsys.kernel.db import transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.ledger.states import Problem
from regsys.outbox.models import Message
from regsys.questions.queries import list_answers
from regsys.registration import services
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.cast import a_person, list_people, make_event, make_order
from tests.registration.guest import ABOUT, Guest
from tests.support import hostile
from tests.support.visitor import Page

TWO = [a_person("Ada Bell"), a_person("Cyd Dorn")]
FREE = {"Seat": 0}


@pytest.fixture
def guest(client: FlaskClient, db: Any, clock: Any) -> Guest:
    return Guest(client)


def plain(page: Page) -> str:
    text = re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[1])
    return " ".join(text.replace("\u00a0", " ").split())


def people(db: Any, order: Order) -> list[Registration]:
    db.session.rollback()
    return list_people(order)


def hold(order: Order, clock: Any) -> None:
    with transaction():
        services.hold_for_checkout(order.id, now=clock.now)


# ---- the payer's page


def test_an_order_to_pay_says_until_when_and_how_much(guest: Guest, db: Any) -> None:
    event = make_event(title="Spring Intensive")
    order = make_order(event, TWO)
    page = guest.get(f"/o/{order.token}")
    assert page.title == "Your places are held: now the payment"
    for words in (
        "The places are held until Tue 24 Nov 2026, 9:30 AM PST",
        "Your 2 places are held for another 30 minutes",
        "Pay $1,980.00",
        "Ada Bell",
        "Still to pay $1,980.00",
    ):
        assert words in plain(page), words
    assert page.form(action=f"/o/{order.token}/pay")


def test_an_order_under_payment_holds_and_can_be_paid_on(guest: Guest, db: Any, clock: Any) -> None:
    order = make_order(make_event(), TWO)
    hold(order, clock)
    clock.move(hours=2)
    page = guest.get(f"/o/{order.token}")
    assert page.title == "Your payment is not here yet"
    assert "The places stay held" in plain(page)
    assert page.form(action="/pay")
    assert "/remove" not in page.text


def test_a_confirmed_order_says_who_has_not_answered(guest: Guest, db: Any) -> None:
    event = make_event()
    order = cast.make_confirmed(event, TWO)
    mine, theirs = people(db, order)
    page = guest.get(f"/o/{order.token}")
    assert page.title == "You have a place, Ada"
    for words in (
        "Confirmed and paid",
        "Still open for Cyd Dorn.",
        "Questions are still open: cyd.dorn@example.org has a letter with the link.",
        "Paid on Tue 24 Nov 2026 $1,980.00",
        "Your 2 chairs",
    ):
        assert words in plain(page), words
    assert mine.token in page.text
    assert theirs.token not in page.text
    assert "/pay" not in page.text


def test_the_payer_sees_names_and_amounts_and_no_answer(guest: Guest, db: Any) -> None:
    event = make_event(types=FREE)
    cast.make_question(event, "goals")
    cast.make_question(event, "allergy", sensitive=True)
    order = cast.make_confirmed(event, TWO, payer=a_person("P Ayer"))
    for r in list_people(order):
        cast.make_answers(r, goals="to hear less", allergy="walnuts")
    page = guest.get(f"/o/{order.token}")
    assert page.title == "Everything is confirmed"
    for private in ("to hear less", "walnuts", "Copperline", *(r.token for r in people(db, order))):
        assert private not in page.text, private


def test_one_person_is_taken_off_before_paying(guest: Guest, db: Any, clock: Any) -> None:
    order = make_order(make_event(), TWO)
    page = guest.get(f"/o/{order.token}")
    guest_id = str(list_people(order)[1].id)
    page = guest.go(guest.send(page, {"place": guest_id}, action="/remove"))
    assert "Pay $990.00" in plain(page)
    assert "Given back: Cyd Dorn -$990.00" in plain(page)
    assert [r.state for r in people(db, order)] == [S.AWAITING_PAYMENT, S.CANCELLED]
    assert "/remove" not in page.text


def test_nobody_is_taken_off_an_old_page_while_a_payment_is_open(
    guest: Guest, db: Any, clock: Any
) -> None:
    order = make_order(make_event(), TWO)
    old = guest.get(f"/o/{order.token}")
    hold(order, clock)
    page = guest.send(old, action="/remove")
    assert page.status == 409
    assert "A payment page is open for this order." in plain(page)


def test_a_person_of_another_order_cannot_be_taken_off(guest: Guest, db: Any) -> None:
    event = make_event()
    order, other = make_order(event, TWO), make_order(event, [a_person("E F")])
    page = guest.get(f"/o/{order.token}")
    foreign = str(list_people(other)[0].id)
    assert guest.send(page, {"place": foreign}, action="/remove").status == 404
    assert [r.state for r in people(db, other)] == [S.AWAITING_PAYMENT]


def test_after_the_time_one_begins_again_with_everybody(guest: Guest, db: Any, clock: Any) -> None:
    event = make_event()
    order = make_order(event, TWO)
    clock.move(minutes=31)
    page = guest.get(f"/o/{order.token}")
    assert page.title == "The places were let go"
    assert "Nothing was charged" in plain(page)
    again = guest.go(guest.send(page, action="/again"))
    assert again.title == "Review and pay"
    assert "Cyd Dorn" in plain(again)
    assert guest.go(guest.send(page, action="/again")).title == "Review and pay"
    db.session.rollback()
    assert len(list(db.session.scalars(select(Order)))) == 2
    assert guest.get(f"/o/{order.token}").title == "The places were let go"


def test_beginning_again_is_refused_where_places_are_gone(
    guest: Guest, db: Any, clock: Any
) -> None:
    event = make_event(places=2)
    order = make_order(event, TWO)
    clock.move(minutes=31)
    make_order(event, [a_person("E F")])
    page = guest.send(guest.get(f"/o/{order.token}"), action="/again")
    assert page.status == 409
    assert "Only 1 of these places are left." in plain(page)


def test_a_payment_that_needs_a_person_is_shown(guest: Guest, db: Any, clock: Any) -> None:
    order = make_order(make_event())
    with transaction():
        payment = ledger.record_payment(
            order.id, amount=99000, currency="USD", method=Method.CARD, actor=STRIPE, now=clock.now
        )
        ledger.mark_problem(payment.id, Problem.MISMATCH, actor=STRIPE, now=clock.now)
    page = guest.get(f"/o/{order.token}")
    assert "This payment is set aside" in plain(page)
    assert "Still to pay $990.00" in plain(page)


def test_a_cart_behind_its_link_goes_on_in_this_browser(guest: Guest, db: Any) -> None:
    cart = cast.make_cart(make_event())
    page = guest.go(guest.get(f"/o/{cart.token}"))
    assert (page.path, page.title) == ("/cart", "Your place")


@pytest.mark.parametrize("path", ["/o/nothing", "/r/nothing", "/r/nothing/calendar.ics", "/o/%00"])
def test_wrong_links_open_nothing(guest: Guest, db: Any, path: str) -> None:
    cast.make_confirmed(make_event())
    assert guest.get(path).status == 404


def test_links_of_one_kind_do_not_open_the_other(guest: Guest, db: Any) -> None:
    order = cast.make_confirmed(make_event())
    (r,) = people(db, order)
    assert guest.get(f"/o/{r.token}").status == 404
    assert guest.get(f"/r/{order.token}").status == 404
    assert guest.get(f"/r/{r.token_hash}").status == 404


# ---- one person's own page


def own(guest: Guest, db: Any, event: Any, **more: Any) -> tuple[Registration, Page]:
    order = cast.make_confirmed(event, TWO, payer=a_person("P Ayer"), **more)
    r = people(db, order)[1]
    return r, guest.get(f"/r/{r.token}")


def test_open_questions_are_asked_at_once(guest: Guest, db: Any, clock: Any) -> None:
    event = make_event(types=FREE)
    cast.make_question(event, "allergy", sensitive=True)
    cast.make_question(event, "word", "agreement", required=True)
    r, page = own(guest, db, event)
    assert page.title == "You have a place, Cyd"
    assert "We need these from you yourself." in plain(page)
    wrong = guest.send(page, {**ABOUT, "q_word": ""}, names=["profession"])
    assert wrong.status == 422
    assert "We need your word on this: Word" in plain(wrong)
    clock.move(minutes=5)
    values = {**ABOUT, "q_allergy": "walnuts", "q_word": "y"}
    page = guest.go(guest.send(page, values, names=["profession"]))
    assert "Your answers are saved. Thank you." in plain(page)
    assert "1 saved." in plain(page)
    assert "walnuts" not in page.text
    db.session.rollback()
    answers = list_answers([r.id])[r.id]
    assert {k: a.stored for k, a in answers.items()} == {"allergy": "walnuts", "word": True}
    assert answers["word"].answered_at == clock.now


def test_answers_change_and_agreements_stay(guest: Guest, db: Any, clock: Any) -> None:
    event = make_event(types=FREE)
    cast.make_question(event, "allergy", sensitive=True)
    cast.make_question(event, "word", "agreement", required=True)
    r, page = own(guest, db, event)
    guest.send(page, {**ABOUT, "q_allergy": "walnuts", "q_word": "y"}, names=["profession"])
    given = clock.now
    clock.move(days=1)
    page = guest.get(f"/r/{r.token}?edit=1")
    assert "You agreed on Tue 24 Nov 2026." in plain(page)
    assert "walnuts" not in page.text
    guest.send(page, {"city": "Yakima"}, names=["profession"])
    db.session.rollback()
    answers = list_answers([r.id])[r.id]
    assert (answers["allergy"].stored, answers["word"].answered_at) == ("walnuts", given)
    page = guest.get(f"/r/{r.token}?edit=1")
    guest.send(page, {"clear_allergy": "y"}, names=["profession"])
    db.session.rollback()
    assert list(list_answers([r.id])[r.id]) == ["word"]


def test_the_join_link_is_for_the_confirmed(guest: Guest, db: Any, clock: Any) -> None:
    event = make_event(mode=EventMode.ONLINE, join_link="https://meet.example.org/s3cret")
    order = make_order(event)
    (r,) = list_people(order)
    waiting = guest.get(f"/r/{r.token}")
    assert waiting.title == "A place is held for you, Lysander"
    assert "s3cret" not in waiting.text
    assert guest.get(f"/r/{r.token}/calendar.ics").status == 404
    with transaction():
        services.confirm_paid(order.id, actor=STRIPE, now=clock.now)
    assert "https://meet.example.org/s3cret" in guest.get(f"/r/{r.token}").text
    assert "s3cret" not in guest.get(f"/o/{order.token}").text
    with transaction():
        ended = list_people(order)[0]
        ended.price = 0
        services.cancel_unpaid(ended.id, event_id=event.id, reason="x", actor=STRIPE, now=clock.now)
    gone = guest.get(f"/r/{r.token}")
    assert gone.title == "You have no place here now"
    assert "s3cret" not in gone.text


def test_a_hold_that_is_over_says_so_to_the_guest(guest: Guest, db: Any, clock: Any) -> None:
    order = make_order(make_event(), TWO)
    r = list_people(order)[1]
    clock.move(minutes=31)
    page = guest.get(f"/r/{r.token}")
    assert page.title == "You have no place here now"
    assert "was not paid in time" in plain(page)


def test_the_calendar_entry_is_for_everybody_who_has_a_place(guest: Guest, db: Any) -> None:
    event = make_event()
    r, page = own(guest, db, event)
    assert f"/r/{r.token}/calendar.ics" in page.text
    file = guest.get(f"/r/{r.token}/calendar.ics")
    assert file.headers["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(file.text)
    (entry,) = calendar.walk("VEVENT")
    assert (calendar["method"], entry["uid"]) == ("PUBLISH", f"registration-{r.id}@127.0.0.1")
    assert entry["dtstart"].dt == event.starts_at


def test_answers_close_with_the_event(guest: Guest, db: Any, clock: Any) -> None:
    event = make_event(types=FREE)
    r, page = own(guest, db, event)
    clock.to(event.ends_at + timedelta(minutes=1))
    late = guest.client.post(f"/r/{r.token}", data={**ABOUT, "csrf_token": "x"})
    assert late.status_code == 400
    page = guest.get(f"/r/{r.token}?edit=1")
    assert "profession" not in page.text


def test_the_letter_is_sent_again_within_limits(guest: Guest, db: Any, clock: Any) -> None:
    r, page = own(guest, db, make_event(types=FREE))
    answers = []
    for _try in range(4):
        clock.move(minutes=2)
        answers.append(guest.send(page, action="/resend").status)
    assert answers == [303, 303, 303, 429]
    db.session.rollback()
    sent = db.session.scalars(select(Message.to_email).where(Message.registration_id == r.id))
    assert list(sent) == ["cyd.dorn@example.org"] * 4


def test_nothing_is_resent_for_a_place_that_is_not_confirmed(guest: Guest, db: Any) -> None:
    r = list_people(make_order(make_event()))[0]
    token = next(
        c.value
        for c in guest.get(f"/r/{r.token}?edit=1").form("csrf_token").controls
        if c.name == "csrf_token"
    )
    response = guest.client.post(f"/r/{r.token}/resend", data={"csrf_token": token})
    assert response.status_code == 409


@pytest.mark.in_turn
@pytest.mark.parametrize("sent", hostile.TEXTS, ids=range(len(hostile.TEXTS)))
def test_hostile_answers_are_text_or_named(guest: Guest, db: Any, sent: str) -> None:
    event = make_event(types=FREE)
    cast.make_question(event, "goals", "long_text")
    r, page = own(guest, db, event)
    page = guest.send(page, {**ABOUT, "q_goals": sent, "city": sent}, names=["profession"])
    assert page.status in (303, 422)
    page = guest.get(f"/r/{r.token}?edit=1")
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


def test_pages_behind_secret_links_send_no_referrer(guest: Guest, db: Any) -> None:
    order = cast.make_confirmed(make_event())
    (r,) = people(db, order)
    for path in (f"/o/{order.token}", f"/r/{r.token}"):
        assert guest.get(path).headers["Referrer-Policy"] == "no-referrer"
