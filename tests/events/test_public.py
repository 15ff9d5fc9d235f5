"""What everybody sees of the events."""

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.capacity import services as capacity
from regsys.events import queries, rules
from regsys.events.kinds import (
    Enrollment,
    EventKind,
    EventMode,
    LeaderRole,
    PublicContact,
    Visibility,
)
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel.db import transaction
from regsys.kernel.tokens import hash_token
from tests import cast
from tests.support.counting import counted

PACIFIC = ZoneInfo("America/Los_Angeles")


def text_of(html: str) -> str:
    """Return the words of a page, blanks and tags folded away."""
    bare = re.sub(r"<(svg|head)\b.*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("\xa0", " ").split())


def words(client: FlaskClient, path: str) -> str:
    """Get a page that must be there, and return its words."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return text_of(answer.get_data(as_text=True))


def row_of(client: FlaskClient, event: Event, path: str = "/events") -> str:
    """Return the words of an event's row in a list."""
    html = client.get(path).get_data(as_text=True)
    rows = [r for r in html.split('<li class="row">')[1:] if f"/events/{event.slug}" in r]
    assert len(rows) == 1
    return text_of(rows[0].split("</li>\n")[0])


def hold(event: Event, how_many: int, now: datetime, *, settled: bool = True) -> None:
    """Let people hold places, for good or as long as a cart does."""
    for _ in range(how_many):
        ids = [r.id for r in cast.list_people(cast.make_cart(event))]
        if settled:
            with transaction():
                capacity.extend(ids, until=None, now=now)


# ---- the catalogue


def test_the_catalogue_lists_events_by_month(client: FlaskClient, db: Any, now: datetime) -> None:
    venue = cast.make_venue()
    cast.make_event(
        title="In May",
        starts_at=datetime(2027, 5, 14, 16, tzinfo=UTC),
        ends_at=datetime(2027, 5, 16, 20, 30, tzinfo=UTC),
        venue_id=venue.id,
        types={"Standard": (54000, 60000), "Trainee": (39000, 43000)},
        places=24,
        early_places=16,
    )
    cast.make_event(
        title="In December",
        starts_at=datetime(2026, 12, 11, 2, 30, tzinfo=UTC),
        ends_at=datetime(2026, 12, 11, 4, 15, tzinfo=UTC),
        kind=EventKind.INTRODUCTORY_DEMONSTRATION,
        types={"A chair": 0},
        places=40,
    )
    page = words(client, "/events")
    assert page.index("December 2026") < page.index("In December") < page.rindex("May 2027 14")
    assert "Thu 10 Dec 2026, 6:30 to 8:15 PM PST" in page
    assert "Fri 14 May 2027, 9:00 AM PDT, to Sun 16 May 2027, 1:30 PM PDT" in page
    assert "Riverbend House, Spokane" in page
    assert "24 of 24 places left 16 at the early price" in page
    assert "from $390.00" in page
    assert "40 of 40 places left Free" in page
    assert "2 events and groups" in page


def test_an_empty_catalogue_says_what_one_can_do(client: FlaskClient, db: Any) -> None:
    assert "Nothing is planned at the moment" in words(client, "/events")
    assert "No group is open at the moment" in words(client, "/groups")


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "A B C D"),
        ("?kind=balint_weekend", "B"),
        ("?kind=nonsense", "A B C D"),
        ("?mode=online", "A C"),
        ("?mode=in_person", "B C D"),
        ("?mode=a&mode=b&kind=&places=", "A B C D"),
        ("?places=1", "A B C"),
        ("?kind=other&mode=online&places=1", "A C"),
        ("?kind=introductory_demonstration", ""),
    ],
)
def test_the_filter_narrows_without_javascript(
    query: str, shown: str, client: FlaskClient, db: Any
) -> None:
    cast.make_event(title="Title A", kind=EventKind.OTHER, mode=EventMode.ONLINE)
    cast.make_event(title="Title B", kind=EventKind.BALINT_WEEKEND)
    cast.make_event(title="Title C", kind=EventKind.OTHER, mode=EventMode.HYBRID)
    cast.make_event(title="Title D", kind=EventKind.OTHER, places=0)
    page = words(client, "/events" + query)
    assert " ".join(re.findall(r"Title (\w)", page)) == shown
    assert ("Nothing fits" in page) == (not shown)


