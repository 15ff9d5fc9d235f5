"""The leaders' area: whose rosters one may open, what stands on them, and what never does."""

from datetime import timedelta

import pytest

from regsys.events.kinds import EventMode
from regsys.kernel.db import db as database
from regsys.kernel.db import transaction
from regsys.questions.kinds import Audience
from regsys.registration import services as registering
from tests import cast
from tests.reports.desk import (
    PRIVATE_ANSWER,
    STEWARD_SECRET,
    entries,
    make_form,
    make_people,
    signed_in,
    text_of,
)
from tests.support.counting import counted


@pytest.fixture
def led(app, db, clock):
    """An event with two people who have answered, and somebody who leads it."""
    event = cast.make_event(types={"Standard": 92000}, title="Spring intensive")
    make_form(event)
    cast.make_question(event, "word", "agreement", visible_to=Audience.LEADERS)
    for r in make_people(event, 2):
        cast.make_answers(
            r, goals="To listen", food=PRIVATE_ANSWER, apart=STEWARD_SECRET, word=True
        )
    with transaction():
        database.session.merge(event).join_link = "https://meet.example.org/spring"
    return event


def test_a_leader_finds_the_confirmed_people_and_what_they_hope_for(app, led):
    waiting = cast.make_order(led, [cast.a_person("Yarrow Rushlight")])
    body = text_of(signed_in(app, "leader", event=led).get(f"/lead/{led.id}"))
    for part in ("Pat Person001", "Pat Person002", "Physician", "Copperline Clinic", "To listen"):
        assert part in body
    assert "You, with 2 people." in body
    assert "Rushlight" not in body
    assert waiting.code not in body


def test_a_roster_never_shows_what_a_leader_need_not_know(app, led):
    leader = signed_in(app, "leader", event=led)
    body = leader.get(f"/lead/{led.id}").get_data(as_text=True)
    for secret in (PRIVATE_ANSWER, STEWARD_SECRET, "@example.org", "$", "920", "Goals: word"):
        assert secret not in body
    assert "To listen" in body


def test_the_roster_of_another_event_stays_shut(app, led):
    other = cast.make_event()
    (unknown,) = make_people(other, 1, first=7)
    leader = signed_in(app, "leader", event=led)
    assert leader.get(f"/lead/{other.id}").status_code == 403
    assert unknown.name not in text_of(leader.get("/lead"))
    assert leader.get("/lead/987654321").status_code == 403
    registrar = signed_in(app, "registrar", event=other)
    assert registrar.get(f"/lead/{led.id}").status_code == 403
    assert registrar.get("/lead").status_code == 403
    assert signed_in(app, "treasurer").get(f"/lead/{led.id}").status_code == 403
    visitor = app.test_client()
    assert visitor.get(f"/lead/{led.id}").location == f"/signin?next=/lead/{led.id}"
    assert visitor.get("/lead").location == "/signin?next=/lead"


def test_organizers_may_open_it_too(app, led):
    client = signed_in(app)
    assert "Pat Person001" in text_of(client.get(f"/lead/{led.id}"))
    assert client.get("/lead/987654321").status_code == 404
    assert "To listen" in text_of(client.get(f"/lead/{led.id}"))


def test_looking_is_written_down_once_a_visit(app, led, clock):
    leader = signed_in(app, "leader", event=led)
    for minutes in (0, 10, 19, 2):
        clock.move(minutes=minutes)
        leader.get(f"/lead/{led.id}")
    first, second = entries("roster.opened")
    assert (second.at - first.at) == timedelta(minutes=31)
    assert (first.event_id, first.actor_kind, first.after) == (led.id, "user", {"people": 2})


