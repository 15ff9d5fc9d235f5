"""Work that is done later: so that nobody learns from an answer's time whether an address is known."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regsys.accounts import services
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction


def mail_link(payload: Mapping[str, Any]) -> datetime | None:
    """Mail the link that was asked for, if there is anybody to mail it to."""
    with transaction():
        services.mail_link(payload["email"], target=payload["target"], now=clock.now())
    return None


def tidy(payload: Mapping[str, Any]) -> datetime | None:
    """Forget what is over."""
    with transaction():
        services.tidy(now=clock.now())
    return None


HANDLERS: dict[str, Handler] = {"accounts.mail_link": mail_link, "accounts.tidy": tidy}
PERIODIC = [Periodic("accounts.tidy", 3600)]
