"""States of an event; "at risk", "in progress" and "over" are derived."""

from enum import StrEnum

from regsys.kernel.states import Moves


class EventState(StrEnum):
    """Closed: shown, and takes no registrations any more."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    CANCELLED = "cancelled"


MOVES: Moves = {
    EventState.DRAFT: frozenset({EventState.PUBLISHED, EventState.CANCELLED}),
    EventState.PUBLISHED: frozenset({EventState.CLOSED, EventState.CANCELLED, EventState.DRAFT}),
    EventState.CLOSED: frozenset({EventState.PUBLISHED, EventState.CANCELLED}),
    EventState.CANCELLED: frozenset(),
}
