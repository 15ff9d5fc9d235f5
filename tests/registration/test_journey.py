"""The pages from the choice of places to the order, without scripts: works, each refusal, not yours."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from regsys.events.kinds import Enrollment, EventKind, Visibility
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel import tokens
from regsys.kernel.db import transaction
from regsys.outbox.models import Message
from regsys.questions.queries import list_answers
from regsys.registration import services
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.cast import a_person, list_people, make_event
from tests.registration.guest import ABOUT, GUEST, WHO, Guest
from tests.support import hostile
from tests.support.visitor import Page

FREE = {"Seat": 0}


@pytest.fixture
def guest(client: FlaskClient, db: Any, clock: Any) -> Guest:
    return Guest(client)


def order_of(db: Any) -> Order:
    db.session.rollback()
    return db.session.scalars(select(Order).order_by(Order.id.desc())).first()


def plain(page: Page) -> str:
    text = re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[1])
    return " ".join(text.replace("\u00a0", " ").split())


def value(page: Page, name: str) -> str:
    form = page.form(name)
    return next(c.value for c in form.controls if c.name == name)


# ---- works


def test_one_person_registers_for_a_free_event(guest: Guest, db: Any) -> None:
    event = make_event(types=FREE, title="Tuesday Circle", kind=EventKind.OPEN_ENROLLMENT_GROUP)
    cast.make_question(event, "goals", label="What do you hope for?")
    cast.make_question(event, "word", "agreement", required=True, terms="Every **word** stays.")
    page = guest.take(event)
    assert (page.title, "Step 2 of 4." in plain(page)) == ("Who are you?", True)
    page = guest.describe(page)
    assert page.title == "About you"
    assert "<strong>word</strong>" in page.text
    page = guest.fill(page, {"profession": "Nurse", "q_goals": "To listen", "q_word": "y"})
    assert page.title == "One last look"
    for words in ("Lysander Saltmarsh", "lysander@example.org", "To listen", "Nothing to pay."):
        assert words in plain(page), words
    page = guest.place(page)
    assert page.title == "You have a place, Lysander"
    assert page.path.startswith("/o/")
    order = order_of(db)
    assert [r.state for r in list_people(order)] == [S.CONFIRMED]
    assert guest.get("/cart").headers["Location"] == f"/o/{order.token}"


def test_three_people_two_types_one_payment(guest: Guest, db: Any) -> None:
    event = make_event(types={"Standard": (92000, 99000), "Trainee": 66000}, early_places=1)
    page = guest.take(event, 2, 1)
    assert page.title == "Who pays?"
    page = guest.describe(page, **{f"mine_{event.id}": str(event.ticket_types[0].id)})
    assert page.title == "Who comes? Person 1 of 2"
    page = guest.fill(page, GUEST)
    assert page.title == "Who comes? Person 2 of 2"
    page = guest.fill(page, {"first_name": "C", "last_name": "D", "email": "c@example.org"})
    assert page.title == "About you"
    page = guest.fill(page, ABOUT)
    assert page.title == "Review and pay"
    for words in (
        "Standard, early price: Lysander Saltmarsh $920.00 Early price: one of the first 1 places.",
        "Standard: Undine Nutkin $990.00 Regular price.",
        "Trainee: C D $660.00",
        "To pay now $2,570.00",
    ):
        assert words in plain(page), words
    assert "They answer their own questions by their own link." in plain(page)
    paying = guest.place(page)
    order = order_of(db)
    assert (paying.status, paying.headers["Location"]) == (307, f"/o/{order.token}/pay")
    assert [r.state for r in list_people(order)] == [S.AWAITING_PAYMENT] * 3
    again = guest.client.post("/cart/place", data={"csrf_token": value(page, "csrf_token")})
    assert (again.status_code, again.headers["Location"]) == (307, f"/o/{order.token}/pay")


def test_a_payer_who_does_not_come_has_three_steps(guest: Guest, db: Any) -> None:
    event = make_event(types=FREE)
    page = guest.describe(guest.take(event), **{f"mine_{event.id}": "no"})
    assert (page.title, "Step 2 of 3." in plain(page)) == ("Who comes?", True)
    page = guest.fill(page, GUEST)
    assert "Step 3 of 3." in plain(page)
    assert "Who pays Lysander Saltmarsh" in plain(page)
    page = guest.place(page)
    assert page.title == "Everything is confirmed"
    kinds = db.session.execute(select(Message.kind, Message.to_email).order_by(Message.id)).all()
    assert [tuple(k) for k in kinds] == [
        ("confirmation", "undine@example.org"),
        ("order_confirmed", "lysander@example.org"),
    ]


def test_two_events_in_one_cart_ask_nothing_twice(guest: Guest, db: Any) -> None:
    first, second = make_event(types=FREE, title="First"), make_event(types=FREE, title="Second")
    guest.take(first)
    page = guest.get(f"/events/{second.slug}/register")
    assert "One place is held for you already: First." in plain(page)
    page = guest.take(second)
    both = {f"mine_{e.id}": str(e.ticket_types[0].id) for e in (first, second)}
    page = guest.describe(page, **both)
    page = guest.fill(page, ABOUT)
    assert (page.title, value(page, "workplace")) == ("About you", "Wheatgrass Clinics")
    page = guest.fill(page, {})
    assert page.title == "One last look"
    guest.place(page)
    assert [r.event_id for r in list_people(order_of(db))] == [first.id, second.id]


def test_going_back_shows_what_was_written(guest: Guest, db: Any) -> None:
    event = make_event()
    cast.make_question(event, "goals")
    cast.make_question(event, "allergy", sensitive=True)
    guest.register(event, q_goals="To listen", q_allergy="walnuts")
    page = guest.get("/cart/people/0")
    assert (value(page, "email"), value(page, "phone")) == (WHO["email"], "")
    page = guest.get("/cart/answers/1")
    assert (value(page, "q_goals"), value(page, "q_allergy")) == ("To listen", "")
    review = guest.fill(page, {"q_goals": "To learn"})
    assert "walnuts" not in page.text + review.text
    assert "1 saved." in plain(review)
    (r,) = list_people(order_of(db))
    assert {k: a.stored for k, a in list_answers([r.id])[r.id].items()} == {
        "goals": "To learn",
        "allergy": "walnuts",
    }


def test_half_a_form_is_kept_through_a_refusal_and_on_another_device(
    guest: Guest, db: Any, client: FlaskClient
) -> None:
    event = make_event()
    cast.make_question(event, "goals")
    cast.make_question(event, "years", "number")
    cast.make_question(event, "allergy", sensitive=True)
    page = guest.describe(guest.take(event))
    half = {
        "workplace": "Copperline",
        "q_goals": "To listen",
        "q_years": "many",
        "q_allergy": "nuts",
    }
    assert guest.send(page, half, names=["profession"]).status == 422
    phone = Guest(client.application.test_client())
    page = phone.go(phone.get(f"/o/{order_of(db).token}"))
    page = phone.get("/cart/answers/1")
    kept = [value(page, name) for name in ("workplace", "q_goals", "q_years", "q_allergy")]
    assert kept == ["Copperline", "To listen", "", ""]
    assert list_people(order_of(db))[0].answered_at is None


def test_places_are_changed_and_given_back(guest: Guest, db: Any) -> None:
    event = make_event(places=3)
    guest.take(event, 3)
    page = guest.get("/cart")
    assert page.title == "Your 3 places"
    page = guest.go(guest.send(page, action="/cart/remove"))
    assert page.title == "Your 2 places"
    assert (
        value(guest.get(f"/events/{event.slug}/register"), f"places_{event.ticket_types[0].id}")
        == "2"
    )
    guest.take(event, 1)
    page = guest.go(guest.send(guest.get("/cart"), action="/cart/remove"))
    assert page.title == "No place is held for you"


def test_a_place_given_back_by_mistake_comes_back_with_its_person_once(
    guest: Guest, db: Any, clock: Any
) -> None:
    event = make_event(places=1, types=FREE)
    cast.make_question(event, "goals")
    guest.fill(guest.describe(guest.take(event)), {**ABOUT, "q_goals": "To listen"})
    clock.move(seconds=20)
    page = guest.go(guest.send(guest.get("/cart"), action="/cart/remove"))
    assert "The place of Lysander Saltmarsh is given back." in plain(page)
    clock.move(seconds=20)
    again = guest.send(page, action="/cart/put-back")
    assert guest.send(page, action="/cart/put-back").status == 303
    assert guest.go(again).title == "Your place"
    assert "To listen" in plain(guest.get("/cart/review"))
    assert [r.state for r in list_people(order_of(db))] == [S.CANCELLED, S.DRAFT]


def test_what_somebody_else_took_meanwhile_does_not_come_back(
    guest: Guest, db: Any, clock: Any
) -> None:
    event = make_event(places=1)
    guest.describe(guest.take(event))
    clock.move(seconds=20)
    page = guest.go(guest.send(guest.get("/cart"), action="/cart/remove"))
    cast.make_cart(event)
    page = guest.go(guest.send(page, action="/cart/put-back"))
    assert page.title == "No place is held for you"
    assert "All places are taken" in plain(page)


def test_the_link_to_a_cart_is_mailed_once_and_opens_it_elsewhere_with_what_is_saved(
    app: Any, guest: Guest, db: Any
) -> None:
    event = make_event(types=FREE)
    page = guest.describe(guest.take(event))
    page = guest.send(
        page, {"profession": "Nurse, half typed"}, "later", names=["csrf_token"], action="/cart/"
    )
    assert (page.status, value(page, "profession")) == (200, "Nurse, half typed")
    assert "on its way to lysander@example.org" in plain(page)
    guest.fill(page, ABOUT)
    guest.go(guest.send(guest.get("/cart"), action="/cart/link"))
    (letter,) = db.session.scalars(select(Message)).all()
    assert (letter.kind, letter.to_email, letter.order_id) == ("cart_link", WHO["email"], None)
    other = Guest(app.test_client())
    page = other.go(other.get("/" + letter.links["order"].split("/", 3)[3]))
    assert page.title == "Your place"
    assert "Wheatgrass Clinics" in plain(other.get("/cart/review"))


def test_the_page_shows_price_and_reason(guest: Guest, db: Any) -> None:
    types = {"Standard": (92000, 99000), "Room": 120000}
    event = make_event(places=4, types=types, early_places=2, own_places={"Room": 1})
    page = guest.get(f"/events/{event.slug}/register")
    for words in (
        "Standard: $920.00",
        "Early price, 2 of 2 left; the regular price is $990.00.",
        "1 of these are left.",
        "4 of 4 places left",
    ):
        assert words in plain(page), words
    form = page.form("csrf_token")
    chosen = {c.name: c.value for c in form.controls if c.name.startswith("places_")}
    assert list(chosen.values()) == ["1", "0"]
    assert [len(c.options) for c in form.controls if c.name in chosen] == [5, 2]


# ---- refusals


def test_full_is_said_plainly(guest: Guest, db: Any) -> None:
    event = make_event(places=1)
    page = guest.get(f"/events/{event.slug}/register")
    cast.make_order(event)
    late = guest.send(page, names=["csrf_token"])
    assert (late.status, late.title) == (409, "No place is free at this moment")
    later = guest.get(f"/events/{event.slug}/register")
    assert (later.status, later.title) == (200, "No place is free at this moment")
    assert "Nothing was charged." in plain(later)


def test_too_few_places_keep_the_choice(guest: Guest, db: Any) -> None:
    event = make_event(places=3)
    page = guest.get(f"/events/{event.slug}/register")
    cast.make_order(event)
    name = f"places_{event.ticket_types[0].id}"
    page = guest.send(page, {name: "3"}, names=[name])
    assert page.status == 409
    assert "Only 2 of these places are left." in plain(page)
    assert value(page, name) == "3"


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": EventState.CANCELLED}, "This event will not take place."),
        ({"state": EventState.CLOSED}, "takes no registrations any more"),
        ({"enrollment": Enrollment.EXTERNAL}, "elsewhere"),
        ({"enrollment": Enrollment.CONTACT_LEADER}, "write to the leader"),
        ({"enrollment": Enrollment.APPLICATION}, "Places here are given by application."),
    ],
)
def test_where_nothing_is_on_sale_there_is_no_form(
    guest: Guest, db: Any, changes: dict[str, Any], words: str
) -> None:
    event = make_event(**changes)
    page = guest.get(f"/events/{event.slug}/register")
    assert words in plain(page)
    assert page.forms == []


def test_hidden_events_are_not_there(guest: Guest, db: Any) -> None:
    draft = make_event(state=EventState.DRAFT)
    private = make_event(
        visibility=Visibility.PRIVATE_LINK, private_key_hash=tokens.hash_token("k3y")
    )
    for slug in (draft.slug, private.slug, "nothing-like-it"):
        assert guest.get(f"/events/{slug}/register").status == 404
        assert guest.client.post(f"/events/{slug}/register").status_code in (400, 404)
    assert guest.get(f"/events/{private.slug}?key=k3y").status == 200
    assert guest.get(f"/events/{private.slug}/register").status == 200


def test_another_currency_waits_for_its_own_order(guest: Guest, db: Any) -> None:
    guest.take(make_event())
    euros = make_event(currency="EUR")
    page = guest.send(f"/events/{euros.slug}/register", names=["csrf_token"])
    assert page.status == 409
    assert "in USD, and this event is priced in EUR" in plain(page)


def test_missing_answers_are_named_and_everything_else_is_kept(guest: Guest, db: Any) -> None:
    event = make_event()
    page = guest.take(event)
    page = guest.send(page, {**WHO, "email": "nobody"}, names=["email"])
    assert page.status == 422
    assert 'href="#email"' in page.text
    assert (value(page, "first_name"), value(page, "email")) == ("Lysander", "nobody")
    page = guest.describe(guest.get("/cart/people/0"))
    page = guest.send(
        page, {"profession": "Nurse", "credentials": "", "workplace": ""}, names=["profession"]
    )
    assert page.status == 422
    assert "If you have none yet, write “student”." in plain(page)
    assert value(page, "profession") == "Nurse"


def test_an_address_that_is_here_already_learns_nothing_on_the_page(guest: Guest, db: Any) -> None:
    event = make_event(types=FREE)
    cast.make_confirmed(event, [a_person("Secret Person", WHO["email"])])
    page = guest.send(guest.take(event), WHO, names=["email"])
    assert page.status == 409
    assert (
        "This address can't be used again here; if it is yours, we have mailed you its link."
        in plain(page).replace("&#39;", "'")
    )
    assert "Secret" not in page.text
    assert value(page, "last_name") == "Saltmarsh"
    db.session.rollback()
    letter = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert (letter.kind, letter.to_email) == ("existing_link", WHO["email"])


def test_trying_addresses_is_limited(guest: Guest, db: Any) -> None:
    event = make_event(types=FREE)
    cast.make_confirmed(event, [a_person("Secret Person", WHO["email"])])
    page = guest.take(event)
    answers = [guest.send(page, WHO, names=["email"]).status for _ in range(13)]
    assert answers == [409] * 12 + [429]
    letters = select(func.count()).select_from(Message).where(Message.kind == "existing_link")
    db.session.rollback()
    assert db.session.scalar(letters) == 1


def test_steps_cannot_be_skipped(guest: Guest, db: Any) -> None:
    for path in (
        "/cart/review",
        "/cart/people/0",
        "/cart/people/1",
        "/cart/answers/1",
        "/cart/next",
    ):
        assert guest.go(guest.get(path)).title == "No place is held for you"
    guest.take(make_event())
    assert guest.go(guest.get("/cart/review")).path == "/cart/people/0"
    assert guest.go(guest.get("/cart/answers/1")).path == "/cart/people/0"
    token = value(guest.get("/cart/people/0"), "csrf_token")
    response = guest.client.post("/cart/place", data={"csrf_token": token})
    assert response.headers["Location"] == "/cart/next"
    assert order_of(db).placed_at is None
    assert guest.get("/cart/people/2").status == 404
    assert guest.get("/cart/answers/7").status == 404


# ---- the time is over


def test_typing_after_the_time_is_over_loses_nothing(guest: Guest, db: Any, clock: Any) -> None:
    event = make_event()
    page = guest.describe(guest.take(event))
    clock.move(minutes=31)
    page = guest.fill(page, ABOUT)
    assert (page.path, page.title) == ("/cart", "Your place was let go")
    assert "Nothing was charged, and nothing is lost." in plain(page)
    page = guest.go(guest.send(page, action="/cart/again"))
    assert page.title == "Review and pay"
    assert "Wheatgrass Clinics" in plain(page)
    assert "You have your places again." in plain(page)


def test_when_the_places_are_gone_what_was_typed_is_still_kept(
    guest: Guest, db: Any, clock: Any
) -> None:
    event = make_event(places=1)
    guest.register(event)
    clock.move(minutes=31)
    page = guest.go(guest.get("/cart/review"))
    other = cast.make_order(event, [a_person("A B")])
    page = guest.send(page, action="/cart/again")
    assert page.status == 409
    assert "All places are taken or held at the moment." in plain(page)
    with transaction():
        services.remove_person(other.id, list_people(other)[0].id, actor=cast.STRIPE, now=clock.now)
    page = guest.go(guest.send(page, action="/cart/again"))
    assert page.title == "Review and pay"


def test_placing_after_the_time_is_over_places_nothing(guest: Guest, db: Any, clock: Any) -> None:
    page = guest.register(make_event())
    clock.move(minutes=31)
    assert guest.place(page).title == "Your place was let go"
    assert order_of(db).placed_at is None


@pytest.mark.parametrize("step", ["payer", "person", "answers"])
def test_more_time_in_the_middle_of_a_form_keeps_what_was_typed(
    guest: Guest, db: Any, clock: Any, step: str
) -> None:
    event = make_event()
    page = guest.take(event, 2)
    if step != "payer":
        page = guest.describe(page, **{f"mine_{event.id}": str(event.ticket_types[0].id)})
    if step == "answers":
        page = guest.fill(page, GUEST)
    clock.move(minutes=25)
    field = "profession" if step == "answers" else "first_name"
    page = guest.send(page, {field: "Half writ"}, "extend", names=[field])
    assert page.status == 200
    assert "held for another 20 minutes" in plain(page)
    assert value(page, field) == "Half writ"
    assert "Give me 15 more minutes" not in page.text
    page = guest.send(page, {field: "Half writ"}, names=[field], more=[("extend", "1")])
    assert "The time was made longer once already." in plain(page)


def test_more_time_on_the_review(guest: Guest, db: Any, clock: Any) -> None:
    page = guest.register(make_event())
    page = guest.go(guest.send(page, action="/cart/extend"))
    assert "held for another 45 minutes" in plain(page)
    assert "extend" not in page.text


def test_choosing_again_on_the_page_of_the_event_after_a_lapse(
    guest: Guest, db: Any, clock: Any
) -> None:
    event = make_event()
    guest.register(event)
    clock.move(minutes=31)
    page = guest.get(f"/events/{event.slug}/register")
    assert "What you wrote is kept" in plain(page)
    assert guest.take(event).title == "Review and pay"


# ---- not yours, and hostile


def test_a_cart_belongs_to_its_browser(app: Any, guest: Guest, db: Any) -> None:
    guest.register(make_event())
    stranger = Guest(app.test_client())
    assert stranger.go(stranger.get("/cart/review")).title == "No place is held for you"
    with stranger.client.session_transaction() as session:
        session["cart"] = "made-up"
    assert stranger.go(stranger.get("/cart")).title == "No place is held for you"
    with stranger.client.session_transaction() as session:
        session["cart"] = {"not": "text"}
    assert stranger.go(stranger.get("/cart")).title == "No place is held for you"


def test_forms_without_a_token_change_nothing(guest: Guest, db: Any) -> None:
    event = make_event()
    guest.register(event)
    for path in ("/cart/place", "/cart/remove", "/cart/extend", "/cart/again", "/cart/people/0"):
        assert guest.client.post(path, data=WHO).status_code == 400, path
    assert guest.client.post(f"/events/{event.slug}/register").status_code == 400
    assert order_of(db).placed_at is None


@pytest.mark.in_turn
@pytest.mark.parametrize("sent", hostile.TEXTS, ids=range(len(hostile.TEXTS)))
def test_hostile_text_goes_through_every_step(guest: Guest, db: Any, sent: str) -> None:
    event = make_event(types=FREE)
    cast.make_question(event, "goals", "long_text")
    name = f"places_{event.ticket_types[0].id}"
    page = guest.send(f"/events/{event.slug}/register", {name: sent}, names=[name])
    assert page.status in (303, 409, 422), plain(page)
    page = guest.take(event)
    short = sent[:90]
    names = {"first_name": short, "last_name": short, "phone": sent}
    page = guest.send(page, {**WHO, **names, "email": sent}, names=["email"])
    assert page.status in (303, 422)
    page = guest.send("/cart/people/0", {**WHO, **names, f"mine_{event.id}": sent}, names=["email"])
    assert page.status in (303, 422)
    page = guest.send("/cart/people/0", {**WHO, "phone": ""}, names=["email"])
    page = guest.go(page)
    filled = {
        "profession": short,
        "badge_name": short,
        "q_goals": sent,
        **dict.fromkeys(ABOUT, short),
    }
    page = guest.send(page, filled, names=["profession"])
    assert page.status in (303, 422)
    page = guest.go(
        guest.send("/cart/answers/1", {**ABOUT, "q_goals": sent[:4000]}, names=["profession"])
    )
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    page = guest.place(page)
    assert page.title == "You have a place, Lysander"


@pytest.mark.parametrize(
    "path", ["/cart/people/99999999999999999999", "/cart/answers/0", "/cart/people/11"]
)
def test_odd_addresses_are_not_there(guest: Guest, db: Any, path: str) -> None:
    guest.register(make_event())
    assert guest.get(path).status == 404


def test_fields_that_no_form_has_change_nothing(guest: Guest, db: Any) -> None:
    event, other = make_event(types=FREE), make_event(types=FREE)
    page = guest.take(event)
    more = [("price", "0"), ("state", "confirmed"), (f"mine_{other.id}", "1"), ("q_nothing", "x")]
    page = guest.go(guest.send(page, WHO, names=["email"], more=more))
    page = guest.go(guest.send(page, ABOUT, names=["profession"], more=more))
    assert page.title == "One last look"
    (r,) = list_people(order_of(db))
    assert (r.state, r.event_id) == (S.DRAFT, event.id)
    assert db.session.scalar(select(func.count()).select_from(Registration)) == 1


def test_a_changed_price_meets_a_promise(guest: Guest, db: Any, clock: Any) -> None:
    event = make_event(
        types={"Standard": (92000, 99000)}, early_until=clock.now + timedelta(minutes=10)
    )
    page = guest.register(event)
    clock.move(minutes=20)
    with transaction():
        db.session.get(Event, event.id).ticket_types[0].prices[0].amount = 1
    assert "To pay now $920.00" in plain(guest.get(page.path))
