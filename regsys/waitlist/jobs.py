"""The sweep: offers that ran out end, free places go to the next, lists of events that have begun are closed."""

from collections.abc import Mapping
from typing import Any

from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.waitlist import queries, services


def sweep(payload: Mapping[str, Any]) -> None:
    """End, close, enlist, offer: each entry or event in a transaction of its own."""
    now = clock.now()
    for entry_id in queries.list_lapsed_offers(now=now):
        with transaction():
            services.lapse(entry_id, now=now)
    for event_id in queries.list_over(now=now):
        with transaction():
            services.close_list(event_id, now=now)
    for offer_id in queries.list_unfinished():
        with transaction():
            services.tell_unfinished(offer_id, now=now)
    for application_id in queries.list_to_enlist(now=now):
        with transaction():
            services.enlist(application_id, now=now)
    for event_id in queries.list_events_with_line():
        with transaction():
            services.offer_next(event_id, now=now)


HANDLERS: dict[str, Handler] = {"waitlist.sweep": sweep}
PERIODIC = [Periodic("waitlist.sweep", every=20)]
