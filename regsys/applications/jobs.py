"""The sweep: reminders, places that were let go, drafts that rest; each in a transaction of its own."""

from collections.abc import Mapping
from typing import Any

from regsys.applications import queries, services
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction


def sweep(payload: Mapping[str, Any]) -> None:
    """Remind those who have not paid, tell those whose place was let go, and those whose event was called off."""
    now = clock.now()
    for application_id in [a.id for a in queries.list_to_remind(now=now)]:
        with transaction():
            services.remind(application_id, now=now)
    for application_id in queries.list_lapsed():
        with transaction():
            services.tell_lapsed(application_id, now=now)
    for application_id in queries.list_called_off():
        with transaction():
            services.decline_called_off(application_id, now=now)


def drafts(payload: Mapping[str, Any]) -> None:
    """Mail the links of drafts that rest, and forget old ones."""
    now = clock.now()
    for draft_id in queries.list_old_drafts(now=now):
        with transaction():
            services.drop_draft(draft_id)
    for draft_id in queries.list_resting_drafts(now=now):
        with transaction():
            services.mail_draft_link(draft_id, now=now)


HANDLERS: dict[str, Handler] = {"applications.sweep": sweep, "applications.drafts": drafts}
PERIODIC = [Periodic("applications.sweep", every=30), Periodic("applications.drafts", every=300)]
