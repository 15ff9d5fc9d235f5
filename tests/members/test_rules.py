"""Lists as files, compared with what is known; and who counts as a member."""

import io
from datetime import date

import pytest
from openpyxl import Workbook

from regsys.members import reading, rules
from regsys.members.rules import Known, Line

DAY = date(2027, 12, 31)
CSV = """\ufeffMember no.;First name;Last name;E-mail;Valid until
17;Ida;Fern;ida@example.org;2027-12-31
18;Odo;Larch;odo.example.org;2027-12-31

19;Una;Reed;una@example.org;soon
;Bo;Ash;bo@example.org;12/31/2027
20;Zoë;Quill;zoe@example.org;31.12.2027
"""


def _workbook() -> bytes:
    book = Workbook()
    book.active.append(["Number", "Name", "Email", "Paid through"])
    book.active.append([17.0, "Ida Fern", "ida@example.org", DAY])
    book.active.append([18, "Odo Larch", "odo@example.org", "12/31/2027"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_csv_list_is_read_line_by_line_and_says_which_cannot_be_used() -> None:
    read = reading.read_list(CSV.encode())
    assert read.lines == [
        Line(2, "17", "Ida Fern", "ida@example.org", DAY),
        Line(7, "20", "Zoë Quill", "zoe@example.org", DAY),
    ]
    assert [u.line for u in read.unread] == [3, 5, 6]
    whole = [u.why % u.facts for u in read.unread]
    assert "odo.example.org" in whole[0]
    assert "“soon” is no day" in whole[1]
    assert "no member number" in whole[2]
    assert reading.from_content(reading.as_content(read)) == read


def test_a_workbook_and_an_old_code_page_are_read_too() -> None:
    assert [x.number for x in reading.read_list(_workbook()).lines] == ["17", "18"]
    latin = "number,name,email,valid until\n5,Zoë Quill,zoe@example.org,12/31/2027".encode("cp1252")
    assert reading.read_list(latin).lines == [Line(2, "5", "Zoë Quill", "zoe@example.org", DAY)]


@pytest.mark.parametrize(
    "content", [b"", b"name,email\nIda,ida@example.org", b"PK\x03\x04 broken", b"\x00\x01\x02"]
)
def test_a_file_that_is_no_list_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(reading.NotReadable):
        reading.read_list(content)


def test_a_list_is_compared_by_number() -> None:
    known = [
        Known("1", "Ida Fern", "ida@example.org", DAY),
        Known("2", "Odo Larch", "odo@example.org", DAY),
        Known("3", "Una Reed", "una@example.org", DAY, ended=True),
        Known("4", "Bo Ash", "bo@example.org", DAY),
    ]
    lines = [
        Line(2, "1", "", "ida@example.org", DAY),  # no name in the file: the known one stays
        Line(3, "2", "Odo Larch", "larch@example.org", DAY),
        Line(4, "3", "Una Reed", "una@example.org", DAY),
        Line(5, "9", "Zoë Quill", "zoe@example.org", DAY),
        Line(6, "9", "Zoë Quill", "zoe@example.org", DAY),
    ]
    d = rules.compare(lines, known, whole=True)
    assert ([x.number for x in d.new], d.same, d.changes) == (["9"], 1, 4)
    assert [(c.line.number, c.back) for c in d.changed] == [("2", False), ("3", True)]
    assert [k.number for k in d.ended] == ["4"]
    assert [u.line for u in d.twice] == [6]
    assert rules.compare(lines, known, whole=False).ended == []


def test_a_badge_lasts_a_month_and_never_beyond_the_membership() -> None:
    today = date(2027, 12, 1)
    assert rules.badge_until(DAY, today) == DAY
    assert rules.badge_until(date(2028, 6, 1), today) == date(2027, 12, 31)
    assert rules.read_badge([4, "2027-12-01"], today) == rules.Badge(4, today)
    assert rules.read_badge([4, "2027-11-30"], today) is None
    assert rules.read_badge("4", today) is None
    assert rules.is_valid(valid_until=today, ended=False, today=today)
    assert not rules.is_valid(valid_until=today, ended=True, today=today)
