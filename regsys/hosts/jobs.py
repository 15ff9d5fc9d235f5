"""The sweep: seats are kept, coordinators reminded, people told whose seat or wish has come to nothing."""

from collections.abc import Mapping
from typing import Any

from regsys.hosts import queries, services
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused


def sweep(payload: Mapping[str, Any]) -> None:
    """Look after each host in a transaction of its own."""
    now = clock.now()
    for event_id in queries.list_upcoming(now=now):
        try:
            with transaction():
                services.look_after(event_id, now=now)
        except Refused:
            continue  # no place is free for a seat: the next round tries again
    for request_id in queries.list_unanswered(now=now):
        with transaction():
            services.close_request(request_id, now=now)
    for registration_id in queries.list_untold(now=now):
        with transaction():
            services.tell_lapsed(registration_id, now=now)


HANDLERS: dict[str, Handler] = {"hosts.sweep": sweep}
PERIODIC = [Periodic("hosts.sweep", every=20)]
