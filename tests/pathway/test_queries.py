"""What is known of people, on the day that it is for the society."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.members.models import Member
from regsys.pathway.kinds import Need, Verdict
from regsys.pathway.queries import findings_of
from regsys.pathway.services import set_wants
from tests import cast
from tests.applications.desk import REVIEWER

WHO = "ida@example.org"


@pytest.mark.once
def test_the_last_day_of_a_membership_lasts_until_midnight_where_the_society_is(
    db: Any, now: Any
) -> None:
    event = cast.make_event()
    with transaction():
        set_wants(event.id, {Need.MEMBER: 1}, required=True, actor=REVIEWER, now=now)
        product_db.session.add(
            Member(
                number="7", name="Ida", email=WHO, email_key=WHO, valid_until=date(2026, 12, 31),
                created_at=now, changed_at=now,
            )
        )  # fmt: skip
    evening, midnight = (datetime(2027, 1, 1, hour, tzinfo=UTC) for hour in (7, 8))
    verdicts = [findings_of(event.id, [WHO], now=at)[WHO][0].verdict for at in (evening, midnight)]
    assert verdicts == [Verdict.YES, Verdict.NO]
