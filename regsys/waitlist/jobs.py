"""The sweep: offers that ran out end, free places go to the next, lists of events that have begun are closed."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from regsys.jobs.periodic import Handler, Periodic, for_each
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.waitlist import queries, services


def sweep(payload: Mapping[str, Any]) -> None:
    """End, close, enlist, offer: each entry or event in a transaction of its own."""
    now = clock.now()
    _each(queries.list_lapsed_offers(now=now), services.lapse, now=now)
    _each(queries.list_over(now=now), services.close_list, now=now)
    _each(queries.list_unfinished(), services.tell_unfinished, now=now)
    _each(queries.list_to_enlist(now=now), services.enlist, now=now)
    _each(queries.list_events_with_line(), services.offer_next, now=now)


def _each(ids: Iterable[int], verb: Callable[..., object], **facts: Any) -> None:
    """Do one thing for each id, in a transaction of its own."""

    @wraps(verb)
    def step(one: int) -> None:
        with transaction():
            verb(one, **facts)

    for_each(ids, step)


HANDLERS: dict[str, Handler] = {"waitlist.sweep": sweep}
PERIODIC = [Periodic("waitlist.sweep", every=20)]
