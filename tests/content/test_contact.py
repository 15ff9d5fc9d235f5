"""Writing to the society: nothing that a person types is lost, and nothing hostile goes further."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.content.kinds import InquiryKind
from regsys.content.models import Inquiry
from regsys.events.kinds import Enrollment, EventKind, PublicContact, Visibility
from regsys.events.models import Event
from regsys.outbox.models import Message
from tests import cast

LETTER = {
    "name": "Hester Pomeroy-Lunt",
    "email": "hester@example.org",
    "phone": "+1 253 555 0111",
    "message": "May I watch?\n\nI use a walker.",
}


def open_form(client: FlaskClient, path: str = "/contact") -> dict[str, str]:
    """Open the form and return its hidden fields."""
    html = client.get(path).get_data(as_text=True)
    names = ("csrf_token", "started")
    return {n: re.search(rf'name="{n}"[^>]*value="([^"]+)"', html)[1] for n in names}  # type: ignore[index]


def send(client: FlaskClient, clock: Any, path: str = "/contact", **changes: Any) -> Any:
    """Open the form, take a while, and send it."""
    hidden = open_form(client, path)
    clock.move(seconds=30)
    return client.post(path, data={**LETTER, **hidden, **changes})


def inquiries(db: Any) -> list[Inquiry]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(Inquiry).order_by(Inquiry.id)))


def letters(db: Any) -> list[Message]:
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def test_a_message_is_kept_and_mailed_to_the_society(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    answer = send(client, clock)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/contact/thanks?kind=general")
    (inquiry,) = inquiries(db)
    assert inquiry.kind is InquiryKind.GENERAL
    assert (inquiry.name, inquiry.email, inquiry.phone) == tuple(LETTER.values())[:3]
    assert inquiry.message == LETTER["message"]
    assert inquiry.received_at == clock.now
    assert inquiry.answered_at is None
    (letter,) = letters(db)
    assert (letter.to_email, letter.reply_to) == ("circle@example.org", "hester@example.org")
    assert letter.subject == "A question, from Hester Pomeroy-Lunt"
    assert "I use a walker." in letter.text
    assert "I use a walker." in letter.html
    assert f"/organize/inquiries/{inquiry.id}" in letter.text
    assert "Thank you" in client.get(answer.headers["Location"]).get_data(as_text=True)


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("general", []),
        ("speaker", ["organisation", "place", "people", "wished_dates"]),
        ("on_the_road", ["organisation", "place", "people", "wished_dates"]),
        ("start_a_group", ["organisation", "place", "people"]),
        ("nonsense", []),
        ("to_leader", []),
    ],
)
def test_the_form_asks_for_what_fits(
    kind: str, fields: list[str], client: FlaskClient, db: Any
) -> None:
    html = client.get(f"/contact?kind={kind}").get_data(as_text=True)
    asked = re.findall(r'name="(organisation|place|people|wished_dates)"', html)
    assert asked == fields


def test_an_invitation_carries_what_one_needs_to_answer(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    wanted = {
        "organisation": "Cold Creek Nursing Association",
        "place": "Walla Walla",
        "people": "60",
        "wished_dates": "Thu 29 Apr or 6 May",
    }
    assert send(client, clock, "/contact?kind=speaker", **wanted).status_code == 303
    (inquiry,) = inquiries(db)
    assert inquiry.kind is InquiryKind.SPEAKER
    assert (inquiry.organisation, inquiry.place) == (
        "Cold Creek Nursing Association",
        "Walla Walla",
    )
    assert (inquiry.people, inquiry.wished_dates) == (60, "Thu 29 Apr or 6 May")
    (letter,) = letters(db)
    assert letter.subject == "A speaker or a demonstration, from Hester Pomeroy-Lunt"
    for said in wanted.values():
        assert said in letter.text


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("path", "changes", "sentence"),
    [
        ("/contact", {"name": " "}, "Please write your name."),
        ("/contact", {"email": "hester"}, "This does not look like an e-mail address."),
        ("/contact", {"email": "a@example.org, b@example.org"}, "does not look like an e-mail"),
        (
            "/contact",
            {"email": "a@example.org\r\nBcc: b@example.org"},
            "does not look like an e-mail",
        ),
        ("/contact", {"email": "ä@example.org"}, "does not look like an e-mail"),
        ("/contact", {"message": "\x00\x01"}, "Please write a message."),
        ("/contact", {"message": "x" * 5001}, "At most 5000 characters, please."),
        (
            "/contact?kind=speaker",
            {"organisation": "", "place": "Here"},
            "the name of your organisation",
        ),
        (
            "/contact?kind=on_the_road",
            {"organisation": "A", "place": "B"},
            "Please write how many people",
        ),
        ("/contact?kind=speaker", {"people": "many"}, "How many people"),
        ("/contact?kind=speaker", {"people": "-4"}, "Please write a number of people, like 12."),
        (
            "/contact?kind=speaker",
            {"people": "9" * 400},
            "Please write a number of people, like 12.",
        ),
        ("/contact", {"trap": "buy this"}, "Please leave the field that says so empty"),
        ("/contact", {"started": "1.forged"}, "Please send your message once more."),
        ("/contact", {"started": ""}, "Please send your message once more."),
    ],
)
def test_a_refusal_keeps_every_word(
    path: str, changes: dict[str, str], sentence: str, client: FlaskClient, db: Any, clock: Any
) -> None:
    answer = send(client, clock, path, **changes)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in html
    if "message" not in changes:
        assert "I use a walker." in html
    if "name" not in changes:
        assert 'value="Hester Pomeroy-Lunt"' in html
    assert inquiries(db) == []
    assert letters(db) == []


def test_what_is_sent_in_no_time_comes_back_and_can_be_sent_again(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    hidden = open_form(client)
    clock.move(seconds=1)
    answer = client.post("/contact", data={**LETTER, **hidden})
    assert answer.status_code == 422
    assert "quicker than people write" in answer.get_data(as_text=True)
    clock.move(seconds=5)
    assert client.post("/contact", data={**LETTER, **hidden}).status_code == 303
    assert len(inquiries(db)) == 1


def test_a_form_that_lost_its_stamp_gets_a_new_one(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    hidden = open_form(client)
    answer = client.post("/contact", data={**LETTER, **hidden, "started": "gone"})
    stamp = re.search(r'name="started"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
    assert stamp is not None
    clock.move(seconds=5)
    again = client.post("/contact", data={**LETTER, **hidden, "started": stamp[1]})
    assert again.status_code == 303


def test_too_many_messages_are_refused_kindly_and_kept_on_the_page(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    clock.to(clock.now.replace(minute=0))
    for _ in range(8):
        assert send(client, clock).status_code == 303
    answer = send(client, clock)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 3000
    assert "Many messages came from where you are" in answer.get_data(as_text=True)
    assert "I use a walker." in answer.get_data(as_text=True)
    assert len(inquiries(db)) == 8
    clock.move(hours=1)
    assert send(client, clock).status_code == 303


def test_nothing_is_taken_without_the_token_of_the_form(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    hidden = open_form(client)
    clock.move(seconds=30)
    assert client.post("/contact", data={**LETTER, "started": hidden["started"]}).status_code == 400
    assert inquiries(db) == []


def test_hostile_text_is_text(client: FlaskClient, db: Any, clock: Any) -> None:
    nasty = "Ann\r\nBcc: everyone@example.org\x00<script>alert(1)</script>"
    message = "<img src=x onerror=alert(1)>\n[[link:order]] {{ 7 * 7 }} %(name)s\n.\nQUIT\x00"
    answer = send(client, clock, name=nasty, phone="1\n2", message=message)
    assert answer.status_code == 303
    (inquiry,) = inquiries(db)
    assert inquiry.name == "Ann Bcc: everyone@example.org<script>alert(1)</script>"
    assert inquiry.phone == "1 2"
    (letter,) = letters(db)
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "<script>" not in letter.html
    assert "<img" not in letter.html
    assert "{{ 7 * 7 }} %(name)s" in letter.text
    cast.sign_in(client, "registrar")
    page = client.get(f"/organize/inquiries/{inquiry.id}").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "<img src=x" not in page


# ---- to a leader


def leader_event(contact: PublicContact = PublicContact.FORM, **changes: Any) -> Event:
    event = cast.make_event(
        title="Lunch Group",
        kind=EventKind.OPEN_ENROLLMENT_GROUP,
        enrollment=Enrollment.CONTACT_LEADER,
        types={},
        **changes,
    )
    cast.make_leader(event, "Isolde Brookfielding", contact=contact, email="isolde@example.org")
    return event


def test_a_message_reaches_the_leader_without_showing_the_address(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    event = leader_event()
    cast.make_leader(event, "Quiet One", contact=PublicContact.NONE, email="quiet@example.org")
    cast.make_leader(event, "Not Public", contact=PublicContact.FORM, public=False)
    path = f"/contact?kind=to_leader&event={event.slug}"
    html = client.get(path).get_data(as_text=True)
    assert "Your message goes to Isolde Brookfielding." in html
    assert "isolde@example.org" not in html
    answer = send(client, clock, path)
    assert answer.headers["Location"] == "/contact/thanks?kind=to_leader"
    (letter,) = letters(db)
    assert (letter.to_email, letter.reply_to) == ("isolde@example.org", "hester@example.org")
    assert "Lunch Group" in letter.text
    assert "/organize/" not in letter.text
    (inquiry,) = inquiries(db)
    assert (inquiry.kind, inquiry.event_id) == (InquiryKind.TO_LEADER, event.id)


def test_a_message_to_a_leader_who_takes_none_goes_to_the_society(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    event = leader_event(PublicContact.PHONE)
    path = f"/contact?kind=to_leader&event={event.slug}"
    assert "goes to the society, which passes it on" in client.get(path).get_data(as_text=True)
    assert send(client, clock, path).status_code == 303
    assert [m.to_email for m in letters(db)] == ["circle@example.org"]


def test_nobody_writes_to_the_leaders_of_an_event_they_may_not_see(
    client: FlaskClient, db: Any, clock: Any
) -> None:
    event = leader_event(visibility=Visibility.PRIVATE_LINK)
    for slug in (event.slug, "no-such-event", "%00"):
        assert client.get(f"/contact?kind=to_leader&event={slug}").status_code == 404
    hidden = open_form(client)
    clock.move(seconds=30)
    path = f"/contact?kind=to_leader&event={event.slug}"
    assert client.post(path, data={**LETTER, **hidden}).status_code == 404
    assert letters(db) == []
