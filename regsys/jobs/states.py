"""States of a job."""

from enum import StrEnum

from regsys.kernel.states import Moves


class JobState(StrEnum):
    """Leased is not a state: a lease is a time."""

    READY = "ready"
    DONE = "done"
    DEAD = "dead"


MOVES: Moves = {
    JobState.READY: frozenset({JobState.DONE, JobState.DEAD}),
    JobState.DEAD: frozenset({JobState.READY}),
    JobState.DONE: frozenset(),
}
