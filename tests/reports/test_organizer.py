"""Organizers' pages: who may see them, what they show, and what they never show."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from regsys.content.kinds import InquiryKind
from regsys.content.models import Inquiry
from regsys.jobs.models import Job
from regsys.jobs.states import JobState
from regsys.kernel.db import transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.outbox.models import Message
from regsys.outbox.states import MessageState
from regsys.registration import services as registering
from regsys.registration.models import Registration
from tests import cast
from tests.reports.desk import (
    PRIVATE_ANSWER,
    STEWARD_SECRET,
    answer_form,
    entries,
    make_form,
    make_people,
    names_in,
    pay_twice,
    signed_in,
    text_of,
)
from tests.support.counting import counted

PAGES = [
    "/organize",
    "/organize/events",
    "/organize/registrations",
    "/organize/registrations/export.csv",
    "/organize/audit",
    "/organize/jobs",
]


def of_event(event):
    """Return the addresses about one event."""
    base = f"/organize/events/{event.id}"
    return [base, f"{base}/export.csv", f"{base}/export.xlsx", f"{base}/messages"]


# ---- who may see what


def test_a_visitor_is_sent_to_sign_in(app, db, clock, client):
    event = cast.make_event()
    for address in [*PAGES, *of_event(event)]:
        answer = client.get(address)
        assert (answer.status_code, answer.location.split("=")[0]) == (303, "/signin?next"), address


def test_a_leader_sees_none_of_it(app, db, clock):
    event = cast.make_event()
    leader = signed_in(app, "leader", event=event)
    assert {leader.get(address).status_code for address in [*PAGES, *of_event(event)]} == {403}


def test_the_treasurer_sees_money_and_no_people(app, db, clock):
    event = cast.make_event(types={"Standard": 92000})
    (person,) = make_people(event, 1)
    cast.make_order(event, [cast.a_person("Undine Nutkin")])
    pay_twice(person)
    treasurer = signed_in(app, "treasurer")
    page = treasurer.get("/organize")
    assert "$920.00 in" in text_of(page)
    assert f"for order {person.order.code} needs a decision" in text_of(page)
    for secret in ("Person001", "Nutkin", person.email, f"/organize/events/{event.id}"):
        assert secret not in page.get_data(as_text=True)
    closed = [a for a in [*PAGES[2:], *of_event(event)] if treasurer.get(a).status_code != 403]
    assert closed == []


def test_a_registrar_of_one_event_sees_that_one_only(app, db, clock):
    mine, other = cast.make_event(title="Mine to run"), cast.make_event(title="Somebody’s else")
    (known,), (unknown,) = make_people(mine, 1), make_people(other, 1, first=2)
    client = signed_in(app, "registrar", event=mine)
    for address in PAGES[:5]:
        body = text_of(client.get(address))
        assert "Somebody’s else" not in body, address
        assert "Person002" not in body, address
    assert "Mine to run" in text_of(client.get("/organize"))
    assert names_in(client.get("/organize/registrations")) == ["Person001, Pat"]
    assert names_in(client.get(f"/organize/registrations?event={other.id}")) == []
    assert {client.get(a).status_code for a in of_event(other)} == {403}
    assert client.get("/organize/jobs").status_code == 403
    foreign = f"/organize/events/{mine.id}/registrations/{unknown.id}"
    assert client.get(foreign).status_code == 404
    assert client.get(f"{foreign}?private=1").status_code == 404
    assert client.get(foreign.replace(str(unknown.id), str(known.id))).status_code == 200
    beside = client.get(f"/organize/events/{mine.id}?look={unknown.id}")
    assert "Person002" not in text_of(beside)


# ---- today


def test_a_quiet_day_needs_nobody(app, db, clock):
    page = signed_in(app).get("/organize")
    assert "Nothing needs you, Registrar" in text_of(page)


def test_everything_that_needs_a_person_is_on_the_home_page(app, db, clock):
    now = clock.now
    weak = cast.make_event(title="Weak one", minimum=6, decide_at=now + timedelta(days=5))
    event = cast.make_event(title="Strong one", types={"Standard": 92000})
    paid, open_one = make_people(event, 2)
    cast.make_question(event, "goals", required=True)
    cast.make_answers(paid, goals="To listen")
    pay_twice(paid)
    with transaction() as session:
        held = registering.add_by_hand(
            event.id,
            cast.a_person("Yarrow Rushlight"),
            ticket_type_id=event.ticket_types[0].id,
            to_pay=True,
            reason="The clinic has promised to pay",
            actor=cast.STRIPE,
            now=now,
        )
        letter = update(Message).where(Message.registration_id == open_one.id)
        session.execute(letter.values(state=MessageState.FAILED, error="Mailbox full"))
        mine = Registration.id == open_one.id
        session.execute(update(Registration).where(mine).values(answered_at=None))
        session.add(
            Job(
                kind="x", key="x:1", payload={}, state=JobState.DEAD, state_at=now, due=now,
                created_at=now,
            )
        )  # fmt: skip
        session.add(
            Inquiry(
                kind=InquiryKind.GENERAL, received_at=now, name="A", email="a@b.org", message="Hi"
            )
        )
    assert held.name == "Yarrow Rushlight"
    page = signed_in(app).get("/organize")
    body = text_of(page)
    assert "Seven things need you, Registrar" in body
    for sentence in (
        "$920.00 from Pat Person001 needs a decision Paid twice",
        "Weak one has 0 of the 6 people it needs",
        "The place of Yarrow Rushlight in Strong one is held and not paid",
        "A letter to Pat Person002 could not be delivered",
        "One person has not answered the questions for Strong one",
        "One inquiry waits for an answer",
        "One piece of work was given up",
    ):
        assert sentence in body
    assert weak.id != event.id
    treasurer = text_of(signed_in(app, "treasurer").get("/organize"))
    assert "One thing needs you" in treasurer


def test_money_of_an_event_is_what_its_people_paid_and_owe_to_the_cent(app, db, clock):
    one = cast.make_event(title="One", types={"Standard": 33333})
    two = cast.make_event(title="Two", types={"Standard": 10001})
    cart = cast.make_cart(one)
    cast.fill_cart(cast.make_cart(two, cart=cart), [cast.a_person(), cast.a_person()])
    with transaction():
        registering.place(cart.id, now=clock.now)
        ledger.record_payment(
            cart.id,
            amount=40000,
            currency="USD",
            method=Method.CARD,
            actor=cast.STRIPE,
            now=clock.now,
            reference="pi_part",
        )
    body = text_of(signed_in(app).get("/organize"))
    assert "$400.00 in · $33.34 due" in body
    assert "$333.33 in nothing due" in body
    assert "$66.67 in $33.34 due" in body


# ---- the people of an event


def test_people_are_found_narrowed_sorted_and_counted(app, db, clock):
    event = cast.make_event(types={"Standard": 92000, "Student": 33000})
    make_people(event, 2)
    cast.make_confirmed(event, [cast.a_person("Ada Zebra")], quantities={"Student": 1})
    waiting = cast.make_order(event, [cast.a_person("Yarrow Rushlight")])
    make_people(event, 1, first=9)
    client, base = signed_in(app), f"/organize/events/{event.id}"
    everybody = ["Person001, Pat", "Person002, Pat", "Person009, Pat", "Rushlight, Yarrow"]
    assert names_in(client.get(base)) == [*everybody, "Zebra, Ada"]
    assert names_in(client.get(f"{base}?sort=-name"))[0] == "Zebra, Ada"
    assert names_in(client.get(f"{base}?state=awaiting_payment")) == ["Rushlight, Yarrow"]
    assert names_in(client.get(f"{base}?q=zebra")) == ["Zebra, Ada"]
    assert names_in(client.get(f"{base}?q={waiting.code}")) == ["Rushlight, Yarrow"]
    student = event.ticket_types[1].id
    assert names_in(client.get(f"{base}?type={student}")) == ["Zebra, Ada"]
    assert "1 held, unpaid · 4 confirmed" in text_of(client.get(base))
    assert "Nobody fits that" in text_of(client.get(f"{base}?q=nobody"))
    assert "Nobody has a place yet" in text_of(
        client.get(f"/organize/events/{cast.make_event().id}")
    )


def test_open_forms_can_be_found(app, db, clock):
    event = cast.make_event(types={"Standard": 0})
    make_form(event)
    people = [cast.a_person("Ada Answered"), cast.a_person("Olga Open")]
    cast.make_order(event, people)
    client, base = signed_in(app), f"/organize/events/{event.id}"
    assert names_in(client.get(f"{base}?open=1")) == ["Open, Olga"]
    assert "One person has not answered" in text_of(client.get("/organize"))


def test_fifty_people_are_a_page_and_the_filter_is_kept(app, db, clock):
    event = cast.make_event(types={"Standard": 0}, places=None)
    make_people(event, 53)
    client, base = signed_in(app), f"/organize/events/{event.id}"
    first = client.get(f"{base}?q=pat")
    assert "1 to 50 of 53" in text_of(first)
    assert f"{base}?q=pat&amp;page=2" in first.get_data(as_text=True)
    assert f"{base}/export.csv?q=pat" in first.get_data(as_text=True)
    assert names_in(client.get(f"{base}?page=2")) == [f"Person{n:03}, Pat" for n in (51, 52, 53)]
    assert names_in(client.get(f"{base}?page=99")) == names_in(client.get(f"{base}?page=2"))


@pytest.mark.in_turn
@pytest.mark.parametrize(
    "query",
    [
        "q=%25_%5C'%3B--&state=%01&sort=-&type=-1&page=0&look=99999999999999999999",
        "q=" + "x%20" * 400,
        "state=all&state=draft&type=9999999999&event=2147483648&page=2147483647",
        "look=abc&open=yes&sort=token_hash&q=%F0%9F%AA%91",
        "page=%D9%A3&look=0&q=%FF%FE",
    ],
)
def test_hostile_filters_do_no_harm(app, db, clock, query):
    event = cast.make_event()
    make_people(event, 1)
    client = signed_in(app)
    addresses = [*PAGES[:5], *of_event(event)]
    assert {client.get(f"{a}?{query}").status_code for a in addresses} == {200}


# ---- one registration


def test_a_registration_shows_its_whole_history(app, db, clock):
    event = cast.make_event(types={"Standard": 92000})
    (r,) = make_people(event, 1)
    with transaction():
        registering.write_note(
            r.id, "Comes late", event_id=event.id, actor=cast.STRIPE, now=clock.now
        )
    body = text_of(signed_in(app).get(f"/organize/events/{event.id}/registrations/{r.id}"))
    for part in (
        "Pat Person001", r.code, r.email, "Has a place since Tue 24 Nov 2026, 9:00 AM PST.",
        "$920.00 came by card", "Costs now $920.00", "Comes late", "Stripe confirmed the place",
        "You have a place", "Physician", "Copperline Clinic",
    ):  # fmt: skip
        assert part in body, part


def test_verbs_are_offered_where_they_can_be_done(app, db, clock):
    event = cast.make_event(types={"Standard": 92000})
    (paid,) = make_people(event, 1)
    (held,) = cast.list_people(cast.make_order(event, [cast.a_person("Yarrow Rushlight")]))
    client = signed_in(app)
    base = f"/organize/events/{event.id}/registrations"
    shown = {r: client.get(f"{base}/{r.id}").get_data(as_text=True) for r in (paid, held)}
    assert "Send the confirmation again" in shown[paid]
    assert "Cancel the place" not in shown[paid]
    assert "Send the confirmation again" not in shown[held]
    assert f"{base}/{held.id}/cancel" in shown[held]
    assert client.get(f"{base}/{held.id}/cancel").status_code == 200


def test_private_answers_are_read_only_when_asked_for_and_that_is_written_down(app, db, clock):
    event = cast.make_event(types={"Standard": 0})
    make_form(event)
    (r,) = make_people(event, 1)
    answer_form(r)
    client, base = signed_in(app), f"/organize/events/{event.id}"
    plain = client.get(f"{base}/registrations/{r.id}").get_data(as_text=True)
    beside = client.get(f"{base}?look={r.id}").get_data(as_text=True)
    assert "To listen" in plain
    assert "To listen" in beside
    assert PRIVATE_ANSWER not in plain + beside
    assert "Show also the answer that is private" in plain
    assert entries("answers.read") == []
    private = client.get(f"{base}/registrations/{r.id}?private=1").get_data(as_text=True)
    assert PRIVATE_ANSWER in private
    (entry,) = entries("answers.read")
    assert (entry.subject_id, entry.event_id, entry.actor_kind) == (r.id, event.id, "user")
    for body in (plain, beside, private, *(client.get(a).get_data(as_text=True) for a in PAGES)):
        assert STEWARD_SECRET not in body


# ---- letters, deeds, work


def test_letters_of_an_event_leave_out_those_of_another(app, db, clock):
    event, other = cast.make_event(title="This one"), cast.make_event(title="That one")
    make_people(event, 1)
    make_people(other, 1, first=2)
    body = text_of(signed_in(app).get(f"/organize/events/{event.id}/messages"))
    assert "Pat Person001" in body
    assert "Person002" not in body


def test_the_log_says_who_did_what(app, db, clock):
    event = cast.make_event(title="This one")
    make_people(event, 1)
    client = signed_in(app)
    client.get(f"/organize/events/{event.id}/export.csv?q=pat")
    body = text_of(client.get(f"/organize/audit?event={event.id}"))
    assert "CSV, 1 row, found by “pat”" in body
    assert "exported the list" in body
    assert "Stripe confirmed the place" in body
    assert "signed in" not in body
    assert "signed in" in text_of(client.get("/organize/audit"))


def test_the_log_of_an_event_holds_what_happened_to_its_money(app, db, clock):
    event, other = cast.make_event(), cast.make_event()
    for one in (event, other):
        order = cast.make_confirmed(one, [cast.a_person("Pat Person", f"pat{one.id}@example.org")])
    pay_twice(cast.list_people(order)[0])
    client = signed_in(app, "registrar", event=event)
    mine = text_of(client.get(f"/organize/audit?event={event.id}"))
    assert mine.count("noted a payment") == 1
    assert "set a payment aside" not in mine
    assert text_of(client.get("/organize/audit")).count("noted a payment") == 1
    owner = signed_in(app, "owner")
    assert "set a payment aside" in text_of(owner.get(f"/organize/audit?event={other.id}"))


def test_work_that_was_given_up_can_be_tried_again(app, db, clock):
    with transaction() as session:
        job = Job(
            kind="leaders.rosters", key="k", payload={}, state=JobState.DEAD, state_at=clock.now,
            due=clock.now, created_at=clock.now, error="OSError: no route",
        )  # fmt: skip
        session.add(job)
    app.config["WTF_CSRF_ENABLED"] = False
    client = signed_in(app)
    assert "no route" in text_of(client.get("/organize/jobs"))
    assert client.post(f"/organize/jobs/{job.id}/revive").status_code == 303
    assert "Nothing was given up" in text_of(client.get("/organize/jobs"))
    assert client.post(f"/organize/jobs/{job.id}/revive").status_code == 409
    assert len(entries("job.revived")) == 1
    scoped = signed_in(app, "registrar", event=cast.make_event())
    assert scoped.post(f"/organize/jobs/{job.id}/revive").status_code == 403


# ---- as many statements for thirty rows as for one


def queries_of(app, client, address):
    """Return how many statements a page costs, once it is warm."""
    assert client.get(address).status_code == 200
    with counted(app) as sent:
        client.get(address)
    return len(sent)


def test_lists_of_people_cost_the_same_at_one_three_and_thirty_rows(app, db, clock):
    event = cast.make_event(types={"Standard": 92000})
    make_form(event)
    client, base = signed_in(app), f"/organize/events/{event.id}"
    addresses = [base, "/organize/registrations", f"{base}/export.csv", f"{base}/messages"]
    costs = {a: [] for a in addresses}
    made = 0
    for rows in (1, 3, 30):
        make_people(event, rows - made, first=made + 1)
        made = rows
        for address in addresses:
            costs[address].append(queries_of(app, client, address))
    assert {a: len(set(found)) for a, found in costs.items()} == dict.fromkeys(addresses, 1)


def test_lists_of_events_and_the_log_cost_the_same_at_one_three_and_thirty_rows(app, db, clock):
    client = signed_in(app)
    addresses = ["/organize", "/organize/events", "/organize/audit"]
    addresses += ["/organize/treasurer", "/organize/money"]
    costs = {a: [] for a in addresses}
    made = 0
    for rows in (1, 3, 30):
        for n in range(made + 1, rows + 1):
            make_people(cast.make_event(minimum=6, decide_at=clock.now), 1, first=n)
        made = rows
        for address in addresses:
            costs[address].append(queries_of(app, client, address))
    assert {a: len(set(found)) for a, found in costs.items()} == dict.fromkeys(addresses, 1)
    assert max(costs["/organize"]) < 45


def test_a_full_event_says_so(app, db, clock):
    event = cast.make_event(types={"Standard": 0}, places=2)
    make_people(event, 2)
    client = signed_in(app)
    assert "All 2 places are taken or held" in text_of(client.get(f"/organize/events/{event.id}"))
    assert "2 of 2" in text_of(client.get("/organize"))
    assert "full since Tue 24 Nov 2026" in text_of(client.get("/organize"))
