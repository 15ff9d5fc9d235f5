"""Yes, no, or nobody knows: a table of cases, without a database."""

from datetime import date, timedelta

import pytest

from regsys.pathway.kinds import Need, Verdict
from regsys.pathway.rules import Attended, Attested, History, Want, judge

TODAY = date(2027, 2, 15)
DAY = timedelta(days=1)
ONE, TWO = Want(Need.INTENSIVES), Want(Need.INTENSIVES, 2)
MEMBER, LEADS = Want(Need.MEMBER), Want(Need.LEADS_GROUP)


def said(need: Need, holds: bool = True, *, ago: int = 30, until: date | None = None) -> History:
    return History(
        attested=[Attested(need, holds, "Oxford 2019", "T. M.", TODAY - ago * DAY, until)]
    )


def been(*days_ago: int) -> list[Attended]:
    return [Attended("Fall intensive", TODAY - n * DAY) for n in days_ago]


CASES = [
    (ONE, History(), Verdict.UNKNOWN, "None is known"),
    (ONE, History(been(100)), Verdict.YES, "Fall intensive (2026)"),
    (ONE, History(been(-100)), Verdict.UNKNOWN, "None is known"),
    (ONE, said(Need.INTENSIVES), Verdict.YES, "Oxford 2019 (T. M.)"),
    (ONE, said(Need.INTENSIVES, holds=False), Verdict.NO, "Oxford 2019 (T. M.)"),
    (ONE, said(Need.MEMBER), Verdict.UNKNOWN, "None is known"),
    (TWO, History(been(100)), Verdict.UNKNOWN, "1 of 2"),
    (TWO, History(been(100, 400)), Verdict.YES, "(2026), Fall"),
    (TWO, History(been(100), attested=said(Need.INTENSIVES).attested), Verdict.YES, "Oxford 2019"),
    (MEMBER, History(), Verdict.UNKNOWN, "No membership"),
    (MEMBER, said(Need.MEMBER), Verdict.YES, "Oxford"),
    (MEMBER, said(Need.MEMBER, until=TODAY), Verdict.YES, "Oxford"),
    (MEMBER, said(Need.MEMBER, until=TODAY - DAY), Verdict.NO, "ended on"),
    (MEMBER, said(Need.MEMBER, holds=False), Verdict.NO, "Oxford"),
    (LEADS, History(), Verdict.UNKNOWN, "No group"),
    (LEADS, History(leads=["Noon circle"]), Verdict.YES, "Leads Noon circle"),
    (LEADS, said(Need.LEADS_GROUP), Verdict.YES, "Oxford"),
    (LEADS, said(Need.LEADS_GROUP, ago=366), Verdict.UNKNOWN, "more than a year"),
    (LEADS, said(Need.LEADS_GROUP, ago=366, until=TODAY + DAY), Verdict.YES, "Oxford"),
    (LEADS, said(Need.LEADS_GROUP, until=TODAY - DAY), Verdict.NO, "until"),
    (LEADS, said(Need.LEADS_GROUP, holds=False), Verdict.NO, "Oxford"),
]


@pytest.mark.parametrize(("want", "history", "verdict", "why"), CASES)
def test_each_want_is_answered_with_its_reason(
    want: Want, history: History, verdict: Verdict, why: str
) -> None:
    (finding,) = judge([want], history, TODAY)
    assert finding.verdict is verdict
    assert why in finding.why % {**finding.facts}


def test_the_newest_word_counts() -> None:
    old = Attested(Need.MEMBER, True, "member", "A", TODAY - 300 * DAY)
    new = Attested(Need.MEMBER, False, "left", "B", TODAY - 3 * DAY)
    for order in ([old, new], [new, old]):
        (finding,) = judge([MEMBER], History(attested=order), TODAY)
        assert finding.verdict is Verdict.NO
