"""When a paper can be written anew, how late an invoice is, and when somebody is reminded."""

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.ledger.kinds import DocumentKind

# Nobody needs more names on one receipt, and numbers are not for play.
MOST_ANEW = 5


def why_not_anew(kind: DocumentKind, *, void: bool, times: int) -> Refusal | None:
    """A receipt is made out to another name as long as it stands; `times`: how often the order's were already."""
    if void:
        return Refusal(
            "TakenBackAlready", N_("This paper was taken back already; look at the newest one.")
        )
    if kind is not DocumentKind.RECEIPT:
        return Refusal("NoReceipt", N_("Only receipts can be made out anew here."))
    if times >= MOST_ANEW:
        return Refusal(
            "AnewTooOften",
            N_("The papers of this order were made out anew often enough. Please write to us."),
        )
    return None
