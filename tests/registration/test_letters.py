"""What the letters say, and the calendar entry in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select

from regsys.events.kinds import EventMode
from regsys.events.models import Event
from regsys.kernel.db import transaction
from regsys.outbox.models import Message
from regsys.registration import ics, services
from tests import cast
from tests.cast import a_person, list_people, make_event

WEEK = timedelta(days=7)
# Two Tuesdays before and two after the clocks change on Sun 14 Mar 2027: 6:30 PM in Seattle each time.
TUESDAYS = [
    datetime(2027, 3, 3, 2, 30, tzinfo=UTC),
    datetime(2027, 3, 10, 2, 30, tzinfo=UTC),
    datetime(2027, 3, 17, 1, 30, tzinfo=UTC),
    datetime(2027, 3, 24, 1, 30, tzinfo=UTC),
]
LENGTH = timedelta(minutes=90)


def letter(db: Any, kind: str = "confirmation") -> Message:
    query = select(Message).where(Message.kind == kind).order_by(Message.id)
    return db.session.scalars(query).first()


def entry(message: Message) -> Any:
    (attached,) = message.attachments
    calendar = Calendar.from_ical(attached["text"])
    (component,) = calendar.walk("VEVENT")
    return calendar, component


def series(**changes: Any) -> Event:
    return make_event(
        types={"Seat": 0},
        sessions=[(t, t + LENGTH) for t in TUESDAYS],
        starts_at=TUESDAYS[0],
        ends_at=TUESDAYS[-1] + LENGTH,
        **changes,
    )


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_a_confirmation_says_when_where_and_what(db: Any, now: datetime) -> None:
    venue = cast.make_venue()
    event = make_event(
        title="Spring Intensive", venue_id=venue.id, refund_terms="Half until **March**."
    )
    order = cast.make_confirmed(event, [a_person("Lysander Saltmarsh")])
    (r,) = list_people(order)
    m = letter(db)
    assert m.subject == "You have a place: Spring Intensive"
    assert (m.to_name, m.registration_id, m.order_id, m.event_id) == (
        "Lysander Saltmarsh", r.id, order.id, event.id,
    )  # fmt: skip
    for words in (
        "Dear Lysander,",
        "When     Thu 22 Apr 2027, 10:00 AM PDT",
        "to Sun 25 Apr 2027, 10:00 AM PDT",
        "Where    Riverbend House",
        "100 Example Street, Spokane",
        "$990.00",
        f"Number   {r.code}",
        "[[link:own]]",
        "IF YOU CANNOT COME",
    ):
        assert words in plain(m.text), words
    assert "<strong>March</strong>" in m.html
    assert r.token not in m.text + m.html
    assert m.links == {"own": f"http://127.0.0.1:5000/r/{r.token}"}
    assert "questions" not in m.text


def test_open_questions_are_part_of_the_confirmation(db: Any, now: datetime) -> None:
    cast.make_confirmed(make_event(), [a_person("A B"), a_person("C D")], payer=a_person("P Q"))
    assert "we need a few answers from you" in letter(db).text
    assert "Answer your questions" in letter(db).html


def test_guests_read_no_prices(db: Any, now: datetime) -> None:
    cast.make_confirmed(make_event(), [a_person("A B"), a_person("C D")])
    mine, theirs = db.session.scalars(select(Message).order_by(Message.id))
    assert "$990.00" in mine.text
    assert "$" not in theirs.text + theirs.html


def test_the_join_link_is_only_in_the_letter_of_the_confirmed(db: Any, now: datetime) -> None:
    event = make_event(
        mode=EventMode.ONLINE, join_link="https://meet.example.org/s3cret", types={"Seat": 0}
    )
    order = cast.make_confirmed(event)
    m = letter(db)
    assert m.links is not None
    assert m.links["join"] == "https://meet.example.org/s3cret"
    assert "[[link:join]]" in m.text
    assert "s3cret" not in m.text + m.html + str(m.attachments)
    assert "Online" in m.text
    with transaction():
        services.cancel_unpaid(
            list_people(order)[0].id, event_id=event.id, reason="x", actor=cast.STRIPE, now=now
        )
    gone = letter(db, "cancelled")
    assert "join" not in (gone.links or {})


def test_the_order_letter_names_people_and_the_sum(db: Any, now: datetime) -> None:
    cast.make_confirmed(
        make_event(title="Spring Intensive"),
        [a_person("A B"), a_person("C D")],
        payer=a_person("P Ayer"),
    )
    m = letter(db, "order_confirmed")
    assert m.subject == "The 2 places are confirmed"
    for words in ("A B", "C D", "Spring Intensive, Thu 22 Apr 2027", "$1,980.00", "[[link:order]]"):
        assert words in plain(m.text), words


def test_hostile_names_stay_text(db: Any, now: datetime) -> None:
    person = services.Person("<b>Eve</b>", "x\r\nBcc: all@example.org", "eve@example.org")
    cast.make_confirmed(make_event(title="A & <B>"), [person])
    m = letter(db)
    assert "<b>Eve</b>" not in m.html
    assert "&lt;b&gt;Eve&lt;/b&gt;" in m.html
    assert "A &amp; &lt;B&gt;" in m.html
    assert "\n" not in m.subject
    calendar, component = entry(m)
    assert component["summary"] == "A & <B>"
    assert "BCC" not in {k.upper() for k in component}
    assert calendar["method"] == "REQUEST"


# ---- the calendar entry


def test_one_event_is_one_span(db: Any, now: datetime) -> None:
    event = make_event()
    order = cast.make_confirmed(event)
    (r,) = list_people(order)
    (attached,) = letter(db).attachments
    assert attached["type"] == "text/calendar; charset=utf-8; method=REQUEST"
    calendar, component = entry(letter(db))
    assert calendar["method"] == "REQUEST"
    assert component["uid"] == f"registration-{r.id}@127.0.0.1"
    assert (component["dtstart"].dt, component["dtend"].dt) == (event.starts_at, event.ends_at)
    assert component["sequence"] == 0
    assert component["status"] == "CONFIRMED"
    attendee = component["attendee"]
    assert attendee == "mailto:lysander.saltmarsh@example.org"
    assert (attendee.params["RSVP"], attendee.params["PARTSTAT"]) == ("FALSE", "ACCEPTED")
    assert component["organizer"] == "mailto:circle@example.org"
    assert "rdate" not in component


def test_a_series_is_one_entry_with_further_dates_that_keep_local_time(
    db: Any, now: datetime
) -> None:
    cast.make_confirmed(series())
    _calendar, component = entry(letter(db))
    assert component["dtstart"].dt == TUESDAYS[0]
    assert component["dtend"].dt == TUESDAYS[0] + LENGTH
    assert [d.dt for d in component["rdate"].dts] == TUESDAYS[1:]
    for line in ("Tue 2 Mar 2027, 6:30 to 8:00 PM PST", "Tue 23 Mar 2027, 6:30 to 8:00 PM PDT"):
        assert line in plain(letter(db).text)


def test_meetings_of_different_lengths_are_a_span(db: Any, now: datetime) -> None:
    sessions = [(t, t + LENGTH) for t in TUESDAYS[:-1]]
    sessions.append((TUESDAYS[-1], TUESDAYS[-1] + 2 * LENGTH))
    cast.make_confirmed(
        make_event(
            types={"Seat": 0},
            sessions=sessions,
            starts_at=TUESDAYS[0],
            ends_at=TUESDAYS[-1] + 2 * LENGTH,
        )
    )
    _calendar, component = entry(letter(db))
    assert "rdate" not in component
    assert component["dtend"].dt == TUESDAYS[-1] + 2 * LENGTH


def test_changes_of_event_and_registration_raise_the_sequence(db: Any, now: datetime) -> None:
    event = make_event(sequence=3)
    (r,) = list_people(cast.make_confirmed(event))
    r.sequence = 2
    text = ics.write(r, method="PUBLISH", location="", description="", now=now)
    (component,) = Calendar.from_ical(text).walk("VEVENT")
    db.session.rollback()
    assert component["sequence"] == 5
    assert "attendee" not in component


@pytest.mark.parametrize("long", ["x" * 400, "ünïcødé " * 40])
def test_long_titles_are_folded_as_calendars_need_it(db: Any, now: datetime, long: str) -> None:
    event = make_event(title=long[:200], types={"Seat": 0})
    cast.make_confirmed(event)
    text = letter(db).attachments[0]["text"]
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    _calendar, component = entry(letter(db))
    assert component["summary"] == long[:200]
