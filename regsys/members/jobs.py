"""Links by mail, so that the answer takes as long for every address; and what is forgotten."""

from collections.abc import Mapping
from typing import Any

from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.members import services
from regsys.members.badge import today


def mail_link(payload: Mapping[str, Any]) -> None:
    """Mail a link to whoever is on the list under an address."""
    now = clock.now()
    email, number = str(payload["email"]), str(payload["number"])
    with transaction():
        services.mail_link(email, number, target=payload["target"], today=today(now), now=now)


def tidy(payload: Mapping[str, Any]) -> None:
    """Forget what is over."""
    with transaction():
        services.forget_old(now=clock.now())


HANDLERS: dict[str, Handler] = {"members.mail_link": mail_link, "members.tidy": tidy}
PERIODIC = [Periodic("members.tidy", every=3600)]
