"""Receipts, invoices and credit notes as a file. Column ids are stable, and nobody's answers are in it."""

from collections.abc import Callable, Iterator
from typing import IO
from zoneinfo import ZoneInfo

from regsys.billing.queries import PaperRow, stream_papers
from regsys.kernel.text import N_
from regsys.ledger.kinds import DocumentKind
from regsys.reports import tables
from regsys.reports.exports import Cell, Money

COLUMNS = (
    ("number", N_("Number"), 14),
    ("kind", N_("Kind"), 12),
    ("issued", N_("Issued"), 17),
    ("order", N_("Order"), 12),
    ("billed_to", N_("Made out to"), 34),
    ("amount", N_("Amount"), 12),
    ("currency", N_("Currency"), 9),
    ("state", N_("State"), 12),
    ("cause", N_("Cause"), 20),
)


def _cells(row: PaperRow, zone: str) -> list[Cell]:
    d = row.document
    sign = -1 if d.kind is DocumentKind.CREDIT_NOTE else 1
    issued = d.issued_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    state = "taken back" if row.void else "stands"
    kind, amount = d.kind.value.replace("_", " "), Money(sign * d.total, d.currency)
    return [d.name, kind, issued, row.order_code, d.billed_to, amount, d.currency, state, d.cause]


def make_csv(zone: str, translate: Callable[[str], str], *, bom: bool) -> Iterator[str]:
    """Yield the CSV in parts, one batch of rows each."""
    return tables.make_csv(COLUMNS, _batches(zone), translate, bom=bom)


def make_xlsx(zone: str, translate: Callable[[str], str]) -> IO[bytes]:
    """Write the workbook to a temporary file in constant memory, and return it at its beginning."""
    return tables.make_xlsx(N_("Papers"), COLUMNS, _batches(zone), translate)


def _batches(zone: str) -> Iterator[list[list[Cell]]]:
    return ([_cells(row, zone) for row in batch] for batch in stream_papers())
