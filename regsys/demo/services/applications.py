"""Applications, what reviewers thought of them, and what events want of people."""

from datetime import datetime
from typing import Any

from regsys.accounts.models import Grant, Role, User
from regsys.applications.models import Application, Review
from regsys.applications.states import ApplicationState
from regsys.audit import services as audit
from regsys.demo.services.calendar import Calendar
from regsys.demo.services.forms import in_words, make_answer
from regsys.demo.services.programme import Programme
from regsys.events.models import Leader
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.text import email_key
from regsys.pathway.kinds import Need
from regsys.pathway.models import Prerequisite
from regsys.questions.kinds import Stage
from regsys.registration.models import Registration

Rows = dict[str, Any]
SCORES = {"accept": 5, "unsure": 3, "decline": 1}


def load_applications(
    data: Rows,
    programme: Programme,
    registrations: dict[str, Registration],
    reviewers: dict[str, User | Leader],
    calendar: Calendar,
) -> None:
    """Load the applications with answers, reviews and history; reviewers get their role."""
    _load_terms(data, programme, reviewers)
    people = {p["id"]: p for p in [*data["people"], *data["leaders"]]}
    places = {w["id"]: w for w in data["workplaces"]}
    answered = {r["id"]: r["answers"] for r in data["registrations"]}
    for row in data["applications"]:
        person = people[row["person"]]
        a = _make(row, person, places, programme, registrations, calendar)
        a.decided_by = reviewers[row["decided_by"]].name if "decided_by" in row else ""
        db.session.add(a)
        db.session.flush()
        known = {**person, **answered.get(row.get("registration"), {}), **row.get("answers", {})}
        _add_answers(a, row, known, programme)
        _add_reviews(a, row, reviewers, calendar)
        _write_history(a, row, reviewers)


def _load_terms(data: Rows, programme: Programme, reviewers: dict[str, User | Leader]) -> None:
    granted = {(u["id"], e) for u in data["users"] for e in u["scope"] if u["role"] == "reviewer"}
    for row in data["events"]:
        event_id = programme.event_ids[row["id"]]
        if "prerequisite" in row:
            db.session.add(Prerequisite(event_id=event_id, need=Need.INTENSIVES))
        for who in row.get("application_reviewers", []):
            if (who, row["id"]) not in granted:
                user_id = _user_id(reviewers[who])
                db.session.add(Grant(user_id=user_id, role=Role.REVIEWER, event_id=event_id))


def _user_id(reviewer: User | Leader) -> int:
    return reviewer.user_id if isinstance(reviewer, Leader) else reviewer.id


def _make(
    row: Rows,
    person: Rows,
    places: Rows,
    programme: Programme,
    registrations: dict[str, Registration],
    calendar: Calendar,
) -> Application:
    token = tokens.new_token()
    event = programme.events[row["event"]]
    r = registrations.get(row.get("registration", ""))
    workplace = places.get(person.get("workplace", ""), {})
    sent = calendar.moment(row["submitted_at"])
    return Application(
        token=token,
        token_hash=tokens.hash_token(token),
        event_id=event.id,
        ticket_type_id=r.ticket_type_id if r else event.ticket_types[0].id,
        state=ApplicationState(row["state"]),
        state_at=_moved_at(row, calendar) or sent,
        **{k: person.get(k, "") for k in ("first_name", "last_name", "pronouns", "email", "phone")},
        email_key=email_key(person["email"]),
        profession=in_words(person.get("profession", "")),
        credentials=person.get("credentials", ""),
        workplace=workplace.get("name", ""),
        city=person.get("city") or workplace.get("city") or "",
        submitted_at=sent,
        letter_words=row.get("letter_note", ""),
        registration_id=r.id if r else None,
        reminded_at=sent if r else None,
        lapsed_at=sent if r else None,
    )


def _moved_at(row: Rows, calendar: Calendar) -> datetime | None:
    reviewed = next((r["at"] for r in row.get("reviews", [])), None)
    return calendar.maybe(row.get("decided_at") or row.get("withdrawn_at") or reviewed)


def _add_answers(a: Application, row: Rows, known: Rows, programme: Programme) -> None:
    for question in programme.questions[row["event"]]:
        value = known.get(question.key)
        if question.stage is Stage.APPLY and value not in (None, "", {}):
            db.session.add(make_answer(question, value, application_id=a.id, at=a.submitted_at))


def _add_reviews(
    a: Application, row: Rows, reviewers: dict[str, User | Leader], calendar: Calendar
) -> None:
    for one in row.get("reviews", []):
        db.session.add(
            Review(
                application_id=a.id,
                user_id=_user_id(reviewers[one["by"]]),
                version=a.version or 1,
                score=SCORES[one["advice"]],
                note=one.get("note", ""),
                at=calendar.moment(one["at"]),
            )
        )


def _write_history(a: Application, row: Rows, reviewers: dict[str, User | Leader]) -> None:
    applicant = Actor("attendee", label=a.name)
    steps = [("submitted", a.submitted_at, applicant)]
    if a.state is not ApplicationState.SUBMITTED:
        by = row.get("decided_by") or next((r["by"] for r in row.get("reviews", [])), "")
        withdrawn = a.state is ApplicationState.WITHDRAWN or not by
        who = applicant if withdrawn else Actor("user", label=reviewers[by].name)
        steps.append((a.state.value, a.state_at, who))
    for action, at, actor in steps:
        audit.record(
            f"application.{action}",
            ("application", a.id),
            actor=actor,
            now=at,
            event_id=a.event_id,
            reason=row.get("reason") if action == "withdrawn" else None,
        )
