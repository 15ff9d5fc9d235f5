"""Credits as a file. Column ids are stable, and nobody's answers are in it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import IO
from zoneinfo import ZoneInfo

from regsys.kernel.text import N_
from regsys.reports import tables
from regsys.reports.exports import Cell, Money
from regsys.reports.queries.credits import CreditRow, stream_credits

COLUMNS: Sequence[tuple[str, str, int]] = (
    ("code", N_("Credit"), 18),
    ("name", N_("Name"), 24),
    ("email", N_("E-mail"), 28),
    ("event", N_("Event"), 34),
    ("registration", N_("Registration"), 14),
    ("given_at", N_("Given"), 17),
    ("given", N_("Amount"), 12),
    ("used", N_("Used"), 12),
    ("left", N_("Left"), 12),
    ("currency", N_("Currency"), 9),
    ("until", N_("Counts before"), 17),
    ("state", N_("State"), 10),
    ("reason", N_("Reason"), 30),
)


def _cells(row: CreditRow, zone: str) -> list[Cell]:
    code, r = row.code, row.registration
    given_at, until = (
        at.astimezone(ZoneInfo(z)).replace(tzinfo=None) if at else None
        for at, z in ((code.created_at, zone), (code.ends_at, r.event.time_zone))
    )
    amounts = [Money(n, code.currency) for n in (row.given, row.used, row.left)]
    state = str(row.standing).replace("_", " ")
    head = [code.code, r.name, r.email, r.event.title, r.code, given_at]
    return [*head, *amounts, code.currency, until, state, code.end_reason]


def make_csv(
    zone: str, translate: Callable[[str], str], *, bom: bool, now: datetime
) -> Iterator[str]:
    """Yield the CSV in parts, one batch of rows each."""
    return tables.make_csv(COLUMNS, _batches(zone, now), translate, bom=bom)


def make_xlsx(zone: str, translate: Callable[[str], str], *, now: datetime) -> IO[bytes]:
    """Write the workbook to a temporary file in constant memory, and return it at its beginning."""
    return tables.make_xlsx(N_("Credits"), COLUMNS, _batches(zone, now), translate)


def _batches(zone: str, now: datetime) -> Iterator[list[list[Cell]]]:
    return ([_cells(row, zone) for row in batch] for batch in stream_credits(now=now))
