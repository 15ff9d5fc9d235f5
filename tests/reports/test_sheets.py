"""Applications and the waiting list as files: what organizers may see, and nothing of the reviewers."""

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from regsys.applications import services
from regsys.kernel.db import transaction
from regsys.questions.kinds import Audience, Stage
from tests import cast
from tests.applications.desk import REVIEWER, apply, make_call
from tests.waitlist import line

pytestmark = pytest.mark.once


def test_applications_leave_without_private_answers_and_without_the_reviewers_notes(
    client: FlaskClient, db: Any, now: Any
) -> None:
    event = make_call()
    secret = {"visible_to": Audience.STEWARD, "stage": Stage.APPLY}
    cast.make_question(event, "apart", "short_text", **secret)
    answers = {"goals": "=Learn to lead", "needs": "A ramp", "apart": "Not with Odo"}
    a = apply(event, values=answers)
    user = cast.make_user("reviewer")
    with transaction():
        services.write_review(
            a.id, event_id=event.id, user_id=user.id, score=2, note="Too early for her", seen=1,
            actor=REVIEWER, now=now,
        )  # fmt: skip
    cast.sign_in(client)
    text = client.get(f"/organize/events/{event.id}/files/applications.csv").text
    head, row = csv.reader(io.StringIO(text))
    found = dict(zip(head, row, strict=True))
    assert (found["First name"], found["State"]) == ("Undine", "Under review")
    assert found["goals"] == "'=Learn to lead"
    for private in ("A ramp", "Not with Odo", "Too early", "needs", "apart"):
        assert private not in text
    log = client.get(f"/organize/events/{event.id}/files").text
    assert "Applications, CSV" in log


def test_the_waiting_list_leaves_in_order_with_why_not(
    client: FlaskClient, db: Any, now: Any
) -> None:
    event, _people = line.full_event()
    line.wait(event, "Ada Reed", size=2)
    line.wait(event, "Bo Ash")
    cast.sign_in(client)
    answer = client.get(f"/organize/events/{event.id}/files/waiting-list.xlsx")
    rows = list(load_workbook(io.BytesIO(answer.data)).active.values)
    titles = rows[0]
    table = [dict(zip(titles, row, strict=True)) for row in rows[1:]]
    assert [(r["Position"], r["First name"], r["Places"]) for r in table] == [
        (1, "Ada", 2),
        (2, "Bo", 1),
    ]
    assert {r["Why not offered"] for r in table} == {"No place is free for them."}
    cast.sign_in(client, "treasurer")
    for path in ("applications.csv", "waiting-list.csv", "waiting-list.xlsx"):
        assert client.get(f"/organize/events/{event.id}/files/{path}").status_code == 403
