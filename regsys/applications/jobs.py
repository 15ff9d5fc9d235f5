"""The sweep: reminders, places that were let go, drafts that rest; each in a transaction of its own."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from regsys.applications import queries, services
from regsys.jobs.periodic import Handler, Periodic, for_each
from regsys.kernel import clock
from regsys.kernel.db import transaction


def sweep(payload: Mapping[str, Any]) -> None:
    """Remind those who have not paid, tell those whose place was let go, and those whose event was called off."""
    now = clock.now()
    _each([a.id for a in queries.list_to_remind(now=now)], services.remind, now=now)
    _each(queries.list_lapsed(), services.tell_lapsed, now=now)
    _each(queries.list_called_off(), services.decline_called_off, now=now)


def drafts(payload: Mapping[str, Any]) -> None:
    """Mail the links of drafts that rest, and forget old ones."""
    now = clock.now()
    _each(queries.list_old_drafts(now=now), services.drop_draft)
    _each(queries.list_resting_drafts(now=now), services.mail_draft_link, now=now)


def _each(ids: Iterable[int], verb: Callable[..., object], **facts: Any) -> None:
    """Do one thing for each id, in a transaction of its own."""

    @wraps(verb)
    def step(one: int) -> None:
        with transaction():
            verb(one, **facts)

    for_each(ids, step)


HANDLERS: dict[str, Handler] = {"applications.sweep": sweep, "applications.drafts": drafts}
PERIODIC = [Periodic("applications.sweep", every=30), Periodic("applications.drafts", every=300)]
