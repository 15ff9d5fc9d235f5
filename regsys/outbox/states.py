"""States of a letter."""

from enum import StrEnum

from regsys.kernel.states import Moves


class MessageState(StrEnum):
    """`uncertain`: the server may have taken it, and we crashed before writing that down."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


MOVES: Moves = {
    MessageState.QUEUED: frozenset({MessageState.SENDING}),
    MessageState.SENDING: frozenset(
        {MessageState.SENT, MessageState.QUEUED, MessageState.UNCERTAIN, MessageState.FAILED}
    ),
    MessageState.UNCERTAIN: frozenset({MessageState.QUEUED, MessageState.SENT}),
    MessageState.FAILED: frozenset({MessageState.QUEUED}),
    MessageState.SENT: frozenset(),
}
