"""The attendee list as a file. Column ids are stable: spreadsheets of organizers refer to them."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any
from zoneinfo import ZoneInfo

from regsys.events.models import Option
from regsys.events.queries import list_options
from regsys.kernel.csvout import BOM, csv_text, safe_cell
from regsys.kernel.money import exponent, plain
from regsys.kernel.text import N_
from regsys.questions.kinds import Audience
from regsys.questions.models import Question
from regsys.questions.queries import list_readable_questions
from regsys.questions.types import type_of
from regsys.registration.words import proof_words
from regsys.reports import queries
from regsys.reports.queries import Filter, Row

XLSX_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
# Whose answers organizers read; the steward's are never loaded here.
AUDIENCES = frozenset({Audience.ORGANIZER, Audience.LEADERS, Audience.GROUP})


@dataclass(frozen=True)
class Money:
    """An amount for a cell, in minor units."""

    amount: int
    currency: str


Cell = str | int | float | bool | date | datetime | Money | None


@dataclass(frozen=True)
class Column:
    """One column; `title` is a message id, or a question's own column title."""

    id: str
    title: str
    value: Callable[[Row], Cell]
    width: int = 16


def local(moment: datetime | None, zone: str) -> datetime | None:
    """Return a moment as a spreadsheet has it: by the wall clock of a zone."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if moment else None


# Group, role and presence have their columns already, so that nothing moves when they come to be filled.
FIXED: tuple[Column, ...] = (
    Column("event", N_("Event"), lambda r: r.event, 34),
    Column("order", N_("Order"), lambda r: r.order_code, 10),
    Column("registration", N_("Registration"), lambda r: r.code, 14),
    Column("state", N_("State"), lambda r: r.state.value.replace("_", " "), 16),
    Column("first_name", N_("First name"), lambda r: r.first_name),
    Column("last_name", N_("Last name"), lambda r: r.last_name),
    Column("badge_name", N_("Badge name"), lambda r: r.badge_name or r.name),
    Column("pronouns", N_("Pronouns"), lambda r: r.pronouns, 10),
    Column("email", N_("E-mail"), lambda r: r.email, 30),
    Column("phone", N_("Phone"), lambda r: r.phone, 18),
    Column("profession", N_("Profession"), lambda r: r.profession, 20),
    Column("credentials", N_("Credentials"), lambda r: r.credentials, 12),
    Column("workplace", N_("Workplace"), lambda r: r.workplace, 28),
    Column("city", N_("City"), lambda r: r.city),
    Column("zone", N_("Time zone"), lambda r: r.zone, 20),
    Column("ticket_type", N_("Ticket type"), lambda r: r.ticket_type, 26),
    Column("options", N_("Options"), lambda r: "; ".join(n for n, _w in r.chosen.values()), 20),
    Column("group", N_("Group"), lambda r: None, 12),
    Column("role", N_("Role"), lambda r: None, 12),
    Column("price", N_("Price"), lambda r: Money(r.price, r.currency), 11),
    Column("discount", N_("Discount"), lambda r: Money(r.discount, r.currency), 11),
    Column("paid", N_("Paid"), lambda r: Money(r.paid, r.currency), 11),
    Column("due", N_("Due"), lambda r: Money(r.due, r.currency), 11),
    Column("refunded", N_("Refunded"), lambda r: Money(r.refunded, r.currency), 11),
    Column("method", N_("Payment method"), lambda r: ", ".join(r.methods).replace("_", " ")),
    Column("created", N_("Created"), lambda r: local(r.created_at, r.time_zone), 17),
    Column("confirmed", N_("Confirmed"), lambda r: local(r.confirmed_at, r.time_zone), 17),
    Column("cancelled", N_("Cancelled"), lambda r: local(r.ended_at, r.time_zone), 17),
    Column("checked_in", N_("Checked in"), lambda r: None, 17),
    Column("notes", N_("Notes"), lambda r: r.note, 30),
    Column("proof", N_("Shown for the price"), lambda r: proof_words(r.proof), 30),
)


# Where somebody is asked with whom they would share a room: for the house.
WISH = Column("shares_with", N_("Would share with"), lambda r: _wishes(r), 24)
TRANSLATED = (*FIXED, WISH)


def _wishes(row: Row) -> str:
    return "; ".join(wish for _name, wish in row.chosen.values() if wish)


def columns_for(questions: Sequence[Question], options: Sequence[Option] = ()) -> list[Column]:
    """Return the fixed columns, one for each option, then one for each question that the reader may see."""
    found = [*FIXED, *(Column(f"option_{o.id}", o.name, _has(o.id), 12) for o in options)]
    if any(o.asks_wish for o in options):
        found.append(WISH)
    return [*found, *(Column(f"q_{q.key}", q.column_title, _answer(q.key), 24) for q in questions)]


def _columns(chosen: Filter, audiences: frozenset[Audience]) -> list[Column]:
    asked = list_readable_questions(chosen.event_ids, audiences)
    return columns_for(asked, list_options(chosen.event_ids))


def _has(option_id: int) -> Callable[[Row], Cell]:
    return lambda row: True if option_id in row.chosen else None


def _answer(key: str) -> Callable[[Row], Cell]:
    def value(row: Row) -> Cell:
        if key not in row.answers:
            return None
        question, stored = row.answers[key]
        return None if stored is None else type_of(question).export(question, stored)

    return value


def make_csv(
    chosen: Filter, audiences: frozenset[Audience], translate: Callable[[str], str], *, bom: bool
) -> Iterator[str]:
    """Yield the CSV in parts, one batch of rows each."""
    columns = _columns(chosen, audiences)
    titles = [translate(c.title) if c in TRANSLATED else c.title for c in columns]
    yield (BOM if bom else "") + csv_text([[safe_cell(t) for t in titles]])
    for batch in queries.stream_rows(chosen, audiences):
        yield csv_text([[csv_cell(c.value(row)) for c in columns] for row in batch])


def csv_cell(value: Cell) -> str:
    """Return a cell as text that no spreadsheet computes."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Money():
            return plain(value.amount, value.currency)
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case int() | float():
            return str(value)
    return safe_cell(value)


