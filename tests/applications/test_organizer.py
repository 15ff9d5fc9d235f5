"""The pages of those who decide: who sees what, the letters before the decision, the event's terms."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.applications.models import Application, Review
from regsys.applications.states import ApplicationState as S
from regsys.events.models import Event
from regsys.outbox.models import Message
from regsys.pathway.kinds import Need
from regsys.pathway.models import PastCredit
from regsys.pathway.queries import list_wants
from tests.applications.desk import apply, fresh, make_call
from tests.cast import make_confirmed, make_event, make_user, sign_in
from tests.support.counting import counted
from tests.support.typist import Typist


@pytest.fixture
def reviewer(client: FlaskClient, db: Any, clock: Any) -> Typist:
    return Typist(client)


def base(event: Event) -> str:
    return f"/organize/events/{event.id}/applications"


def test_notes_and_scores_are_for_the_reviewers_of_the_event_only(
    app: Any, reviewer: Typist, db: Any
) -> None:
    event, other = make_call(), make_call()
    a = apply(event)
    sign_in(reviewer.client, "reviewer", event=event)
    page = reviewer.get(f"{base(event)}/{a.id}")
    assert "Learn to lead" in page.text
    assert "A ramp" not in page.text, "what is private is no matter of reviewers"
    note = {"score": "4", "note": "Seems tired; a kind candidate"}
    assert reviewer.send(page, note, action="/review").status == 303
    db.session.rollback()
    assert fresh(event).state is S.UNDER_REVIEW
    (review,) = db.session.scalars(select(Review))
    assert (review.score, review.note, review.version) == (4, note["note"], 1)
    assert note["note"] in reviewer.get(f"{base(event)}/{a.id}").text
    assert reviewer.get(base(other)).status == 403
    assert reviewer.get(f"{base(other)}/{a.id}").status == 403
    registrar = Typist(app.test_client())
    sign_in(registrar.client, "registrar")
    for path in (base(event), f"{base(event)}/{a.id}"):
        seen = registrar.get(path)
        assert seen.status == 200
        assert "kind candidate" not in seen.text
        assert "4.0" not in seen.text
    assert registrar.client.post(f"{base(event)}/{a.id}/review").status_code in (400, 403)


def test_every_letter_is_seen_before_many_are_decided(reviewer: Typist, db: Any) -> None:
    event = make_call(places=2)
    for i in range(2):
        apply(event, f"Person{i} Nutkin")
    sign_in(reviewer.client, "reviewer", event=event)
    ids = [fresh(event, f"Person{i} Nutkin").id for i in range(2)]
    path = f"{base(event)}/decide?decision=accept&" + "&".join(f"id={i}" for i in ids)
    page = reviewer.get(path)
    for part in ("To Person0 Nutkin", "To Person1 Nutkin", "2 places are free", "$990.00", "[…]"):
        assert part in page.text.replace("\N{NO-BREAK SPACE}", " "), part
    looked = reviewer.send(page, {"words": "Bring boots."}, button="look", action="/decide")
    assert looked.text.count("Bring boots.") == 3, "in the box, and in each letter"
    db.session.rollback()
    assert fresh(event, "Person0 Nutkin").state is S.SUBMITTED
    assert reviewer.send(looked, button="send", action="/decide").status == 303
    assert "too few for everybody" in reviewer.get(path).text
    again = reviewer.send(looked, button="send", action="/decide")
    assert again.status == 409
    assert "decided already" in again.text
    db.session.rollback()
    letters = db.session.scalars(select(Message).where(Message.kind == "application_accepted"))
    assert ["Bring boots." in m.text for m in letters] == [True, True]
    assert reviewer.get(f"{base(event)}/decide?decision=accept&id=9999").status == 409
    empty = reviewer.send(
        path.replace("accept", "ask"), {"words": ""}, button="send", action="/decide"
    )
    assert empty.status in (409, 422)


def test_the_list_is_narrowed_and_sends_a_constant_number_of_statements(
    app: Any, reviewer: Typist, db: Any
) -> None:
    event = make_call()
    apply(event, "Ada Nutkin")
    sign_in(reviewer.client, "registrar")
    path = base(event)
    with counted(app) as one:
        reviewer.get(path)
    for i in range(4):
        apply(event, f"Person{i} Nutkin")
    db.session.rollback()
    with counted(app) as five:
        page = reviewer.get(path)
    assert len(five) == len(one)
    assert page.text.count("Nutkin, ") == 5
    assert "Nutkin, Ada" in reviewer.get(f"{base(event)}?q=ada").text
    assert "Nobody is here" in reviewer.get(f"{base(event)}?show=declined").text
    assert "5 wait for a decision" in reviewer.get("/organize/applications").text
    assert "5 applications to" in reviewer.get("/organize").text


def test_what_the_event_wants_is_answered_for_reviewer_and_applicant(
    reviewer: Typist, db: Any, clock: Any
) -> None:
    past = make_event(title="Spring intensive")
    make_confirmed(past)  # Lysander Saltmarsh
    clock.move(days=160)
    event = make_call()
    sign_in(reviewer.client, "registrar")
    page = reviewer.get(f"{base(event)}/terms")
    chosen = {
        "intensives": "1",
        "member": "y",
        "accept_hours": "24",
        "answer_by": "2027-08-01T12:00",
    }
    assert reviewer.send(page, chosen, action="").status == 303
    db.session.rollback()
    assert [(w.need, w.count) for w in list_wants(event.id)] == [
        (Need.INTENSIVES, 1),
        (Need.MEMBER, 1),
    ]
    assert db.session.get_one(Event, event.id).accept_hours == 24
    assert "one intensive attended before" in reviewer.get(f"/events/{event.slug}/apply").text
    a, b = apply(event, "Lysander Saltmarsh"), apply(event)
    known = reviewer.get(f"/a/{a.token}").text
    assert "Attended: Spring intensive" in known
    assert "No membership is known" in known
    assert "None is known under this address" in reviewer.get(f"{base(event)}/{b.id}").text
    form = reviewer.get(f"{base(event)}/{b.id}/attest")
    said = {"need": "intensives", "holds": "yes", "what": "Oxford, 2019"}
    assert reviewer.send(form, {**said, "what": ""}, action="").status == 422
    assert reviewer.send(form, said, action="").status == 303
    db.session.rollback()
    credit = db.session.scalars(select(PastCredit)).one()
    assert credit.attested_by in reviewer.get(f"/a/{b.token}").text
    page = reviewer.get(f"{base(event)}/{b.id}")
    assert "Attended: Oxford, 2019" in page.text
    assert reviewer.send(page, action=f"/credit/{credit.id}/withdraw").status == 303
    assert "None is known" in reviewer.get(f"/a/{b.token}").text
    assert reviewer.send(page, action=f"/credit/{credit.id}/withdraw").status == 409


def test_terms_that_somebody_changed_meanwhile_are_not_overwritten(
    reviewer: Typist, db: Any, now: Any
) -> None:
    event = make_call(answer_by=now + timedelta(days=3))
    make_user("reviewer", event=event)
    sign_in(reviewer.client, "registrar")
    page = reviewer.get(f"{base(event)}/terms")
    assert reviewer.send(page, {"accept_hours": "24"}, action="").status == 303
    stale = reviewer.send(page, {"accept_hours": "72"}, action="")
    assert stale.status == 409
    assert 'value="72"' in stale.text
    assert reviewer.send(page, {"accept_hours": "0"}, action="").status == 422


@pytest.mark.once
def test_an_application_is_withdrawn_for_somebody_who_has_asked_for_it(
    reviewer: Typist, db: Any, now: Any
) -> None:
    event = make_call(answer_by=now + timedelta(days=3))
    sign_in(reviewer.client, "registrar")
    a = apply(event, "Lysander Saltmarsh")
    path = f"{base(event)}/{a.id}/withdraw"
    assert f'href="{path}"' in reviewer.get(f"{base(event)}/{a.id}").text
    assert reviewer.send(path, {"reason": ""}, names=["reason"]).status == 422
    assert reviewer.send(path, {"reason": "A new post"}, names=["reason"]).status == 303
    db.session.rollback()
    assert db.session.get_one(Application, a.id).state == "withdrawn"
    (letter,) = db.session.scalars(select(Message).where(Message.kind == "application_withdrawn"))
    assert "A new post" in letter.text
    assert reviewer.send(path, {"reason": "again"}, names=["reason"]).status == 409
