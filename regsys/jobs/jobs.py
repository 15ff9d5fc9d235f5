"""The queue keeps itself small."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from regsys.jobs import services
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction

KEEP_DONE = timedelta(days=7)


def tidy(payload: Mapping[str, Any]) -> datetime | None:
    """Forget what was done a week ago."""
    with transaction():
        services.forget_done(clock.now() - KEEP_DONE)
    return None


HANDLERS: dict[str, Handler] = {"jobs.tidy": tidy}
PERIODIC = [Periodic("jobs.tidy", 3600)]
