"""A table as a file: columns of (stable id, title, width), and rows that come in batches."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from regsys.kernel.csvout import BOM, csv_text, safe_cell
from regsys.reports import exports
from regsys.reports.exports import Cell

Columns = Sequence[tuple[str, str, int]]
Batches = Iterable[Sequence[Sequence[Cell]]]


def make_csv(
    columns: Columns, batches: Batches, translate: Callable[[str], str], *, bom: bool
) -> Iterator[str]:
    """Yield the CSV in parts, one batch of rows each."""
    titles = [safe_cell(translate(title)) for _, title, _ in columns]
    yield (BOM if bom else "") + csv_text([titles])
    for batch in batches:
        yield csv_text([[exports.csv_cell(c) for c in row] for row in batch])


def make_xlsx(
    title: str, columns: Columns, batches: Batches, translate: Callable[[str], str]
) -> IO[bytes]:
    """Write the workbook to a temporary file in constant memory, and return it at its beginning."""
    import xlsxwriter  # slow import

    file = tempfile.TemporaryFile()  # noqa: SIM115 – the answer that streams it closes it
    try:
        with xlsxwriter.Workbook(file, exports.XLSX_OPTIONS) as book:
            _write(book, book.add_worksheet(translate(title)), columns, batches, translate)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _write(
    book: Any, sheet: Any, columns: Columns, batches: Batches, translate: Callable[[str], str]
) -> None:
    sheet.freeze_panes(1, 0)
    head = book.add_format({"bold": True, "bottom": 1})
    formats = exports.Formats(book)
    for x, (_, title, width) in enumerate(columns):
        sheet.set_column(x, x, width)
        sheet.write_string(0, x, translate(title), head)
    rows = (row for batch in batches for row in batch)
    for y, row in enumerate(rows, start=1):
        for x, cell in enumerate(row):
            exports.write_cell(sheet, y, x, cell, formats)
