"""Mails rosters some days before the start."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regsys.jobs.periodic import Handler, Periodic, for_each
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.leaders import queries, services
from regsys.leaders.queries import DueLetter


def mail_rosters(payload: Mapping[str, Any]) -> datetime | None:
    """Write every roster that is due; one transaction each, so that nobody waits for all of them."""
    now = clock.now()

    def mail(due: DueLetter) -> None:
        with transaction():
            services.mail_before(due.event_id, due.leader_id, now=now)

    for_each(queries.list_due(now=now), mail)
    return None


HANDLERS: dict[str, Handler] = {"leaders.rosters": mail_rosters}
PERIODIC = [Periodic("leaders.rosters", 600)]
