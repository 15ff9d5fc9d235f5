"""The web form that questions make: what it shows, what it demands, what it takes from a hostile browser."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from regsys.kernel.db import transaction
from regsys.questions import queries, services
from regsys.questions.forms import QuestionsForm, build
from tests import cast
from tests.support import hostile


@pytest.fixture
def event(db: Any, now: datetime) -> Any:
    return cast.make_event()


@pytest.fixture
def person(event: Any) -> int:
    return cast.list_people(cast.make_cart(event))[0].id


def form_of(app: Flask, event: Any, person: int, sent: Any = None) -> QuestionsForm:
    entries = queries.list_form(event.id, person)
    with app.test_request_context(method="POST" if sent is not None else "GET"):
        formdata = MultiDict(sent) if sent is not None else None
        return build(entries, formdata=formdata, meta={"csrf": False})


def check(app: Flask, event: Any, person: int, sent: Any) -> QuestionsForm:
    entries = queries.list_form(event.id, person)
    with app.test_request_context(method="POST"):
        form = build(entries, formdata=MultiDict(sent), meta={"csrf": False})
        form.validate()
    return form


def save(event: Any, person: int, now: datetime, **values: Any) -> None:
    with transaction():
        services.store_answers(person, event_id=event.id, values=values, now=now)


def test_fields_stand_in_the_order_of_the_questions(app: Flask, event: Any, person: int) -> None:
    cast.make_question(event, "later", position=9)
    cast.make_question(event, "first", position=1)
    assert [f.name for f in form_of(app, event, person)] == ["q_first", "q_later"]


def test_what_was_answered_is_shown_again_unless_it_is_private(
    app: Flask, event: Any, person: int, now: datetime
) -> None:
    cast.make_question(event, "goals")
    cast.make_question(event, "allergy", sensitive=True)
    save(event, person, now, goals="listen", allergy="walnuts")
    form = form_of(app, event, person)
    assert (form["q_goals"].data, form["q_allergy"].data) == ("listen", None)
    assert "Saved" in form["q_allergy"].description
    assert "walnuts" not in "".join(str(f()) for f in form)


def test_an_empty_private_field_keeps_and_a_tick_deletes(
    app: Flask, event: Any, person: int, now: datetime
) -> None:
    cast.make_question(event, "allergy", sensitive=True)
    save(event, person, now, allergy="walnuts")
    assert check(app, event, person, {"q_allergy": ""}).kept == ["allergy"]
    form = check(app, event, person, {"q_allergy": "", "clear_allergy": "y"})
    assert (form.kept, form.values) == ([], {"allergy": None})


def test_an_agreement_that_was_given_has_no_field(
    app: Flask, event: Any, person: int, now: datetime
) -> None:
    cast.make_question(event, "word", "agreement", required=True)
    assert "q_word" in form_of(app, event, person)
    save(event, person, now, word=True)
    form = check(app, event, person, {})
    assert "q_word" not in form
    assert (form.errors, form.kept) == ({}, ["word"])


def test_only_what_is_asked_is_demanded(app: Flask, event: Any, person: int) -> None:
    cast.make_question(event, "credit", "yes_no", label="Do you want credit?", required=True)
    only = {"question": "credit", "is": [True]}
    cast.make_question(event, "licence", required=True, show_if=only)
    assert list(check(app, event, person, {}).errors) == ["q_credit"]
    assert check(app, event, person, {"q_credit": "no"}).errors == {}
    form = check(app, event, person, {"q_credit": "yes"})
    assert form.errors == {"q_licence": ["Please answer this: Licence"]}
    assert form["q_licence"].description == "Only if you answered “Yes” to “Do you want credit?”."
    assert not form["q_licence"].flags.required
    assert form["q_credit"].flags.required


def test_one_answer_of_two_kinds_of_list(app: Flask, event: Any, person: int) -> None:
    few = [["a", "A"], ["b", "B"]]
    many = [[str(n), f"Number {n}"] for n in range(9)]
    cast.make_question(event, "few", "one_choice", choices=few)
    cast.make_question(event, "many", "one_choice", choices=many)
    form = check(app, event, person, {"q_few": "b", "q_many": "7"})
    assert (form.errors, form.values) == ({}, {"few": "b", "many": "7"})
    assert (form["q_few"].type, form["q_many"].type) == ("RadioField", "SelectField")


@pytest.mark.in_turn
@pytest.mark.parametrize("sent", hostile.TEXTS, ids=range(len(hostile.TEXTS)))
def test_every_type_survives_hostile_text(
    app: Flask, event: Any, person: int, now: datetime, sent: str
) -> None:
    few = [["a", "A"], ["b", "B"]]
    kinds = {
        "short_text": {}, "long_text": {}, "number": {}, "date": {}, "email": {}, "phone": {},
        "yes_no": {}, "agreement": {}, "one_choice": {"choices": few},
        "several_choices": {"choices": few},
    }  # fmt: skip
    for kind, more in kinds.items():
        cast.make_question(event, kind, kind, **more)
    everything = [(f"q_{kind}", sent) for kind in kinds for _twice in range(2)]
    form = check(app, event, person, everything)
    taken = {k: v for k, v in form.values.items() if f"q_{k}" not in form.errors}
    with transaction():
        services.store_answers(person, event_id=event.id, values=taken, now=now)
    kept = {k: a.stored for k, a in queries.list_answers([person])[person].items()}
    assert kept == {k: v for k, v in taken.items() if v is not None}
    digits = {"number", "phone"} if sent.strip("-").isdigit() else set()
    assert set(kept) <= {"short_text", "long_text", "agreement"} | digits
