"""Sends letters: claim, commit, hand over, write down what the server said."""

from collections.abc import Mapping
from datetime import datetime
from subprocess import SubprocessError
from typing import Any

from regsys.jobs.periodic import Handler
from regsys.kernel import clock, killpoints
from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from regsys.outbox import drawer, papers, services, smtp
from regsys.outbox.compose import Letter
from regsys.web.urls import settings


def send(payload: Mapping[str, Any]) -> datetime | None:
    """Send one letter; return when to try again where that helps."""
    with transaction():
        letter = services.claim(payload["message"], now=clock.now())
    if letter is None:
        return None
    try:
        _hand_over(_with_papers(letter), settings())
    except smtp.NotNow as e:
        with transaction():
            return services.postpone(letter.id, str(e), now=clock.now())
    except smtp.Rejected as e:
        with transaction():
            services.reject(letter.id, str(e), now=clock.now())
    except smtp.Unsure as e:
        with transaction():
            services.doubt(letter.id, str(e), now=clock.now())
    else:
        with transaction():
            services.mark_sent(letter.id, now=clock.now())
    return None


def _with_papers(letter: Letter) -> Letter:
    try:
        return papers.attach(letter)
    except (OSError, RuntimeError, SubprocessError) as e:
        raise smtp.NotNow(f"a document could not be printed: {type(e).__name__}") from e


def _hand_over(letter: Letter, site: Settings) -> None:
    """Give the letter to the mail server; in sandbox mode also, or only, to the data folder."""
    if not _stays_here(site):
        smtp.deliver(letter)
        killpoints.reach("smtp-accepted")
    if site.SANDBOX:
        folder = site.DATA_DIR / "outbox"
        drawer.keep(folder, letter, sender=site.MAIL_DEFAULT_SENDER, now=clock.now())


def _stays_here(site: Settings) -> bool:
    """Tell whether no mail leaves: sandbox mode, and no server was named."""
    return site.SANDBOX and (site.MAIL_SERVER, site.MAIL_PORT) == ("localhost", 25)


HANDLERS: dict[str, Handler] = {"outbox.send": send}
