"""The verbs of money and of the papers about it."""

from regsys.ledger.services.documents import Paper, PaperLine, issue
from regsys.ledger.services.money import (
    Contested,
    import_refund,
    mark_problem,
    move_refund,
    note_fee,
    record_by_hand,
    record_dispute,
    record_payment,
    refund_whole,
    request_refund,
    take_back,
    take_payment_back,
)

__all__ = [
    "Contested",
    "Paper",
    "PaperLine",
    "import_refund",
    "issue",
    "mark_problem",
    "move_refund",
    "note_fee",
    "record_by_hand",
    "record_dispute",
    "record_payment",
    "refund_whole",
    "request_refund",
    "take_back",
    "take_payment_back",
]
