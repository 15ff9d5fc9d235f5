"""Deciding, the place that is held, and what the sweep does about it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from regsys.applications import jobs, services
from regsys.applications.models import Application
from regsys.applications.rules import Decision
from regsys.applications.states import ApplicationState as S
from regsys.audit.queries import list_for
from regsys.events.queries import places_of
from regsys.events.states import EventState
from regsys.kernel.actors import ANONYMOUS, STRIPE
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused, RegsysError
from regsys.outbox.models import Message
from regsys.questions.models import Answer
from regsys.registration import jobs as registration_jobs
from regsys.registration import queries as registration
from regsys.registration import services as registrations
from regsys.registration.states import RegistrationState as R
from tests.applications.desk import ABOUT, REVIEWER, apply, decide, fresh, make_call
from tests.cast import a_person


def kinds(db: Any) -> list[str]:
    found = db.session.scalars(select(Message.kind).order_by(Message.id))
    return [k.removeprefix("application_") for k in found]


def sweep() -> None:
    registration_jobs.sweep({})
    jobs.sweep({})
    jobs.sweep({})


def test_accepted_a_place_is_held_with_everything_that_was_answered(db: Any, clock: Any) -> None:
    event = make_call(accept_hours=36)
    a = apply(event)
    decide(event, a, words="We look forward to you.")
    a = fresh(event)
    r = a.registration
    assert r
    assert (a.state, a.decided_by, r.state) == (S.ACCEPTED, "Roswitha Calloway", R.AWAITING_PAYMENT)
    assert registration.list_ends([r.id], now=clock.now) == {r.id: clock.now + timedelta(hours=36)}
    answers = db.session.scalars(select(Answer).where(Answer.registration_id == r.id))
    assert {x.key: x.stored for x in answers} == {"goals": "Learn to lead", "needs": "A ramp"}
    assert {k: getattr(r, k) for k in ABOUT} == ABOUT
    assert r.answered_at is not None, "what is asked later is not required"
    letter = db.session.scalars(select(Message).where(Message.kind == "application_accepted")).one()
    assert "We look forward to you." in letter.text
    assert "$990.00" in letter.text
    assert letter.links["order"].endswith(f"/o/{r.order.token}")
    deeds = [e.action.partition(".")[2] for e in list_for("application", a.id)]
    assert deeds == ["submitted", "under_review", "accepted"]


def test_many_are_decided_together_or_nobody_is(db: Any, now: Any) -> None:
    event = make_call(places=2)
    three = [apply(event, f"Person{i} Nutkin") for i in range(3)]
    with pytest.raises(Refused) as caught:
        decide(event, *three)
    assert caught.value.refusal.name == "Full"
    db.session.expire_all()
    assert {a.state for a in db.session.scalars(select(Application))} == {S.SUBMITTED}
    assert kinds(db) == ["received"] * 3
    decide(event, *three[:2])
    decide(event, three[2], how=Decision.WAIT, words="It may take a while.")
    assert kinds(db)[3:] == ["accepted", "accepted", "waits"]
    waiting = fresh(event, "Person2 Nutkin")
    assert (waiting.state, waiting.registration) == (S.ACCEPTED, None)
    with pytest.raises(Refused, match="taken or held"), transaction():
        services.hold_again(waiting.id, event_id=event.id, actor=REVIEWER, now=now)
    assert places_of([event.id], now=now)[event.id].left == 0
    with pytest.raises(Refused, match="decided already"):
        decide(event, three[2])


def test_a_change_meanwhile_and_a_foreign_event_are_refused(db: Any, now: Any) -> None:
    event, other = make_call(), make_call()
    a = apply(event)
    sheet = services.Sheet(a_person("Undine Nutkin"), a.ticket_type_id, ABOUT, {"goals": "More"})
    with transaction():
        services.start_review(a.id, event_id=event.id, actor=REVIEWER, now=now)
    with transaction():
        assert services.edit(a.id, sheet, actor=ANONYMOUS, now=now), "the review begins again"
    seen = {a.id: 1}
    for where, error in ((event, "has changed the application"), (other, "no such application")):
        with pytest.raises(RegsysError, match=error), transaction():
            services.decide(where.id, seen, Decision.ACCEPT, words="", actor=REVIEWER, now=now)
    assert fresh(event).state is S.SUBMITTED


def test_asked_back_it_is_submitted_again_and_waits_for_the_answer(db: Any, clock: Any) -> None:
    event = make_call(edit_reopens=False)
    a = apply(event)
    decide(event, a, how=Decision.ASK, words="Which clinic?")
    a = fresh(event)
    assert (a.state, a.asked) == (S.SUBMITTED, "Which clinic?")
    clock.move(minutes=5)
    decide(event, a, how=Decision.ASK, words="And since when?")
    assert kinds(db) == ["received", "asked", "asked"]


def test_who_does_not_pay_is_reminded_once_and_told_once_that_it_lapsed(
    db: Any, clock: Any
) -> None:
    event = make_call(places=1)
    decide(event, apply(event))
    clock.move(hours=23)
    sweep()
    assert kinds(db) == ["received", "accepted"]
    clock.move(hours=2)
    sweep()
    clock.move(hours=20)
    sweep()
    assert kinds(db) == ["received", "accepted", "reminder"]
    clock.move(hours=4)
    sweep()
    assert kinds(db) == ["received", "accepted", "reminder", "lapsed"]
    assert places_of([event.id], now=clock.now)[event.id].left == 1
    a = fresh(event)
    assert a.state is S.ACCEPTED
    with transaction():
        r = services.hold_again(a.id, event_id=event.id, actor=REVIEWER, now=clock.now)
    with transaction():
        registrations.confirm_paid(r.order_id, actor=STRIPE, now=clock.now)
    clock.move(days=4)
    sweep()
    assert kinds(db)[4:] == ["accepted", "confirmation"]
    with pytest.raises(Refused, match="held again only"), transaction():
        services.hold_again(a.id, event_id=event.id, actor=REVIEWER, now=clock.now)


def test_a_place_given_back_is_free_and_nobody_is_told_that_it_lapsed(db: Any, clock: Any) -> None:
    event = make_call(places=1)
    decide(event, apply(event))
    r = fresh(event).registration
    assert r
    with transaction():
        registrations.decline_offer(r.order_id, actor=ANONYMOUS, now=clock.now)
    clock.move(hours=50)
    sweep()
    assert kinds(db) == ["received", "accepted"]
    assert places_of([event.id], now=clock.now)[event.id].left == 1


def test_who_waits_is_told_when_the_event_is_called_off(db: Any, now: Any) -> None:
    event = make_call()
    apply(event)
    with transaction():
        event.state = EventState.CANCELLED
        event.state_reason = "The house has burned down."
        db.session.add(event)
    sweep()
    assert fresh(event).state is S.DECLINED
    assert kinds(db) == ["received", "called_off"]
    with pytest.raises(Refused, match="decided already"):
        decide(event, fresh(event))
