"""The letters to people who say that they are members."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.tokens import hash_token
from regsys.members.models import Member
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.web.urls import absolute, settings


def send_link(m: Member, token: str, *, now: datetime) -> None:
    """Write the letter with the link that marks a browser as a member's."""
    draft = compose(
        "members/mail_link",
        key=f"member:{m.id}:{hash_token(token)}",
        kind="member_link",
        to=(m.name, m.email),
        subject=_("Your link as a member of %(site)s", site=settings().ORGANISATION_NAME),
        links={"member": absolute("members.link", token=token)},
        context={"m": m},
    )
    outbox.enqueue(draft, now=now)


def send_over(m: Member, *, now: datetime) -> None:
    """Write to somebody whose membership is over, at most once a day."""
    draft = compose(
        "members/mail_over",
        key=f"member-over:{m.id}:{now.date().isoformat()}",
        kind="member_over",
        to=(m.name, m.email),
        subject=_("Your membership of %(site)s", site=settings().ORGANISATION_NAME),
        context={"m": m},
    )
    outbox.enqueue(draft, now=now)
