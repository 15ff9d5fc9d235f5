"""What people write to the committee: deleted on its day, and read without what names anybody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from regsys.aid import jobs, queries, rules, services
from regsys.aid.models import AidRequest
from regsys.aid.states import RequestState as S
from regsys.audit.models import AuditEntry
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db as session
from regsys.kernel.db import transaction
from regsys.questions.kinds import Audience
from regsys.registration.models import Registration
from tests import cast
from tests.aid.giving import WORDS, asked, award, make_fund, place_of, state
from tests.conftest import Clock
from tests.support import rawsql

ENDS = datetime(2027, 4, 25, 17, tzinfo=UTC)


@pytest.mark.once
@pytest.mark.parametrize(
    ("stands", "at", "goes"),
    [
        (S.ASKED, ENDS - timedelta(days=90), ENDS + timedelta(days=30)),
        (S.AWARDED, ENDS - timedelta(days=90), ENDS + timedelta(days=30)),
        (S.USED, ENDS - timedelta(days=90), ENDS + timedelta(days=30)),
        (S.DECLINED, ENDS - timedelta(days=90), ENDS - timedelta(days=60)),
        (S.WITHDRAWN, ENDS - timedelta(days=90), ENDS - timedelta(days=60)),
        (S.RETURNED, ENDS - timedelta(days=1), ENDS + timedelta(days=29)),
        (S.RETURNED, ENDS + timedelta(days=9), ENDS + timedelta(days=30)),
    ],
)
def test_the_day_on_which_words_are_deleted(stands: S, at: datetime, goes: datetime) -> None:
    assert rules.words_go_at(stands, at, ENDS, 30) == goes


def test_what_was_written_is_gone_on_its_day_and_the_report_stays(
    db: Any, clock: Clock, database: Any
) -> None:
    fund_id = make_fund(clock)
    event = cast.make_event(types={"Standard": 92000})
    ends_at = event.ends_at
    _, kept = asked(clock, event=event)
    assert award(kept, 92000, clock)
    _, no = asked(clock, "Osric Thistle", event=event)
    with transaction():
        services.decline(no, scope=None, actor=SYSTEM, now=clock.now)
    report = [(p.count, p.amount) for p in queries.list_reports()[0].parts.values()]

    def stored() -> list[bool]:
        """Look at the rows themselves: whose words are there?"""
        jobs.delete_words({})
        db.session.rollback()
        rows = rawsql.rows(database.url, "SELECT words FROM aid_request ORDER BY id")
        assert all(words is None or words.startswith("gAAAA") for (words,) in rows), "sealed"
        return [words is not None for (words,) in rows]

    clock.move(days=30, minutes=-1)
    assert stored() == [True, True], "the day before"
    clock.move(minutes=1)
    assert stored() == [True, False], "30 days after a no"
    clock.to(ends_at + timedelta(days=30, minutes=-1))
    assert stored() == [True, False], "the day before"
    clock.move(minutes=1)
    assert stored() == [False, False], "30 days after the event"
    entries = select(AuditEntry).where(AuditEntry.action == "aid_request.words_deleted")
    said = session.session.scalars(entries.order_by(AuditEntry.id)).all()
    assert [e.subject_id for e in said] == [no, kept]
    assert [(e.event_id, e.order_id) for e in said] == [(None, None)] * 2, "nobody is named"
    assert [(p.count, p.amount) for p in queries.list_reports()[0].parts.values()] == report
    assert state(kept)[0] is S.USED
    assert queries.lefts_of({fund_id: queries.get_fund(fund_id)}) == {fund_id: 8000}
    (shown,) = [b for b in queries.list_blind(None, waiting=False) if b.id == kept]
    assert (shown.words, shown.amount) == (None, 92000)


KNOWN = ("Zoë", "Li", "", "zoe.l@example.org", "The Copperline Clinic", "+1 206 555 0112", "Bow")


@pytest.mark.once
@pytest.mark.parametrize(
    ("wrote", "reads"),
    [
        ("I am ZOE from copperline clinic in Bow", "I am […] from […] […] in […]"),
        ("Zoë Li, the only doctor; some live far, Lia too", "[…] […], the only doctor; some live far, Lia too"),
        ("li is a mile", "li is a mile"),
        ("write to boss@hospital.example.org or www.hospital.example", "write to […] or […]"),
        ("call 206-555-0199 or (206) 555 0112 from 9 to 5", "call […] or […] from 9 to 5"),
        ("in 2026 I earn $31,000 and pay 920", "in 2026 I earn $31,000 and pay 920"),
    ],
)  # fmt: skip
def test_what_names_anybody_is_masked(wrote: str, reads: str) -> None:
    assert rules.masked(wrote, KNOWN) == reads


@pytest.mark.once
def test_the_committee_reads_the_career_stage_and_nothing_that_names(db: Any, clock: Clock) -> None:
    make_fund(clock)
    event = cast.make_event(types={"Standard": 92000})
    choices = [["resident", "Resident at Copperline"], ["faculty", "Teaching"]]
    cast.make_question(event, "career_stage", "one_choice", choices=choices, label="Where are you?")
    cast.make_question(event, "stage", "short_text", label="Career stage")
    order_id, request_id = asked(clock, event=event)
    r = place_of(order_id)
    cast.make_answers(r, career_stage="resident", stage="A guess by its label")
    with transaction():
        session.session.get_one(Registration, r.id).phone = "+1 206 555 0112"

    def shown() -> Any:
        session.session.rollback()
        return queries.list_blind(None, waiting=True)[0]

    assert (shown().profession, shown().stage) == ("Physician", "Resident at […]")
    assert shown().words == "I am the only nurse on the island. Yours, […] […] of […]"
    assert session.session.get_one(AidRequest, request_id).words == WORDS
    for private in ({"sensitive": True}, {"visible_to": Audience.STEWARD}):
        with transaction():
            q = session.session.get_one(Registration, r.id).answers[0].question
            q.sensitive, q.visible_to = False, Audience.LEADERS
            for name, value in private.items():
                setattr(q, name, value)
        assert shown().stage == "", private