def test_what_has_begun_stands_at_the_end_and_what_is_over_is_gone(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    day = timedelta(days=1)
    cast.make_event(title="Running", starts_at=now - day, ends_at=now + day)
    cast.make_event(title="Coming", starts_at=now + day, ends_at=now + 2 * day)
    cast.make_event(title="Past", starts_at=now - 2 * day, ends_at=now)
    page = words(client, "/events")
    assert page.index("Coming") < page.index("Under way") < page.index("Running")
    assert "Past" not in page


# ---- how an event stands, in words

day = timedelta(days=1)
Change = Callable[[datetime], dict[str, Any]]
STANDINGS: list[tuple[str, Change, str, str, bool]] = [
    ("open", lambda now: {}, "32 of 32 places left", "We hold your place for 30 minutes", True),
    (
        "not limited",
        lambda now: {"places": None},
        "There is room for everyone",
        "There is room for everyone",
        True,
    ),
    (
        "not yet",
        lambda now: {"opens_at": now + day},
        "Opens Wed 25 Nov 2026 32 places",
        "It opens on Wed 25 Nov 2026, 9:00 AM PST",
        False,
    ),
    ("full", lambda now: {"places": 0}, "Full", "All places are taken", False),
    (
        "closed by its time",
        lambda now: {"closes_at": now},
        "Registration is closed",
        "It closed on Tue 24 Nov 2026, 9:00 AM PST",
        False,
    ),
    (
        "closed by hand",
        lambda now: {"state": EventState.CLOSED},
        "Registration is closed",
        "This event takes no registrations any more",
        False,
    ),
    (
        "begun",
        lambda now: {"starts_at": now - day},
        "Registration is closed",
        "The event has begun",
        False,
    ),
    (
        "cancelled",
        lambda now: {"state": EventState.CANCELLED, "state_reason": "Four of ten signed up."},
        "Will not take place",
        "This event will not take place. Four of ten signed up.",
        False,
    ),
    (
        "elsewhere",
        lambda now: {
            "enrollment": Enrollment.EXTERNAL,
            "external_name": "the national society",
            "external_url": "https://national.example.org/next",
            "types": {},
            "places": None,
        },
        "Register at the national society",
        "Register at the national society",
        False,
    ),
    (
        "ask",
        lambda now: {"enrollment": Enrollment.CONTACT_LEADER, "types": {}, "places": None},
        "Ask the leader Agreed with the leader",
        "To join, write to the leader",
        False,
    ),
    (
        "apply",
        lambda now: {"enrollment": Enrollment.APPLICATION, "closes_at": now + day},
        "By application until Wed 25 Nov 2026, 9:00 AM PST",
        "Places are given by application Apply Nothing is to pay now. If you are accepted, we hold"
        " a place for you for 48 hours, and you pay then. Apply until Wed 25 Nov 2026, 9:00 AM PST",
        False,
    ),
    (
        "host",
        lambda now: {"enrollment": Enrollment.HOST_APPROVES, "closes_at": now + day},
        "The host decides",
        "The host gives out the places Ask for a seat You give your name and address; the host’s"
        " coordinator decides. Nothing is charged for asking. Closes Wed 25 Nov 2026, 9:00 AM PST",
        False,
    ),
]


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("change", "in_row", "on_page", "sells"),
    [s[1:] for s in STANDINGS],
    ids=[s[0] for s in STANDINGS],
)
def test_each_standing_is_said_in_words_and_the_button_agrees_with_the_rule(
    change: Change,
    in_row: str,
    on_page: str,
    sells: bool,
    client: FlaskClient,
    db: Any,
    now: datetime,
) -> None:
    event = cast.make_event(**change(now))
    assert in_row in row_of(client, event)
    html = client.get(f"/events/{event.slug}").get_data(as_text=True)
    assert on_page in text_of(html)
    facts = queries.sale_facts(event, queries.places_of([event.id], now=now)[event.id])
    assert (rules.why_not_on_sale(facts, now) is None) == sells
    assert (f'href="/events/{event.slug}/register"' in html) == sells


def test_held_places_are_told_from_taken_ones(client: FlaskClient, db: Any, now: datetime) -> None:
    event = cast.make_event(places=3)
    hold(event, 1, now, settled=False)
    assert "2 of 3 places left 1 more is held" in row_of(client, event)
    hold(event, 2, now, settled=False)
    assert "No place is free now 3 are held and may come free" in row_of(client, event)
    page = words(client, f"/events/{event.slug}")
    assert "No place is free at this moment 3 places are held by people" in page


