"""The sweep: what was awarded follows its place, and what is not claimed goes back to the fund."""

from collections.abc import Mapping
from typing import Any

from regsys.aid import queries, services
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction


def sweep(payload: Mapping[str, Any]) -> None:
    """Look after each request whose place went another way, in a transaction of its own."""
    now = clock.now()
    for request_id in queries.list_to_follow():
        with transaction():
            services.follow(request_id, now=now)


HANDLERS: dict[str, Handler] = {"aid.sweep": sweep}
PERIODIC = [Periodic("aid.sweep", every=20)]
