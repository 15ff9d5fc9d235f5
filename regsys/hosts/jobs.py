"""The sweep: seats are kept, coordinators reminded, people told whose seat or wish has come to nothing."""

from collections.abc import Mapping
from typing import Any

from regsys.hosts import queries, services
from regsys.jobs.periodic import Handler, Periodic, for_each
from regsys.kernel import clock
from regsys.kernel.db import transaction


def sweep(payload: Mapping[str, Any]) -> None:
    """Look after each host in a transaction of its own."""
    now = clock.now()

    def look_after(event_id: int) -> None:
        with transaction():
            services.look_after(event_id, now=now)

    def close_request(request_id: int) -> None:
        with transaction():
            services.close_request(request_id, now=now)

    def tell_lapsed(registration_id: int) -> None:
        with transaction():
            services.tell_lapsed(registration_id, now=now)

    for_each(queries.list_upcoming(now=now), look_after)
    for_each(queries.list_unanswered(now=now), close_request)
    for_each(queries.list_untold(now=now), tell_lapsed)


HANDLERS: dict[str, Handler] = {"hosts.sweep": sweep}
PERIODIC = [Periodic("hosts.sweep", every=20)]