def test_an_event_whose_every_type_has_run_out_is_full(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event = cast.make_event(
        places=10, types={"Single": 100, "Shared": 200}, own_places={"Single": 0}
    )
    page = words(client, f"/events/{event.slug}")
    assert "Single Full $1.00" in page
    assert "Register" in page
    second = cast.make_event(places=10, types={"Single": 100}, own_places={"Single": 0})
    assert "All places are taken" in words(client, f"/events/{second.slug}")


def test_an_event_that_is_over_still_has_its_page(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event = cast.make_event(starts_at=now - 2 * day, ends_at=now - day)
    page = words(client, f"/events/{event.slug}")
    assert "This event is over" in page
    assert "Register" not in page


def test_registering_elsewhere_is_a_link_that_tells_nothing_about_us(
    client: FlaskClient, db: Any
) -> None:
    event = cast.make_event(
        enrollment=Enrollment.EXTERNAL,
        external_name="the national society",
        external_url="https://national.example.org/next",
    )
    html = client.get(f"/events/{event.slug}").get_data(as_text=True)
    links = re.findall(r'<a[^>]*href="https://national.example.org/next"[^>]*>', html)
    assert len(links) == 2
    assert all('rel="noopener"' in link for link in links)


def test_an_address_that_is_no_web_address_is_never_a_link(client: FlaskClient, db: Any) -> None:
    event = cast.make_event(
        enrollment=Enrollment.EXTERNAL, external_name="them", external_url="javascript:alert(1)"
    )
    assert "javascript:" not in client.get(f"/events/{event.slug}").get_data(as_text=True)


# ---- who may see it


def test_only_public_events_are_listed(client: FlaskClient, db: Any) -> None:
    for visibility in Visibility:
        cast.make_event(title=f"Seen {visibility}", visibility=visibility)
    cast.make_event(title="Seen draft", state=EventState.DRAFT)
    for path in ("/", "/events", "/events.ics", "/sitemap.xml"):
        body = client.get(path).get_data(as_text=True)
        assert "Seen unlisted" not in body
        assert "Seen draft" not in body
    assert re.findall(r"Seen \w+", words(client, "/events")) == ["Seen public"]


def test_unlisted_events_open_by_their_address(client: FlaskClient, db: Any) -> None:
    event = cast.make_event(visibility=Visibility.UNLISTED)
    answer = client.get(f"/events/{event.slug}")
    assert answer.status_code == 200
    assert b'<meta name="robots" content="noindex">' in answer.data


def test_a_draft_is_nowhere(client: FlaskClient, db: Any) -> None:
    event = cast.make_event(state=EventState.DRAFT, private_key_hash=hash_token("key"))
    for path in (
        f"/events/{event.slug}",
        f"/events/{event.slug}.ics",
        f"/events/{event.slug}?key=key",
    ):
        assert client.get(path).status_code == 404
    assert client.get("/events/no-such-event").status_code == 404


def test_a_private_link_opens_its_event_and_is_remembered(app: Flask, db: Any) -> None:
    private = {"visibility": Visibility.PRIVATE_LINK, "private_key_hash": hash_token("FERN-7K2Q")}
    event = cast.make_event(**private)
    other = cast.make_event(
        visibility=Visibility.PRIVATE_LINK, private_key_hash=hash_token("other")
    )
    client = app.test_client()
    for key in (
        "",
        "?key=",
        "?key=fern-7k2q",
        "?key=FERN-7K2Q%00",
        "?key=" + hash_token("FERN-7K2Q"),
    ):
        assert client.get(f"/events/{event.slug}{key}").status_code == 404
    answer = client.get(f"/events/{event.slug}?key=FERN-7K2Q")
    assert answer.status_code == 200
    assert b'<meta name="referrer" content="no-referrer">' in answer.data
    assert client.get(f"/events/{event.slug}").status_code == 200
    assert client.get(f"/events/{event.slug}.ics").status_code == 200
    assert client.get(f"/events/{other.slug}").status_code == 404
    assert app.test_client().get(f"/events/{event.slug}").status_code == 404


def test_a_private_event_without_a_link_opens_to_nobody(client: FlaskClient, db: Any) -> None:
    event = cast.make_event(visibility=Visibility.PRIVATE_LINK)
    assert client.get(f"/events/{event.slug}?key=").status_code == 404
    assert client.get(f"/events/{event.slug}?key=None").status_code == 404


# ---- the page of one event


def test_the_page_says_what_one_must_know(client: FlaskClient, db: Any, now: datetime) -> None:
    venue = cast.make_venue(step_free=True, access_note="Lift to all floors")
    start = datetime(2027, 5, 14, 16, tzinfo=UTC)
    event = cast.make_event(
        title="Introductory Intensive",
        summary="No application",
        description="Three days.\n\n## Who comes\n\nAnybody.",
        included="handbook\n- two lunches",
        refund_terms="Tell us **by email**.",
        credit="14.5 hours, applied for",
        contact_email="directors@example.org",
        venue_id=venue.id,
        starts_at=start,
        ends_at=start + 2 * day,
        sessions=[
            (start, start + timedelta(minutes=30)),
            (start + day, start + day + timedelta(hours=2)),
        ],
        types={"Standard": (54000, 60000), "Trainee": (39000, 43000)},
        places=24,
        early_places=16,
        minimum=12,
        decide_at=datetime(2027, 4, 17, 7, tzinfo=UTC),
        closes_at=datetime(2027, 5, 8, 7, tzinfo=UTC),
    )
    cast.make_leader(event, "Lettice Oakenshire", role=LeaderRole.DIRECTOR)
    hold(event, 5, now)
    page = words(client, f"/events/{event.slug}")
    for said in (
        "When Fri 14 May 2027, 9:00 AM PDT to Sun 16 May 2027, 9:00 AM PDT",
        "Where Riverbend House, Spokane 100 Example Street · Lift to all floors · step-free",
        "Credit 14.5 hours, applied for",
        "$390.00 to $540.00, early",
        "19 of 24 places left, 11 of them early",
        "Early 11 of 16 early places left Regular after that",
        "Standard $540.00 $600.00 Trainee $390.00 $430.00",
        "The early price is for the first 16 people. It is fixed the moment your place is held.",
        "What is included Handbook Two lunches",
        "Lettice Oakenshire MD Director, credentialed leader",
        "All times are Pacific Time (PDT).",
        "Friday 14 May 2027 9:00 – 9:30 AM Meeting 1 Saturday 15 May 2027 9:00 – 11:00 AM Meeting 2",
        "If you cannot come Tell us by email .",
        "Questions to the directors Write to Lettice at directors @example.org",
        "Closes Fri 7 May 2027, 11:59 PM PDT",
        "On Sat 17 Apr 2027 we decide whether at least 12 people are coming.",
    ):
        assert said in page
    assert page.count("Register") == 2


def test_early_until_a_date_is_said_with_its_date(client: FlaskClient, db: Any, clock: Any) -> None:
    until = datetime(2027, 2, 1, 8, tzinfo=UTC)
    event = cast.make_event(types={"Standard": (92000, 99000)}, early_until=until)
    page = words(client, f"/events/{event.slug}")
    assert "Early until Sun 31 Jan 2027, 11:59 PM PST" in page
    assert "for those who register until Sun 31 Jan 2027, 11:59 PM PST." in page
    clock.to(until)
    page = words(client, f"/events/{event.slug}")
    assert "Standard $990.00" in page
    assert "$920.00" not in page
    assert "The early price has ended." in page


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        (PublicContact.EMAIL, "mailto:"),
        (PublicContact.PHONE, "tel:+12065550112"),
        (PublicContact.FORM, "/contact?kind=to_leader&amp;event="),
        (PublicContact.NONE, None),
    ],
)
@pytest.mark.parametrize("path", ["/groups", "/events/{slug}"])
def test_of_a_leader_only_what_they_chose_is_shown(
    contact: PublicContact, shown: str | None, path: str, client: FlaskClient, db: Any
) -> None:
    event = cast.make_event(
        kind=EventKind.OPEN_ENROLLMENT_GROUP, enrollment=Enrollment.CONTACT_LEADER, types={}
    )
    leader = cast.make_leader(event, contact=contact)
    hidden = cast.make_leader(event, "Not Public", public=False)
    html = client.get(path.format(slug=event.slug)).get_data(as_text=True)
    assert "Lettice Oakenshire MD" in html
    assert "redentialed leader" in html
    assert (leader.email in html) == (contact is PublicContact.EMAIL)
    assert ("tel:" in html) == (contact is PublicContact.PHONE)
    if shown:
        assert shown in html
    assert hidden.email not in html
    assert "Not Public" not in html


