"""Payments and refunds as a file. Column ids are stable, and nobody's answers are in it."""

from collections.abc import Callable, Iterator, Sequence
from typing import IO
from zoneinfo import ZoneInfo

from regsys.kernel.text import N_
from regsys.reports import tables
from regsys.reports.exports import Cell, Money
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
    return tables.make_csv(COLUMNS, _batches(zone), translate, bom=bom)


def make_xlsx(zone: str, translate: Callable[[str], str]) -> IO[bytes]:
    """Write the workbook to a temporary file in constant memory, and return it at its beginning."""
    return tables.make_xlsx(N_("Payments and refunds"), COLUMNS, _batches(zone), translate)


def _batches(zone: str) -> Iterator[list[list[Cell]]]:
    return ([_cells(row, zone) for row in batch] for batch in stream_money())
