"""Reading a list of members from CSV or XLSX: every line becomes a member, or a reason why not."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email

from regsys.kernel.text import N_, clean
from regsys.members.rules import Line, Unread

MOST_LINES = 20_000
MOST_COLUMNS = 60
# A workbook of two megabytes unpacks to some twenty; what unpacks to more is no list of members.
MOST_UNPACKED = 80 * 1024 * 1024

# Headings as societies write them, without blanks and signs.
_NUMBER = {"number", "membernumber", "memberno", "membershipnumber", "memberid", "no", "id"}
_EMAIL = {"email", "emailaddress", "mail", "eaddress"}
_UNTIL = {
    "validuntil", "until", "expires", "expiry", "expirydate", "expirationdate", "paiduntil",
    "paidthrough", "validto", "memberuntil", "enddate",
}  # fmt: skip
_NAME = {"name", "fullname", "member", "membername"}
_FIRST = {"firstname", "givenname", "first"}
_LAST = {"lastname", "surname", "familyname", "last"}
# Month first, as in the United States, unless the first number cannot be a month.
_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%B %d, %Y")  # fmt: skip

NO_TABLE = N_("This file cannot be read. Save it as CSV (UTF-8) or as an Excel workbook (.xlsx).")
NO_HEADING = N_(
    "The first line must name the columns: number, e-mail and valid until; name may be there too."
)
TOO_LONG = N_("This list is longer than 20,000 lines.")


class NotReadable(Exception):
    """The file as a whole cannot be used; the text is a message id."""


@dataclass(frozen=True)
class Read:
    """What a file says."""

    lines: Sequence[Line]
    unread: Sequence[Unread]


def read_list(content: bytes) -> Read:
    """Read a file, CSV or XLSX by its content; raise NotReadable."""
    rows = _workbook(content) if content[:4] == b"PK\x03\x04" else _csv(content)
    head = next(rows, None)
    columns = _columns(head[1]) if head else None
    if columns is None:
        raise NotReadable(NO_HEADING)
    lines: list[Line] = []
    unread: list[Unread] = []
    for number, cells in rows:
        if len(lines) + len(unread) >= MOST_LINES:
            raise NotReadable(TOO_LONG)
        if any(c not in (None, "") for c in cells):
            one = columns.read(number, cells)
            lines.append(one) if isinstance(one, Line) else unread.append(one)
    return Read(lines, unread)


# ---- rows


Rows = Iterator[tuple[int, Sequence[Any]]]


def _csv(content: bytes) -> Rows:
    text = _decode(content)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row[:MOST_COLUMNS]
    except csv.Error:
        raise NotReadable(NO_TABLE) from None


def _decode(content: bytes) -> str:
    if b"\x00" in content[:2000]:
        raise NotReadable(NO_TABLE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel writes where nobody chose UTF-8.
        return content.decode("cp1252", errors="replace")


def _workbook(content: bytes) -> Rows:
    from openpyxl import load_workbook  # slow import

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
                raise NotReadable(NO_TABLE)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(max_row=MOST_LINES + 2, max_col=MOST_COLUMNS, values_only=True)
        yield from enumerate(rows, start=1)
    except NotReadable:
        raise
    except Exception:  # a damaged workbook breaks the library in many ways
        raise NotReadable(NO_TABLE) from None


# ---- columns


@dataclass(frozen=True)
class _Columns:
    number: int
    email: int
    until: int
    names: Sequence[int]

    def read(self, line: int, cells: Sequence[Any]) -> Line | Unread:
        """Return the member in a line, or why there is none."""
        number, email = _text(cells, self.number), _text(cells, self.email)
        until = cells[self.until] if self.until < len(cells) else None
        day = _day(until)
        why = _why_not(number, email, until, day)
        if why or day is None:
            return Unread(line, *(why or (N_("The day until which it is valid is missing."), {})))
        name = " ".join(part for i in self.names if (part := _text(cells, i)))
        return Line(line, number, name[:200], email, day)


def _columns(head: Sequence[Any]) -> _Columns | None:
    words = [re.sub(r"[^a-z]", "", str(cell or "").lower()) for cell in head]

    def at(known: set[str]) -> int | None:
        return next((i for i, word in enumerate(words) if word in known), None)

    number, email, until = at(_NUMBER), at(_EMAIL), at(_UNTIL)
    if number is None or email is None or until is None:
        return None
    one, parts = at(_NAME), [at(_FIRST), at(_LAST)]
    names = [i for i in parts if i is not None] or ([one] if one is not None else [])
    return _Columns(number, email, until, names)


def _text(cells: Sequence[Any], i: int) -> str:
    value = cells[i] if i < len(cells) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # An export of ours guards its cells against formulas with an apostrophe.
    text = "" if value is None else " ".join(clean(str(value)).split())
    return text.removeprefix("'") if text[:2] in ("'=", "'+", "'-", "'@") else text


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = " ".join(str(value or "").split())[:40]
    return next((day for form in _DATES if (day := _parsed(text, form))), None)


def _parsed(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 – a day has no zone
    except ValueError:
        return None


def _why_not(
    number: str, email: str, until: Any, day: date | None
) -> tuple[str, dict[str, str]] | None:
    if not number or len(number) > 40:
        return N_("There is no member number, or it is longer than 40 characters."), {}
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        return N_("“%(email)s” is no e-mail address."), {"email": email[:80]}
    if len(email) > 254:
        return N_("“%(email)s” is no e-mail address."), {"email": email[:80]}
    if day is None and until not in (None, ""):
        return N_("“%(day)s” is no day; write it like 2027-12-31."), {"day": str(until)[:40]}
    if day is not None and not 1990 <= day.year <= 2200:
        return N_("“%(day)s” is no day; write it like 2027-12-31."), {"day": str(until)[:40]}
    return None


def as_content(read: Read) -> dict[str, Any]:
    """Return what a file says as an upload keeps it."""
    return {
        "lines": [
            [x.line, x.number, x.name, x.email, x.valid_until.isoformat()] for x in read.lines
        ],
        "unread": [[u.line, u.why, dict(u.facts)] for u in read.unread],
    }


def from_content(content: Any) -> Read:
    """Return what an upload has kept."""
    lines: Iterable[Any] = content["lines"]
    return Read(
        [
            Line(n, number, name, email, date.fromisoformat(d))
            for n, number, name, email, d in lines
        ],
        [Unread(n, why, facts) for n, why, facts in content["unread"]],
    )