def test_what_changed_since_the_last_look_is_shown(app, led, clock):
    leader, address = signed_in(app, "leader", event=led), f"/lead/{led.id}"
    assert "Since you last looked" not in text_of(leader.get(address))
    clock.move(days=1)
    assert "Nothing has changed." in text_of(leader.get(address))
    clock.move(days=1)
    make_people(led, 1, first=3)
    with transaction():
        registering.add_by_hand(
            led.id,
            cast.a_person("Fern Yarrowby"),
            ticket_type_id=led.ticket_types[0].id,
            to_pay=False,
            reason="",
            actor=cast.STRIPE,
            now=clock.now - timedelta(days=5),
        )
    clock.move(days=1)
    fern = find(led, "Fern Yarrowby")
    with transaction():
        registering.cancel_unpaid(
            fern.id, event_id=led.id, reason="ill", actor=cast.STRIPE, now=clock.now
        )
    cast.make_answers(
        find(led, "Pat Person001"),
        goals="To speak",
        food=PRIVATE_ANSWER,
        apart=STEWARD_SECRET,
        word=True,
    )
    body = text_of(leader.get(address))
    assert "Since you last looked, Wed 25 Nov 2026, 9:00 AM PST" in body
    for line in (
        "+ Pat Person003 joined, Thu 26 Nov 2026",
        "− Fern Yarrowby is not coming, Fri 27 Nov 2026",
        "→ Pat Person001 changed an answer, Fri 27 Nov 2026",
        "To speak changed",
    ):
        assert line in body
    assert "Pat Person003 new" in body


def find(event, name):
    """Find a registration of an event by its person's name."""
    rows = database.session.scalars(
        cast.select(cast.Registration)
        .where(cast.Registration.event_id == event.id)
        .execution_options(populate_existing=True)
    )
    return next(r for r in rows if r.name == name)


def test_only_leaders_and_organizers_see_the_way_in(app, led):
    online = cast.make_event(
        mode=EventMode.ONLINE, join_link="https://meet.example.org/x", title="Online one"
    )
    leader = signed_in(app, "leader", event=online)
    assert "https://meet.example.org/x" in leader.get(f"/lead/{online.id}").get_data(as_text=True)


def test_the_list_of_groups_puts_what_comes_first_and_shows_no_drafts(app, db, clock):
    now = clock.now
    past = cast.make_event(
        title="Past one", starts_at=now - timedelta(days=9), ends_at=now - timedelta(days=8)
    )
    coming = cast.make_event(title="Coming one", sessions=[(now, now + timedelta(hours=1))])
    draft = cast.make_event(title="Secret draft", state="draft")
    make_people(coming, 1)
    client = app.test_client()
    user = cast.sign_in(client, "leader", event=coming)
    with transaction() as session:
        leader = session.scalars(cast.select(cast.Leader).filter_by(user_id=user.id)).one()
        for event in (past, draft):
            session.add(cast.Assignment(event_id=event.id, leader_id=leader.id, role="leader"))
    body = text_of(client.get("/lead"))
    assert body.index("Coming one") < body.index("1 person") < body.index("Past one")
    assert "Secret draft" not in body


def test_rosters_and_lists_of_groups_cost_the_same_at_one_three_and_thirty_rows(app, db, clock):
    client = app.test_client()
    event = cast.make_event(types={"Standard": 0}, places=None)
    cast.make_question(event, "goals", visible_to=Audience.LEADERS)
    user = cast.sign_in(client, "leader", event=event)
    costs = {"/lead": [], f"/lead/{event.id}": []}
    made = 0
    for rows in (1, 3, 30):
        for r in make_people(event, rows - made, first=made + 1):
            cast.make_answers(r, goals="To listen")
        with transaction() as session:
            leader = session.scalars(cast.select(cast.Leader).filter_by(user_id=user.id)).one()
        for _n in range(made, rows):
            other = cast.make_event()
            with transaction() as session:
                session.add(cast.Assignment(event_id=other.id, leader_id=leader.id, role="leader"))
        made = rows
        for address, found in costs.items():
            client.get(address)
            with counted(app) as sent:
                assert client.get(address).status_code == 200
            found.append(len(sent))
    assert {a: len(set(found)) for a, found in costs.items()} == dict.fromkeys(costs, 1)
