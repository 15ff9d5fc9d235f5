"""States of an invoice. How much of it is paid follows from the money of its order, and is no state."""

from enum import StrEnum

from regsys.kernel.states import Moves


class InvoiceState(StrEnum):
    """Paid: all of it came. Cancelled: a credit note took it back; written off: what was left of it will not come.

    Money that was written down by mistake opens a paid invoice again.
    """

    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"
    WRITTEN_OFF = "written_off"


MOVES: Moves = {
    InvoiceState.OPEN: frozenset(
        {InvoiceState.PAID, InvoiceState.CANCELLED, InvoiceState.WRITTEN_OFF}
    ),
    InvoiceState.PAID: frozenset({InvoiceState.OPEN}),
    InvoiceState.CANCELLED: frozenset(),
    InvoiceState.WRITTEN_OFF: frozenset(),
}
