"""The letter about answers that organizers have changed for somebody."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.registration.mail.letters import send_one
from regsys.registration.models import Registration
from regsys.web.urls import absolute


def send_answers_changed(r: Registration, *, reason: str, now: datetime) -> None:
    """Tell somebody that their answers were changed for them, and why; no answer stands in the letter."""
    send_one(
        "answers_changed",
        r,
        template="registration/mail_answers_changed",
        key=f"answers-changed:{r.id}:{int(now.timestamp())}",
        subject=_("Your answers were changed: %(title)s", title=r.event.title),
        links={"own": absolute("registration.attendee", token=r.token)},
        context={"reason": reason},
        now=now,
    )