def test_the_join_link_is_on_no_public_page(client: FlaskClient, db: Any) -> None:
    event = cast.make_event(
        mode=EventMode.ONLINE, join_link="https://video.example.org/secret-room"
    )
    for path in (
        "/",
        "/events",
        "/events.ics",
        f"/events/{event.slug}",
        f"/events/{event.slug}.ics",
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert b"secret-room" not in answer.data


def test_what_organizers_write_is_shown_as_text(client: FlaskClient, db: Any) -> None:
    nasty = "<script>alert(1)</script>"
    event = cast.make_event(
        title=nasty, summary=nasty, description=nasty, included=nasty, refund_terms=nasty
    )
    cast.make_leader(event, nasty, bio=nasty)
    for path in ("/", "/events", f"/events/{event.slug}"):
        assert "<script>alert" not in client.get(path).get_data(as_text=True)


# ---- groups and series


def series(first: datetime, count: int, every: int = 14) -> list[tuple[datetime, datetime]]:
    """Return evening meetings at the same local time."""
    starts = [first + timedelta(days=every * i) for i in range(count)]
    return [(s.astimezone(UTC), (s + timedelta(minutes=90)).astimezone(UTC)) for s in starts]


def test_a_series_keeps_its_local_time_and_says_so(client: FlaskClient, db: Any) -> None:
    meetings = series(datetime(2027, 9, 14, 18, 30, tzinfo=PACIFIC), 6)
    event = cast.make_event(
        kind=EventKind.OPEN_ENROLLMENT_GROUP,
        mode=EventMode.ONLINE,
        sessions=meetings,
        starts_at=meetings[0][0],
        ends_at=meetings[-1][1],
    )
    page = words(client, f"/events/{event.slug}")
    assert "Six meetings, every other Tuesday 6:30 – 8:00 PM PDT" in page
    assert "Pacific Time (PDT and PST)" in page
    assert "the time on the clock stays the same" in page
    assert (
        "Tue 26 Oct 2027 6:30 – 8:00 PM Meeting 4 Tue 9 Nov 2027 6:30 – 8:00 PM Meeting 5" in page
    )
    assert "Six meetings, every other Tuesday, 6:30 – 8:00 PM PDT, from Tue 14 Sep 2027" in row_of(
        client, event, "/groups"
    )


def test_groups_are_groups_only_and_closed_ones_come_last(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    cast.make_event(title="No group")
    group = {"kind": EventKind.OPEN_ENROLLMENT_GROUP}
    cast.make_event(title="Group one", starts_at=now - day, **group)
    cast.make_event(title="Group two", **group)
    cast.make_event(title="Group three", kind=EventKind.ROTATING_LEADER_GROUP)
    page = words(client, "/groups")
    assert "No group" not in page
    assert re.findall(r"Group (one|two|three)", page) == ["two", "three", "one"]
    assert page.index("Under way, or closed to newcomers") < page.index("Group one")
    rotating = words(client, "/groups?kind=rotating_leader_group")
    assert re.findall(r"Group (one|two|three)", rotating) == ["three"]


# ---- calendars


def test_the_calendar_holds_the_sessions_of_public_events(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    start = datetime(2027, 5, 14, 16, tzinfo=UTC)
    event = cast.make_event(
        title="Intensive; with, signs",
        sessions=[(start, start + day / 24), (start + day, start + day * 2)],
    )
    cast.make_event(title="Cancelled one", state=EventState.CANCELLED, sequence=3)
    cast.make_event(title="Hidden", visibility=Visibility.UNLISTED)
    answer = client.get("/events.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    calendar = icalendar.Calendar.from_ical(answer.data)
    assert calendar["METHOD"] == "PUBLISH"
    found = {str(e["SUMMARY"]): e for e in calendar.walk("VEVENT")}
    assert set(found) == {
        "Intensive; with, signs: Meeting 1",
        "Intensive; with, signs: Meeting 2",
        "Cancelled one",
    }
    first = found["Intensive; with, signs: Meeting 1"]
    assert first["DTSTART"].dt == start
    assert first["DTEND"].dt == start + day / 24
    assert str(first["UID"]) == f"session-{event.sessions[0].id}@127.0.0.1"
    assert str(first["URL"]).endswith(f"/events/{event.slug}")
    assert str(found["Cancelled one"]["STATUS"]) == "CANCELLED"
    assert found["Cancelled one"]["SEQUENCE"] == 3


def test_one_event_has_a_calendar_of_its_own(client: FlaskClient, db: Any) -> None:
    event = cast.make_event(title="Alone", venue_id=cast.make_venue().id)
    cast.make_event(title="Another")
    calendar = icalendar.Calendar.from_ical(client.get(f"/events/{event.slug}.ics").data)
    (entry,) = calendar.walk("VEVENT")
    assert str(entry["SUMMARY"]) == "Alone"
    assert str(entry["LOCATION"]) == "Riverbend House, 100 Example Street, Spokane"


def test_the_catalogue_offers_to_subscribe(client: FlaskClient, db: Any) -> None:
    assert 'href="webcal://127.0.0.1:5000/events.ics"' in client.get("/events").get_data(
        as_text=True
    )


# ---- asking again


def test_a_page_that_has_not_changed_is_not_sent_again(
    client: FlaskClient, db: Any, now: datetime
) -> None:
    event = cast.make_event()
    path = f"/events/{event.slug}"
    first = client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    etag = first.headers["ETag"]
    assert etag.startswith('W/"')
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == etag
    hold(event, 1, now)
    changed = client.get(path, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert b"31 of 32" in changed.data.replace(b"<strong>", b"")


def test_a_page_changes_with_the_clock_alone(client: FlaskClient, db: Any, clock: Any) -> None:
    event = cast.make_event(opens_at=clock.now + timedelta(minutes=1))
    path = f"/events/{event.slug}"
    etag = client.get(path).headers["ETag"]
    clock.move(minutes=1)
    answer = client.get(path, headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert b"/register" in answer.data


def test_whoever_brings_a_cookie_gets_a_private_page(app: Flask, db: Any) -> None:
    event = cast.make_event()
    client = app.test_client()
    cast.sign_in(client, "registrar")
    answer = client.get(f"/events/{event.slug}")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    etag = answer.headers["ETag"]
    assert client.get(f"/events/{event.slug}", headers={"If-None-Match": etag}).status_code == 304
    mine, theirs = answer.get_data(as_text=True), app.test_client().get(f"/events/{event.slug}")
    assert "Your work" in mine
    assert "Your work" not in theirs.get_data(as_text=True)


def test_packed_and_plain_are_the_same_page(client: FlaskClient, db: Any) -> None:
    cast.make_event()
    plain = client.get("/events")
    packed = client.get("/events", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Cookie" in plain.headers["Vary"]


def test_a_page_that_is_asked_for_again_costs_no_query(
    app: Flask, client: FlaskClient, db: Any, now: datetime
) -> None:
    event = cast.make_event()
    client.get(f"/events/{event.slug}")
    with counted(app) as sent:
        client.get(f"/events/{event.slug}")
    assert [s for s in sent if "pg_current_snapshot" not in s] == []


@pytest.mark.parametrize("path", ["/", "/events", "/groups", "/events.ics", "/sitemap.xml"])
def test_lists_need_as_many_queries_for_one_row_as_for_thirty(
    path: str, app: Flask, client: FlaskClient, db: Any
) -> None:
    counts, made = [], 0
    for rows in (1, 3, 30):
        for _ in range(rows - made):
            start = datetime(2027, 5, 14, 16, tzinfo=UTC)
            event = cast.make_event(
                kind=EventKind.OPEN_ENROLLMENT_GROUP if made % 2 == 0 else EventKind.OTHER,
                sessions=[(start, start + day)],
                types={"Standard": (100, 200)},
                early_places=3,
                venue_id=cast.make_venue().id,
            )
            cast.make_leader(event)
            made += 1
        with counted(app) as sent:
            assert client.get(path).status_code == 200
        counts.append(len([s for s in sent if s.startswith("SELECT")]))
    assert counts[0] == counts[1] == counts[2]
    assert counts[0] <= 14
