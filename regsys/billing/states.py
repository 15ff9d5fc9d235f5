"""States of an invoice. Whether it is paid follows from the money of its order, and is no state."""

from enum import StrEnum

from regsys.kernel.states import Moves


class InvoiceState(StrEnum):
    """Cancelled: a credit note took it back; written off: what was left of it will not come."""

    OPEN = "open"
    CANCELLED = "cancelled"
    WRITTEN_OFF = "written_off"


MOVES: Moves = {
    InvoiceState.OPEN: frozenset({InvoiceState.CANCELLED, InvoiceState.WRITTEN_OFF}),
    InvoiceState.CANCELLED: frozenset(),
    InvoiceState.WRITTEN_OFF: frozenset(),
}
