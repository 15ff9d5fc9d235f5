"""What an event decides about applications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from regsys.events.services.editing import assign, changing
from regsys.kernel.actors import Actor
from regsys.pathway.kinds import Need
from regsys.pathway.services import set_wants


@dataclass(frozen=True)
class Terms:
    """By when people are told, for how many hours a place is held, and whether a change opens the review again."""

    answer_by: datetime | None
    accept_hours: int
    edit_reopens: bool
    # Leaders of a group talk with everybody first, and decide.
    talk_first: bool = False


def set_terms(
    event_id: int,
    terms: Terms,
    wants: Mapping[Need, int],
    *,
    required: bool = False,
    version: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Change how an event takes applications, and what it wants of people (need → how often), and if it requires that.

    Raises IllegalMove if somebody changed the event meanwhile.
    """
    with changing(event_id, "event.terms_set", version=version, actor=actor, now=now) as (e, _m):
        assign(e, vars(terms))
    set_wants(event_id, wants, required=required, actor=actor, now=now)
