"""The sweeps: what was awarded follows its place or goes back, and what people wrote is deleted on its day."""

from collections.abc import Mapping
from typing import Any

from regsys.aid import queries, services
from regsys.jobs.periodic import Handler, Periodic, for_each
from regsys.kernel import clock
from regsys.kernel.db import transaction


def sweep(payload: Mapping[str, Any]) -> None:
    """Look after each request whose place went another way, in a transaction of its own."""
    now = clock.now()

    def follow(request_id: int) -> None:
        with transaction():
            services.follow(request_id, now=now)

    for_each(queries.list_to_follow(), follow)


def delete_words(payload: Mapping[str, Any]) -> None:
    """Delete what people wrote when they asked, on the day that the form named."""
    now = clock.now()

    def forget(request_id: int) -> None:
        with transaction():
            services.forget_words(request_id, now=now)

    for_each(queries.list_to_forget(now=now), forget)


HANDLERS: dict[str, Handler] = {"aid.sweep": sweep, "aid.delete_words": delete_words}
PERIODIC = [Periodic("aid.sweep", every=20), Periodic("aid.delete_words", every=3600)]
