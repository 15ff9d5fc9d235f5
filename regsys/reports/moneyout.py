"""Payments and refunds as a file. Column ids are stable, and nobody's answers are in it."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any
from zoneinfo import ZoneInfo

from regsys.kernel.csvout import safe_cell
from regsys.kernel.text import N_
from regsys.reports import exports
from regsys.reports.exports import BOM, Cell, Money
from regsys.reports.queries.treasury import MoneyRow, stream_money

COLUMNS: Sequence[tuple[str, str, int]] = (
    ("kind", N_("Kind"), 10),
    ("date", N_("Date"), 17),
    ("order", N_("Order"), 12),
    ("payer", N_("Paid by"), 24),
    ("events", N_("Events"), 34),
    ("method", N_("Payment method"), 14),
    ("reference", N_("Reference"), 30),
    ("charge", N_("Charge"), 30),
    ("amount", N_("Amount"), 12),
    ("fee", N_("Fee"), 10),
    ("currency", N_("Currency"), 9),
    ("state", N_("State"), 14),
    ("reason", N_("Reason"), 30),
)


def _cells(row: MoneyRow, zone: str) -> list[Cell]:
    p, r = row.payment, row.refund
    at = row.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    method = (r or p).method.value.replace("_", " ")
    head: list[Cell] = ["refund" if r else "payment", at, row.order, row.payer, row.events, method]
    if r:
        amount = Money(-r.amount, r.currency)
        return [*head, r.stripe_id, p.charge, amount, None, r.currency, str(r.state), r.reason]
    fee = None if p.fee is None else Money(p.fee, p.currency)
    state = p.problem.value if p.problem else "received"
    amount = Money(p.amount, p.currency)
    return [*head, p.reference, p.charge, amount, fee, p.currency, state, p.note]


def make_csv(zone: str, translate: Callable[[str], str], *, bom: bool) -> Iterator[str]:
    """Yield the CSV in parts, one batch of rows each."""
    titles = [safe_cell(translate(title)) for _, title, _ in COLUMNS]
    yield (BOM if bom else "") + exports.csv_text([titles])
    for batch in stream_money():
        yield exports.csv_text([[exports.csv_cell(c) for c in _cells(r, zone)] for r in batch])


def make_xlsx(zone: str, translate: Callable[[str], str]) -> IO[bytes]:
    """Write the workbook to a temporary file in constant memory, and return it at its beginning."""
    import xlsxwriter  # slow import

    file = tempfile.TemporaryFile()  # noqa: SIM115 – the answer that streams it closes it
    try:
        with xlsxwriter.Workbook(file, exports.XLSX_OPTIONS) as book:
            _write(book, zone, translate)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _write(book: Any, zone: str, translate: Callable[[str], str]) -> None:
    sheet = book.add_worksheet(translate(N_("Payments and refunds")))
    sheet.freeze_panes(1, 0)
    head = book.add_format({"bold": True, "bottom": 1})
    formats = exports.Formats(book)
    for x, (_, title, width) in enumerate(COLUMNS):
        sheet.set_column(x, x, width)
        sheet.write_string(0, x, translate(title), head)
    y = 0
    for batch in stream_money():
        for row in batch:
            y += 1
            for x, cell in enumerate(_cells(row, zone)):
                exports.write_cell(sheet, y, x, cell, formats)
