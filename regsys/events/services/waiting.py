"""How people wait for an event that is full."""

from dataclasses import asdict, dataclass
from datetime import datetime

from regsys.events.services.editing import assign, changing
from regsys.kernel.actors import Actor


@dataclass(frozen=True)
class WaitingPlan:
    """Whether there is a list, the hours for an answer, and how many of a profession are kept per eight places."""

    waitlist: bool
    offer_hours: int
    keep_physicians: int
    keep_mental_health: int


def set_waiting(event_id: int, plan: WaitingPlan, *, actor: Actor, now: datetime) -> None:
    """Change how people wait for an event."""
    with changing(event_id, "event.waiting_set", version=None, actor=actor, now=now) as (event, _):
        assign(event, asdict(plan))


def let_run(event_id: int, *, actor: Actor, now: datetime) -> None:
    """Note that an event takes place, however many people come."""
    with changing(event_id, "event.runs", version=None, actor=actor, now=now) as (event, _):
        event.runs_at = now