def make_xlsx(
    chosen: Filter, audiences: frozenset[Audience], translate: Callable[[str], str]
) -> IO[bytes]:
    """Write the workbook to a temporary file in constant memory, and return it at its beginning."""
    import xlsxwriter  # slow import

    columns = _columns(chosen, audiences)
    file = tempfile.TemporaryFile()  # noqa: SIM115 – the answer that streams it closes it
    try:
        with xlsxwriter.Workbook(file, XLSX_OPTIONS) as book:
            _write_sheet(book, columns, chosen, audiences, translate)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _write_sheet(
    book: Any,
    columns: Sequence[Column],
    chosen: Filter,
    audiences: frozenset[Audience],
    translate: Callable[[str], str],
) -> None:
    sheet = book.add_worksheet(translate(N_("Registrations")))
    sheet.freeze_panes(1, 0)
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    formats = Formats(book)
    for x, column in enumerate(columns):
        sheet.set_column(x, x, column.width)
        title = translate(column.title) if column in TRANSLATED else column.title
        sheet.write_string(0, x, title, head)
    y = 0
    for batch in queries.stream_rows(chosen, audiences):
        for row in batch:
            y += 1
            for x, column in enumerate(columns):
                write_cell(sheet, y, x, column.value(row), formats)
    sheet.autofilter(0, 0, max(y, 1), len(columns) - 1)


class Formats:
    """A workbook's cell formats, each made once."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.by_currency: dict[str, Any] = {}

    def money(self, currency: str) -> Any:
        if currency not in self.by_currency:
            digits = exponent(currency)
            number = "#,##0" + ("." + "0" * digits if digits else "")
            self.by_currency[currency] = self.book.add_format({"num_format": number})
        return self.by_currency[currency]


def write_cell(sheet: Any, y: int, x: int, value: Cell, formats: Formats) -> None:
    """Write a cell with its type."""
    match value:
        case None | "":
            return
        case bool():
            sheet.write_boolean(y, x, value)
        case Money():
            amount = value.amount / 10 ** exponent(value.currency)
            sheet.write_number(y, x, amount, formats.money(value.currency))
        case datetime():
            sheet.write_datetime(y, x, value, formats.time)
        case date():
            sheet.write_datetime(y, x, value, formats.day)
        case int() | float():
            sheet.write_number(y, x, value)
        case _:
            sheet.write_string(y, x, value)
