"""The roster as a letter: on demand, and once some days before the start, in the event's zone."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from regsys.events.states import EventState
from regsys.kernel.db import db as database
from regsys.kernel.db import transaction
from regsys.leaders.cli import roster
from regsys.leaders.jobs import HANDLERS, PERIODIC, mail_rosters
from regsys.outbox.models import Message
from tests import cast
from tests.reports.desk import (
    PRIVATE_ANSWER,
    answer_form,
    entries,
    make_form,
    make_people,
    signed_in,
    text_of,
)

EVENING = datetime(2026, 12, 11, 2, 30, tzinfo=UTC)  # Thu 10 Dec, 6:30 PM in Seattle
MORNING = datetime(2026, 12, 7, 16, 0, tzinfo=UTC)  # Mon 7 Dec, 8:00 AM in Seattle


def letters():
    """List the rosters in the outbox, freshly read."""
    database.session.rollback()
    query = select(Message).where(Message.kind == "leaders.roster").order_by(Message.id)
    return list(database.session.scalars(query.execution_options(populate_existing=True)))


@pytest.fixture
def evening(app, db, clock):
    """An evening with two people and two leaders; rosters go out three days before."""
    event = cast.make_event(
        title="An evening", slug="an-evening", types={"Standard": 0}, starts_at=EVENING,
        ends_at=EVENING + timedelta(hours=2), roster_days_before=3,
    )  # fmt: skip
    make_form(event)
    for r in make_people(event, 2):
        answer_form(r)
    cast.make_leader(event, "Lettice Oakenshire")
    cast.make_leader(event, "Ambrose Tidewell")
    return event


@pytest.fixture(autouse=True)
def without_csrf(app):
    app.config["WTF_CSRF_ENABLED"] = False


# ---- on demand


def test_a_leader_mails_it_to_themselves(app, evening):
    client = app.test_client()
    user = cast.sign_in(client, "leader", event=evening)
    answer = client.post(f"/lead/{evening.id}/mail", data={"to": "me"})
    assert (answer.status_code, answer.location) == (303, f"/lead/{evening.id}")
    assert f"The roster is on its way to {user.name}." in text_of(client.get(answer.location))
    (letter,) = letters()
    assert (letter.to_email, letter.event_id) == (user.email, evening.id)
    assert letter.subject == "Roster: An evening, 2 people"
    for part in ("Pat Person001", "Physician", "Copperline Clinic", f"/lead/{evening.id}"):
        assert part in letter.text
        assert part in letter.html
    assert "Thu 10 Dec 2026, 6:30 PM PST" in letter.text.replace("\xa0", " ")
    assert "Lettice Oakenshire" in letter.text
    (entry,) = entries("roster.mailed")
    assert (entry.actor_id, entry.event_id, entry.after["people"]) == (user.id, evening.id, 2)


def test_the_letter_holds_no_address_no_answer_and_nothing_private(app, evening):
    signed_in(app).post(f"/lead/{evening.id}/mail", data={"to": "all"})
    for letter in letters():
        for secret in ("pat1.", "To listen", PRIVATE_ANSWER, "Dr Wolf", "$"):
            assert secret not in letter.text + letter.html
        assert letter.attachments == []


def test_an_organizer_mails_it_to_all_leaders_and_a_second_click_mails_nothing(app, evening, clock):
    client = signed_in(app)
    for _ in range(2):
        assert client.post(f"/lead/{evening.id}/mail", data={"to": "all"}).status_code == 303
    assert [m.to_name for m in letters()] == ["Lettice Oakenshire", "Ambrose Tidewell"]
    assert len(entries("roster.mailed")) == 2
    clock.move(minutes=1)
    client.post(f"/lead/{evening.id}/mail", data={"to": "all"})
    assert len(letters()) == 4


def test_nobody_mails_what_is_not_theirs(app, evening):
    other = cast.make_event()
    leader = signed_in(app, "leader", event=evening)
    tries = [
        (leader, evening.id, "all", 403),
        (leader, other.id, "me", 403),
        (signed_in(app), evening.id, "me", 409),
        (signed_in(app), other.id, "all", 409),
        (signed_in(app, "registrar", event=other), evening.id, "all", 403),
        (signed_in(app, "treasurer"), evening.id, "all", 403),
        (app.test_client(), evening.id, "all", 403),
        (signed_in(app), 987654321, "all", 404),
    ]
    for client, event_id, to, status in tries:
        assert client.post(f"/lead/{event_id}/mail", data={"to": to}).status_code == status, to
    assert letters() == []


# ---- before the start


def test_the_job_comes_round_and_is_handled():
    assert {p.kind for p in PERIODIC} <= set(HANDLERS)


def test_it_goes_out_once_to_each_leader_in_the_morning_of_the_events_zone(evening, clock):
    clock.to(MORNING - timedelta(seconds=1))
    mail_rosters({})
    assert letters() == []
    clock.to(MORNING)
    for _ in range(3):
        mail_rosters({})
        clock.move(hours=7)
    assert [(m.to_name, m.key.split(":")[-1]) for m in letters()] == [
        ("Lettice Oakenshire", "2026-12-10"),
        ("Ambrose Tidewell", "2026-12-10"),
    ]
    assert [e.reason for e in entries("roster.mailed")] == ["3 days before"] * 2


def test_a_leader_who_comes_late_and_a_new_day_bring_new_letters(evening, clock):
    clock.to(MORNING)
    mail_rosters({})
    cast.make_leader(evening, "Noor Ashgrove")
    mail_rosters({})
    assert [m.to_name for m in letters()][2:] == ["Noor Ashgrove"]
    with transaction():
        moved = database.session.merge(evening)
        moved.starts_at += timedelta(days=1)
        moved.ends_at += timedelta(days=1)
    clock.move(days=1)
    mail_rosters({})
    assert len(letters()) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"roster_days_before": None},
        {"state": EventState.CANCELLED},
        {"starts_at": MORNING - timedelta(hours=1), "ends_at": EVENING},
    ],
)
def test_nothing_goes_out_for_an_event_that_wants_none(evening, clock, changes):
    with transaction():
        event = database.session.merge(evening)
        for name, value in changes.items():
            # state by hand: the test makes an event as it might stand
            setattr(event, name, value)
    clock.to(MORNING)
    mail_rosters({})
    assert letters() == []


def test_an_event_without_people_sends_nothing_until_there_is_somebody(app, db, clock):
    event = cast.make_event(
        types={"Standard": 0}, starts_at=EVENING, ends_at=EVENING, roster_days_before=3
    )
    cast.make_leader(event)
    clock.to(MORNING)
    mail_rosters({})
    assert letters() == []
    make_people(event, 1)
    mail_rosters({})
    assert [m.subject for m in letters()] == [f"Roster: {event.title}, 1 person"]


# ---- the command


def test_the_command_prints_the_roster_and_sends_it(evening):
    printed = CliRunner().invoke(roster, ["an-evening"])
    assert printed.exit_code == 0, printed.output
    assert printed.output.splitlines() == [
        "An evening: 2 confirmed",
        "  Pat Person001, MD, Physician, Copperline Clinic",
        "  Pat Person002, MD, Physician, Copperline Clinic",
    ]
    assert letters() == []
    sent = CliRunner().invoke(roster, ["an-evening", "--send"])
    assert "On its way to Lettice Oakenshire, Ambrose Tidewell." in sent.output
    assert len(letters()) == 2
    assert {e.actor_label for e in entries("roster.mailed")} == {"regsys roster"}


def test_the_command_names_what_it_does_not_find(app, db):
    unknown = CliRunner().invoke(roster, ["nowhere"])
    assert (unknown.exit_code, "There is no event 'nowhere'" in unknown.output) == (1, True)
