"""The organizer's pages of events: make, change, publish, close; who may; what is kept when it is refused."""

import html
import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.events import queries, services
from regsys.events.kinds import Enrollment, EventKind, EventMode, LeaderRole, Rate, Visibility
from regsys.events.models import Event, Leader, Venue
from regsys.events.services import Part
from regsys.events.states import EventState
from regsys.kernel.db import db, transaction
from regsys.kernel.zones import wall_time
from tests import cast
from tests.events import desk
from tests.events.desk import PACIFIC, REGISTRAR, at, draft, plan
from tests.support.counting import counted
from tests.support.typist import Typist
from tests.support.visitor import Page

pytestmark = pytest.mark.usefixtures("db", "clock")


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    """Return a registrar of the whole society at their desk."""
    cast.sign_in(client, "registrar")
    return Typist(client)


def text(page: Page) -> str:
    """Return what a page says, without tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def path(event_id: int, step: str) -> str:
    return f"/organize/events/{event_id}/{step}"


NEW = {
    "kind": "balint_weekend",
    "title": "Weekend on the Canal",
    "mode": "in_person",
    "time_zone": PACIFIC,
    "starts": "2027-10-15T16:00",
    "ends": "2027-10-17T12:00",
}


class TestNew:
    def test_a_short_form_makes_a_draft_and_goes_on(self, typist: Typist) -> None:
        answer = typist.send("/organize/events/new", NEW)
        event = db.session.scalars(select(Event)).one()
        assert answer.headers["Location"] == path(event.id, "edit")
        assert (event.state, event.kind, event.slug) == (
            EventState.DRAFT,
            EventKind.BALINT_WEEKEND,
            "weekend-on-the-canal",
        )
        assert (event.starts_at, event.currency) == (at("2027-10-15T16:00"), "USD")

    def test_the_zone_of_the_society_stands_first(self, typist: Typist) -> None:
        form = typist.get("/organize/events/new").form("title")
        zone = next(c for c in form.controls if c.name == "time_zone")
        assert zone.value == PACIFIC

    @pytest.mark.in_turn
    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"title": ""}, "Please fill this in."),
            ({"title": "x" * 201}, "At most 200 characters, please."),
            ({"ends": "2027-10-14T12:00"}, "It would end before it begins."),
            ({"starts": "soon"}, "Please write a day and a time."),
            ({"starts": "9999-12-31T23:59"}, "This year is too far away."),
            ({"starts": "0001-01-01T00:00"}, "This year is too far away."),
            ({"kind": "party"}, "Please choose from the list."),
            ({"time_zone": "../../etc/passwd"}, "Please choose from the list."),
            ({"mode": "astral"}, "Please choose from the list."),
        ],
    )
    def test_what_is_malformed_is_said_and_the_rest_is_kept(
        self, typist: Typist, wrong: dict[str, str], sentence: str
    ) -> None:
        page = typist.get("/organize/events/new")
        more = [("mode", wrong["mode"])] if "mode" in wrong else []
        answer = typist.send(page, {**NEW, **wrong}, more=more)
        assert answer.status == 422
        assert sentence in text(answer)
        if "title" not in wrong:
            assert 'value="Weekend on the Canal"' in answer.text
        assert db.session.scalars(select(Event)).all() == []

    def test_a_time_that_the_clocks_skip_is_said(self, typist: Typist) -> None:
        changes = {"starts": "2027-03-14T02:30", "ends": "2027-03-14T12:00"}
        answer = typist.follow(typist.send("/organize/events/new", {**NEW, **changes}))
        assert "there is no 02:30: it is now 3:30 AM PDT." in text(answer)

    def test_markup_in_a_title_is_shown_as_it_is(self, typist: Typist) -> None:
        title = "<script>alert(1)</script> & “more”"
        answer = typist.follow(typist.send("/organize/events/new", {**NEW, "title": title}))
        assert "<script>alert(1)" not in answer.text
        assert title in text(answer)


class TestBasics:
    def test_the_form_shows_and_saves_everything(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        values = {
            "title": "In May",
            "slug": "In May 2027",
            "summary": "Three days.",
            "description": "One\n\nTwo",
            "included": "handbook\nlunch",
            "credit": "14.5 hours",
            "refund_terms": "All until March.",
            "contact_email": "intensive@example.org",
            "visibility": "unlisted",
            "enrollment": "external",
            "external_name": "The national society",
            "external_url": "https://national.example.org/next",
            "cost_note": "As they say",
            "roster_days_before": "3",
        }
        answer = typist.follow(typist.send(path(event_id, "edit"), values))
        assert "Saved." in text(answer)
        event = desk.event(event_id)
        assert event.slug == "in-may-2027"
        assert (event.visibility, event.enrollment) == (Visibility.UNLISTED, Enrollment.EXTERNAL)
        assert (event.roster_days_before, event.description) == (3, "One\n\nTwo")
        form = answer.form("title")
        shown = {c.name: c.value for c in form.controls if c.kind not in ("radio", "hidden")}
        assert {k: shown[k] for k in values if k in shown} == {
            **{k: v for k, v in values.items() if k in shown},
            "slug": "in-may-2027",
        }

    @pytest.mark.in_turn
    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"external_url": "javascript:alert(1)"}, "beginning with https://"),
            ({"external_url": "https://a b"}, "beginning with https://"),
            ({"contact_email": "nobody"}, "This does not look like an e-mail address."),
            ({"roster_days_before": "99999999999999999999"}, "whole number from 0 to 60"),
            ({"roster_days_before": "-1"}, "whole number from 0 to 60"),
            ({"description": "x" * 20_001}, "At most 20000 characters"),
        ],
    )
    def test_what_is_malformed_is_said(
        self, typist: Typist, now: datetime, wrong: dict[str, str], sentence: str
    ) -> None:
        event_id = draft(now)
        answer = typist.send(path(event_id, "edit"), {"summary": "Kept.", **wrong})
        assert (answer.status, sentence in text(answer)) == (422, True)
        assert 'value="Kept."' in answer.text
        assert desk.event(event_id).summary == ""

    def test_a_refusal_keeps_what_was_typed(self, typist: Typist, now: datetime) -> None:
        draft(now, title="Taken")
        event_id = draft(now)
        values = {"slug": "taken", "summary": "Kept."}
        answer = typist.send(path(event_id, "edit"), values)
        assert answer.status == 409
        assert "Another event has this address already." in text(answer)
        assert 'value="Kept."' in answer.text

    def test_a_stale_form_loses_nothing_and_can_be_sent_again(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = draft(now)
        page = typist.get(path(event_id, "edit"))
        typist.send(path(event_id, "edit"), {"summary": "What the other wrote."})
        answer = typist.send(page, {"summary": "What I wrote."})
        assert answer.status == 409
        assert "Somebody changed it meanwhile" in text(answer)
        assert "What the other wrote." in text(answer)
        assert 'value="What I wrote."' in answer.text
        assert desk.event(event_id).summary == "What the other wrote."
        typist.follow(typist.send(answer))
        assert desk.event(event_id).summary == "What I wrote."

    @pytest.mark.in_turn
    @pytest.mark.parametrize("version", ["", "abc", "0", "-1", "9" * 30])
    def test_a_version_that_is_no_version_changes_nothing(
        self, typist: Typist, now: datetime, version: str
    ) -> None:
        event_id = draft(now)
        answer = typist.send(path(event_id, "edit"), {"version": version, "summary": "X"})
        assert answer.status == 422
        assert desk.event(event_id).version == 1

    def test_the_address_of_a_published_event_has_no_field(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = _published(now)
        page = typist.get(path(event_id, "edit"))
        assert not page.form("title").has("slug")
        typist.follow(typist.send(page, {"summary": "New."}))
        assert desk.event(event_id).slug == "introductory-intensive"


def _published(now: datetime, **changes: Any) -> int:
    event_id = draft(now, **changes)
    desk.set_places(event_id, now)
    with transaction():
        services.publish_event(event_id, actor=REGISTRAR, now=now)
    return event_id


def row(number: int, **values: str) -> dict[str, str]:
    return {f"meetings-{number}-{k}": v for k, v in values.items()}


SESSION = {"day": "2027-05-14", "starts": "09:00", "ends": "10:30", "title": "Coffee"}


class TestSchedule:
    def test_sessions_are_added_one_by_one(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        page = typist.send(path(event_id, "schedule"), row(0, **SESSION), "more")
        assert page.status == 200
        values = row(1, **{**SESSION, "title": "Group", "room": "Alder", "credit_minutes": "90"})
        typist.follow(typist.send(page, {**values, **row(1, starts="11:00", ends="12:30")}))
        found = [(s.title, s.room, s.credit_minutes) for s in desk.event(event_id).sessions]
        assert found == [("Coffee", "", 0), ("Group", "Alder", 90)]
        assert desk.event(event_id).ends_at == at("2027-05-14T12:30")

    def test_adding_a_row_saves_nothing_and_keeps_everything(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = draft(now)
        values = {**row(0, **SESSION), "join_link": "https://video.example/kept"}
        page = typist.send(path(event_id, "schedule"), values, "more")
        shown = {c.name: c.value for c in page.form("join_link").controls if c.kind != "radio"}
        assert {k: shown[k] for k in values} == values
        assert "meetings-1-day" in shown
        assert desk.event(event_id).version == 1

    def test_a_series_is_shown_before_it_is_saved(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        series = {
            "series_day": "2026-10-27",
            "series_starts": "18:30",
            "series_ends": "20:00",
            "series_every": "week",
            "series_count": "3",
            "series_title": "Evening",
        }
        page = typist.send(path(event_id, "schedule"), series, "series")
        shown = {c.name: c.value for c in page.form("join_link").controls}
        assert [shown[f"meetings-{i}-title"] for i in (1, 2, 3)] == [
            "Evening 1",
            "Evening 2",
            "Evening 3",
        ]
        assert desk.event(event_id).sessions == []
        typist.follow(typist.send(page))
        starts = [s.starts_at for s in desk.event(event_id).sessions]
        # 18:30 stays 18:30, on both sides of 1 Nov 2026.
        assert [wall_time(s, PACIFIC).isoformat() for s in starts] == [
            "2026-10-27T18:30:00",
            "2026-11-03T18:30:00",
            "2026-11-10T18:30:00",
        ]
        assert [s.hour for s in starts] == [1, 2, 2]

    def test_a_series_that_lacks_something_says_so(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        page = typist.send(path(event_id, "schedule"), {"series_day": "2026-10-27"}, "series")
        assert page.status == 422
        assert page.text.count("Please fill this in.") >= 3

    @pytest.mark.parametrize("count", ["0", "61", "100000000000000000000", "two"])
    def test_a_series_of_impossible_length(self, typist: Typist, now: datetime, count: str) -> None:
        series = {
            "series_day": "2026-10-27",
            "series_starts": "18:30",
            "series_ends": "20:00",
            "series_count": count,
        }
        page = typist.send(path(draft(now), "schedule"), series, "series")
        assert page.status == 422
        assert "meetings-1-day" not in page.text

    def test_a_removed_session_goes(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        page = typist.send(path(event_id, "schedule"), row(0, **SESSION), "more")
        second = row(1, **{**SESSION, "title": "Second"})
        typist.follow(typist.send(page, second))
        typist.follow(typist.send(path(event_id, "schedule"), {"meetings-0-remove": "y"}))
        assert [s.title for s in desk.event(event_id).sessions] == ["Second"]

    @pytest.mark.in_turn
    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"title": ""}, "Please fill this in."),
            ({"day": ""}, "Please fill this in."),
            ({"day": "31 February"}, "Write a day, such as 2027-02-28."),
            ({"starts": "25:99"}, "Please write a time."),
            ({"starts": "18:30", "ends": "08:15"}, "AM for PM"),
            ({"credit_minutes": "a lot"}, "whole number from 0 to 1440"),
            ({"title": "x" * 201}, "At most 200 characters"),
        ],
    )
    def test_what_is_wrong_with_a_session_is_said_at_it(
        self, typist: Typist, now: datetime, wrong: dict[str, str], sentence: str
    ) -> None:
        event_id = draft(now)
        page = typist.send(path(event_id, "schedule"), row(0, **{**SESSION, **wrong}))
        assert (page.status, sentence in text(page)) == (422, True)
        assert desk.event(event_id).version == 1

    def test_a_session_over_midnight_is_said(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        night = row(0, **{**SESSION, "starts": "22:00", "ends": "00:30"})
        page = typist.follow(typist.send(path(event_id, "schedule"), night))
        assert "“Coffee” ends on the next day." in text(page)
        assert desk.event(event_id).ends_at == at("2027-05-15T00:30")

    def test_a_session_at_midnight_is_no_empty_row(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        night = row(0, **{**SESSION, "starts": "00:00", "ends": "01:00"})
        typist.follow(typist.send(path(event_id, "schedule"), night))
        assert desk.event(event_id).starts_at == at("2027-05-14T00:00")

    def test_times_that_the_clocks_skip_or_double_are_said(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = draft(now)
        page = typist.send(
            path(event_id, "schedule"),
            row(0, day="2027-03-14", starts="02:30", ends="04:00", title="Skipped"),
            "more",
        )
        doubled = row(1, day="2027-11-07", starts="01:30", ends="03:00", title="Doubled")
        said = text(typist.follow(typist.send(page, doubled)))
        assert "there is no 02:30: it is now 3:30 AM PDT." in said
        assert "01:30 comes twice: it is the first one, 1:30 AM PDT." in said

    def test_the_second_of_two_equal_times_stays_when_the_page_is_saved(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = draft(now)
        second = services.Meeting(
            starts_at=datetime.fromisoformat("2026-11-01T09:30+00:00"),
            ends_at=datetime.fromisoformat("2026-11-01T11:00+00:00"),
            title="Late",
        )
        wanted = services.Schedule(
            mode=EventMode.ONLINE,
            time_zone=PACIFIC,
            starts_at=second.starts_at,
            ends_at=second.ends_at,
            meetings=[second],
        )
        with transaction():
            services.set_schedule(event_id, wanted, version=None, actor=REGISTRAR, now=now)
        typist.follow(typist.send(path(event_id, "schedule"), {"meetings-0-room": "Den"}))
        (session,) = desk.event(event_id).sessions
        assert (session.starts_at, session.room) == (second.starts_at, "Den")

    def test_a_venue_and_a_zone_are_chosen(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        venue = cast.make_venue()
        values = {"venue": str(venue.id), "time_zone": "Europe/Berlin", "mode": "hybrid"}
        typist.follow(typist.send(path(event_id, "schedule"), values))
        event = desk.event(event_id)
        assert (event.venue_id, event.mode) == (venue.id, EventMode.HYBRID)
        assert event.starts_at == at("2027-05-14T09:00", "Europe/Berlin")

    @pytest.mark.parametrize("venue", ["999", "-1", "abc", "9" * 30])
    def test_a_venue_that_does_not_exist(self, typist: Typist, now: datetime, venue: str) -> None:
        page = typist.send(path(draft(now), "schedule"), {"venue": venue})
        assert page.status == 422

    def test_without_sessions_and_dates_it_says_so(self, typist: Typist, now: datetime) -> None:
        page = typist.send(path(draft(now), "schedule"), {"starts": ""})
        assert "Please fill this in, or add a session." in text(page)

    def test_a_stale_schedule_keeps_its_rows(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        page = typist.get(path(event_id, "schedule"))
        desk.set_places(event_id, now)
        answer = typist.send(page, row(0, **SESSION))
        assert (answer.status, 'value="Coffee"' in answer.text) == (409, True)
        typist.follow(typist.send(answer))
        assert [s.title for s in desk.event(event_id).sessions] == ["Coffee"]

    def test_thousands_of_rows_are_not_read(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        more = [(f"meetings-{i}-title", "x") for i in range(600)]
        answer = typist.send(path(event_id, "schedule"), more=more)
        assert answer.status == 422
        assert answer.text.count('class="entry entry--meeting"') == 150

    @pytest.mark.parametrize("id_of_row", ["999999", "-5", "x", "9" * 40, "1 OR 1=1"])
    def test_a_row_with_a_foreign_id_is_a_new_session(
        self, typist: Typist, now: datetime, id_of_row: str
    ) -> None:
        event_id = draft(now)
        typist.follow(typist.send(path(event_id, "schedule"), row(0, row=id_of_row, **SESSION)))
        assert [s.title for s in desk.event(event_id).sessions] == ["Coffee"]


TYPE = {"name": "Standard", "regular": "600.00", "early": "540"}


def type_row(number: int, **values: str) -> dict[str, str]:
    return {f"types-{number}-{k}": v for k, v in values.items()}


class TestPlaces:
    def test_the_price_grid_is_typed_as_amounts(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        page = typist.send(
            path(event_id, "tickets"), {**type_row(0, **TYPE), "total": "24"}, "more"
        )
        values = {
            **type_row(1, name="Trainee", regular="1,430.50", size="6"),
            "early_until": "2027-03-01T00:00",
            "early_first": "16",
            "opens": "2027-02-01T08:00",
            "closes": "2027-05-07T23:59",
            "minimum": "12",
            "decide": "2027-04-16T12:00",
        }
        page = typist.follow(typist.send(page, values))
        event = desk.event(event_id)
        grid = {t.name: {p.rate: p.amount for p in t.prices} for t in event.ticket_types}
        assert grid == {
            "Standard": {Rate.EARLY: 54000, Rate.REGULAR: 60000},
            "Trainee": {Rate.REGULAR: 143050},
        }
        assert (event.early_until, event.closes_at) == (
            at("2027-03-01T00:00"),
            at("2027-05-07T23:59"),
        )
        sizes = {name: size for name, (size, _) in desk.sizes(event_id, now).items()}
        trainee = f"Trainee ({event.ticket_types[1].id})"
        assert sizes == {"total": 24, "early": 16, trainee: 6}
        shown = {c.name: c.value for c in page.form("total").controls}
        assert (shown["types-0-early"], shown["types-1-regular"], shown["types-1-size"]) == (
            "540.00",
            "1430.50",
            "6",
        )
        assert (shown["total"], shown["early_first"], shown["closes"]) == (
            "24",
            "16",
            "2027-05-07T23:59",
        )

    @pytest.mark.parametrize(
        ("currency", "typed", "stored"), [("JPY", "9200", 9200), ("KWD", "12.340", 12340)]
    )
    def test_amounts_follow_the_currency(
        self, typist: Typist, now: datetime, currency: str, typed: str, stored: int
    ) -> None:
        event_id = draft(now)
        values = {**type_row(0, name="One", regular=typed), "currency": currency}
        page = typist.follow(typist.send(path(event_id, "tickets"), values))
        assert desk.ticket(event_id, "One").prices[0].amount == stored
        assert f'value="{typed}"' in page.text

    @pytest.mark.in_turn
    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"regular": "cheap"}, "Please write an amount, like 920.00."),
            ({"regular": "9.999"}, "Please write an amount, like 920.00."),
            ({"regular": "-5"}, "Please write an amount, like 920.00."),
            ({"regular": "999999999"}, "more than can be charged at once"),
            ({"regular": ""}, "Please write a price; 0 for free."),
            ({"name": ""}, "Please fill this in."),
            ({"size": "many"}, "whole number from 0 to 5000"),
            ({"size": "99999999999"}, "whole number from 0 to 5000"),
            ({"circle": "room"}, "Please choose from the list."),
        ],
    )
    def test_what_is_wrong_with_a_type_is_said_at_it(
        self, typist: Typist, now: datetime, wrong: dict[str, str], sentence: str
    ) -> None:
        event_id = draft(now)
        page = typist.send(path(event_id, "tickets"), type_row(0, **{**TYPE, **wrong}))
        assert (page.status, sentence in text(page)) == (422, True)
        assert desk.event(event_id).version == 1

    def test_what_no_card_can_be_charged_with_is_refused_and_kept(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = draft(now)
        page = typist.send(path(event_id, "tickets"), type_row(0, name="One", regular="0.30"))
        assert page.status == 409
        assert "0.30 USD cannot be charged to a card" in text(page)
        assert 'value="0.30"' in page.text

    def test_below_what_people_hold_is_refused(self, typist: Typist, now: datetime) -> None:
        event_id = _published(now)
        desk.hold(event_id, 3, now=now)
        page = typist.send(path(event_id, "tickets"), {"total": "2"})
        assert (page.status, "3 places are taken or held" in text(page)) == (409, True)
        assert 'value="2"' in page.text

    def test_a_removed_type_goes_unless_somebody_took_it(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = _published(now)
        desk.hold(event_id, 1, now=now)
        answer = typist.send(path(event_id, "tickets"), {"types-0-remove": "y"})
        assert (answer.status, "take it off sale instead" in text(answer)) == (409, True)
        off_sale = {"types-0-on_sale": "", "types-1-name": "Other", "types-1-regular": "5"}
        page = typist.send(path(event_id, "tickets"), {}, "more")
        typist.follow(typist.send(page, off_sale))
        found = [(t.name, t.on_sale) for t in desk.event(event_id).ticket_types]
        assert found == [("Clinicians in practice", False), ("Other", True)]

    def test_circles(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        page = typist.get(path(event_id, "tickets"))
        inside = type_row(0, name="Inside", regular="0", circle="inner_circle")
        typist.follow(typist.send(page, {**inside, "inner": "8", "total": "40"}))
        found = queries.pool_sizes(desk.event(event_id), now=now)
        assert (found.inner, found.total) == (8, 40)
        assert {k.value for k in found.circle_of.values()} == {"inner_circle"}

    def test_another_events_type_is_not_taken_away_from_it(
        self, typist: Typist, now: datetime
    ) -> None:
        other, mine = _published(now), draft(now)
        theirs = desk.ticket(other).id
        stolen = type_row(0, row=str(theirs), name="Stolen", regular="1")
        typist.follow(typist.send(path(mine, "tickets"), stolen))
        assert desk.ticket(other).id == theirs
        assert desk.ticket(mine, "Stolen").id != theirs


class TestLeaders:
    def test_leaders_are_chosen_and_ordered(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        one, two = desk.leader(now), desk.leader(now, "Ignace Pomfret")
        first = {"parts-0-leader": str(one), "parts-0-role": "co_leader", "parts-0-position": "2"}
        page = typist.send(path(event_id, "leaders"), first, "more")
        second = {"parts-1-leader": str(two), "parts-1-role": "director", "parts-1-position": "1"}
        typist.follow(typist.send(page, {**second, "parts-0-public": ""}))
        found = [(a.leader_id, a.role, a.public) for a in desk.event(event_id).assignments]
        assert found == [(two, LeaderRole.DIRECTOR, True), (one, LeaderRole.CO_LEADER, False)]

    def test_a_leader_is_taken_away(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        part = Part(leader_id=desk.leader(now), role=LeaderRole.LEADER)
        with transaction():
            services.set_leaders(event_id, [part], version=None, actor=REGISTRAR, now=now)
        typist.follow(typist.send(path(event_id, "leaders"), {"parts-0-remove": "y"}))
        assert desk.event(event_id).assignments == []

    def test_the_same_leader_twice_is_refused(self, typist: Typist, now: datetime) -> None:
        event_id, one = draft(now), str(desk.leader(now))
        page = typist.send(path(event_id, "leaders"), {"parts-0-leader": one}, "more")
        answer = typist.send(page, {"parts-1-leader": one})
        assert (answer.status, "stands twice" in text(answer)) == (409, True)

    @pytest.mark.parametrize("wrong", ["999", "abc", "-1"])
    def test_a_leader_who_does_not_exist(self, typist: Typist, now: datetime, wrong: str) -> None:
        answer = typist.send(path(draft(now), "leaders"), {"parts-0-leader": wrong})
        assert answer.status == 422


class TestPublishing:
    def test_the_preview_lists_what_is_missing(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now, kind=EventKind.OPEN_ENROLLMENT_GROUP)
        said = text(typist.get(path(event_id, "preview")))
        assert "It cannot be published yet" in said
        assert "A group needs one leader" in said
        assert "It needs a ticket type on sale" in said
        assert "Publish it" not in said

    def test_publish_close_reopen_and_hide(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        desk.set_places(event_id, now)
        page = typist.follow(typist.send(path(event_id, "preview"), action="/publish"))
        assert "It is published." in text(page)
        page = typist.follow(typist.send(page, {"reason": "Enough"}, action="/close"))
        assert desk.event(event_id).state_reason == "Enough"
        page = typist.follow(typist.send(page, action="/reopen"))
        page = typist.follow(typist.send(page, action="/hide"))
        assert desk.event(event_id).state is EventState.DRAFT

    def test_a_second_click_says_that_it_has_been_done(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        desk.set_places(event_id, now)
        page = typist.get(path(event_id, "preview"))
        typist.follow(typist.send(page, action="/publish"))
        again = typist.send(page, action="/publish")
        assert (again.status, "already been done" in text(again)) == (409, True)

    def test_what_was_not_looked_at_is_not_published(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now)
        desk.set_places(event_id, now)
        page = typist.get(path(event_id, "preview"))
        desk.set_places(event_id, now, plan(total=1))
        answer = typist.send(page, action="/publish")
        assert answer.status == 409
        assert desk.event(event_id).state is EventState.DRAFT

    def test_a_group_without_a_leader_needs_a_reason(self, typist: Typist, now: datetime) -> None:
        event_id = draft(now, kind=EventKind.OPEN_ENROLLMENT_GROUP)
        desk.set_places(event_id, now)
        page = typist.get(path(event_id, "preview"))
        empty = typist.send(page, action="/publish")
        assert (empty.status, "A group needs one leader" in text(empty)) == (409, True)
        typist.follow(typist.send(page, {"waiver": "Named on Monday"}, action="/publish"))
        entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.reason) == ("event.published", "Named on Monday")
        assert "Named on Monday" not in typist.get("/events/introductory-intensive").text

    def test_the_page_of_a_draft_shows_it_as_it_will_be(
        self, typist: Typist, client: FlaskClient, now: datetime
    ) -> None:
        event_id = draft(now)
        desk.set_places(event_id, now)
        page = typist.get(path(event_id, "page"))
        assert "This is how the page will look." in text(page)
        assert "Register" in text(page)
        assert "$600.00" in text(page)
        assert client.get("/events/introductory-intensive").status_code == 404
        assert desk.event(event_id).state is EventState.DRAFT

    def test_the_private_link_is_shown_to_organizers_and_opens_the_page(
        self, typist: Typist, app: Flask, now: datetime
    ) -> None:
        event_id = draft(now)
        desk.set_places(event_id, now)
        typist.follow(typist.send(path(event_id, "edit"), {"visibility": "private_link"}))
        page = typist.follow(typist.send(path(event_id, "preview"), action="/key"))
        found = re.search(r"/events/introductory-intensive\?key=([\w-]+)", page.text)
        assert found is not None
        assert found[1] in typist.get(path(event_id, "preview")).text
        assert found[1] not in typist.get(path(event_id, "log")).text
        typist.follow(typist.send(path(event_id, "preview"), action="/publish"))
        visitor = app.test_client()
        assert visitor.get("/events/introductory-intensive").status_code == 404
        assert visitor.get(found[0]).status_code == 200

    def test_an_event_with_people_cannot_be_called_off_and_says_why(
        self, typist: Typist, now: datetime
    ) -> None:
        event_id = _published(now)
        page = typist.get(path(event_id, "preview"))
        inside = desk.hold(event_id, 2, now=now)
        said = text(typist.get(path(event_id, "preview")))
        assert "2 places are taken or held here." in said
        assert "Call this event off" not in said
        answer = typist.send(page, {"reason": "Too few"}, action="/cancel")
        assert (answer.status, "Call it off together with everybody" in text(answer)) == (409, True)
        desk.let_go(inside, now=now)
        typist.follow(typist.send(page, {"reason": "Too few"}, action="/cancel"))
        assert desk.event(event_id).state is EventState.CANCELLED
        assert "Too few" in text(typist.get("/events/introductory-intensive"))

    def test_a_copy_shows_its_dates_and_is_made(self, typist: Typist, now: datetime) -> None:
        event_id = _published(now)
        look = {"first_day": "2027-11-12", "title": "In autumn"}
        page = typist.send(path(event_id, "copy"), look, "look")
        assert "Fri 12 Nov 2027, 9:00 AM PST" in text(page)
        assert db.session.query(Event).count() == 1
        answer = typist.send(page, {}, "make")
        db.session.rollback()
        copy = db.session.scalars(select(Event).where(Event.title == "In autumn")).one()
        assert answer.headers["Location"] == path(copy.id, "schedule")
        assert copy.state is EventState.DRAFT


class TestDirectory:
    def test_a_leader_is_added_and_changed(self, typist: Typist) -> None:
        values = {
            "first_name": "Lettice",
            "last_name": "Oakenshire",
            "email": "lettice@example.org",
            "level": "supervisor",
            "public_contact": "form",
            "bio": "Psychiatrist.",
        }
        page = typist.follow(typist.send("/organize/leaders/new", values))
        assert "Oakenshire, Lettice" in text(page)
        leader = db.session.scalars(select(Leader)).one()
        where = f"/organize/leaders/{leader.id}"
        typist.follow(typist.send(where, {"credentials": "MD"}))
        db.session.rollback()
        db.session.expire_all()
        assert queries.get_leader(leader.id).credentials == "MD"
        again = typist.send("/organize/leaders/new", {**values, "email": "LETTICE@example.org"})
        assert (again.status, "address already" in text(again)) == (409, True)
        assert "Psychiatrist." in again.text

    def test_a_shown_phone_needs_a_number(self, typist: Typist) -> None:
        values = {"first_name": "A", "last_name": "B", "email": "a@example.org"}
        page = typist.send("/organize/leaders/new", {**values, "public_contact": "phone"})
        assert (page.status, "number that is shown" in text(page)) == (422, True)

    def test_a_venue_is_added_and_changed(self, typist: Typist) -> None:
        page = typist.follow(
            typist.send("/organize/venues/new", {"name": "Millrace", "step_free": "no"})
        )
        assert "With steps" in text(page)
        venue = db.session.scalars(select(Venue)).one()
        typist.follow(typist.send(f"/organize/venues/{venue.id}", {"step_free": ""}))
        db.session.rollback()
        db.session.expire_all()
        assert queries.get_venue(venue.id).step_free is None


STEPS = ("edit", "schedule", "tickets", "leaders", "preview", "page", "copy", "questions")
VERBS = ("publish", "close", "reopen", "hide", "cancel", "key")
WHOLE = ("events/new", "leaders/new", "venues/new")


class TestWhoMay:
    def test_visitors_are_sent_to_sign_in(self, client: FlaskClient, now: datetime) -> None:
        event_id = draft(now)
        for step in STEPS:
            answer = client.get(path(event_id, step))
            assert answer.status_code == 303, step
            assert answer.headers["Location"].startswith("/signin?next="), step

    @pytest.mark.parametrize("role", ["treasurer", "leader"])
    def test_other_roles_see_nothing(self, client: FlaskClient, now: datetime, role: str) -> None:
        event_id = draft(now)
        cast.sign_in(client, role, event=desk.event(event_id) if role == "leader" else None)
        found = {step: client.get(path(event_id, step)).status_code for step in STEPS}
        assert found == dict.fromkeys(STEPS, 403)

    def test_a_registrar_of_another_event_may_not(self, client: FlaskClient, now: datetime) -> None:
        mine, other = draft(now), draft(now)
        cast.sign_in(client, "registrar", event=desk.event(mine))
        typist = Typist(client)
        token = next(
            c.value
            for c in typist.get(path(mine, "edit")).form("title").controls
            if c.name == "csrf_token"
        )
        gets = {step: client.get(path(other, step)).status_code for step in STEPS}
        assert gets == dict.fromkeys(STEPS, 403)
        data = {"csrf_token": token, "version": "1", "title": "Taken over"}
        posts = {
            step: client.post(path(other, step), data=data).status_code
            for step in (*VERBS, "edit", "schedule", "tickets", "leaders")
        }
        assert set(posts.values()) == {403}
        assert desk.event(other).title == "Introductory Intensive"

    def test_a_registrar_of_one_event_changes_only_that(
        self, client: FlaskClient, now: datetime
    ) -> None:
        mine = draft(now)
        desk.leader(now)
        cast.sign_in(client, "registrar", event=desk.event(mine))
        typist = Typist(client)
        typist.follow(typist.send(path(mine, "edit"), {"summary": "Mine."}))
        assert desk.event(mine).summary == "Mine."
        refused = [client.get(f"/organize/{page}").status_code for page in WHOLE]
        assert refused == [403, 403, 403]
        lists = text(typist.get("/organize/leaders"))
        assert "Oakenshire, Lettice" in lists
        assert "Add a leader" not in lists

    @pytest.mark.in_turn
    @pytest.mark.parametrize("verb", VERBS)
    def test_without_a_token_nothing_moves(self, typist: Typist, now: datetime, verb: str) -> None:
        event_id = draft(now)
        assert typist.client.post(path(event_id, verb)).status_code == 400
        assert desk.event(event_id).version == 1

    def test_events_that_do_not_exist_are_not_found(self, typist: Typist) -> None:
        found = {step: typist.get(path(99, step)).status for step in STEPS}
        assert found == dict.fromkeys(STEPS, 404)


@pytest.mark.parametrize("step", ["edit", "schedule", "tickets", "leaders", "preview", "page"])
def test_pages_ask_the_database_the_same_however_long_they_are(
    app: Flask, typist: Typist, now: datetime, step: str
) -> None:
    asked = []
    for n in (1, 3, 30):
        event_id = draft(now, title=f"Event {n}")
        types = [services.TypePlan(name=f"Type {i}", regular=100, size=5) for i in range(n)]
        desk.set_places(event_id, now, plan(*types))
        leaders = [desk.leader(now, f"Leader N{n}x{i}") for i in range(n)]
        parts = [Part(leader_id=i, role=LeaderRole.LEADER) for i in leaders]
        meetings = [
            services.Meeting(
                starts_at=at(f"2027-05-{i + 1:02}T09:00"),
                ends_at=at(f"2027-05-{i + 1:02}T10:00"),
                title="x",
            )
            for i in range(n)
        ]
        wanted = services.Schedule(
            mode=EventMode.IN_PERSON,
            time_zone=PACIFIC,
            starts_at=now,
            ends_at=now,
            meetings=meetings,
        )
        with transaction():
            services.set_leaders(event_id, parts, version=None, actor=REGISTRAR, now=now)
        with transaction():
            services.set_schedule(event_id, wanted, version=None, actor=REGISTRAR, now=now)
        with counted(app) as sent:
            assert typist.get(path(event_id, step)).status == 200
        asked.append(len(sent))
    assert len(set(asked)) == 1, asked
