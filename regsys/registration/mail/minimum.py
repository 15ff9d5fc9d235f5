"""Letters about events for which too few people have come so far."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.events.models import Event
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration.mail.letters import send_one, when
from regsys.registration.models import Registration
from regsys.web.urls import absolute


def send_at_risk(
    event: Event, to: tuple[str, str], user_id: int, *, confirmed: int, now: datetime
) -> None:
    """Tell an organizer, once, that too few people have come so far."""
    draft = compose(
        "registration/mail_at_risk",
        key=f"at-risk:{event.id}:{user_id}",
        kind="at_risk",
        to=to,
        subject=_("Too few people so far: %(title)s", title=event.title),
        links={"decide": absolute("registration_organizer.minimum", event_id=event.id)},
        context={"event": event, "confirmed": confirmed, "when": when(event)},
        event_id=event.id,
    )
    outbox.enqueue(draft, now=now)


def send_not_sure(r: Registration, *, confirmed: int, now: datetime) -> None:
    """Tell a person, once, that it is not sure yet whether their event takes place."""
    subject = _("Not sure yet: %(title)s", title=r.event.title)
    send_one("not_sure", r, template="registration/mail_not_sure", key=f"not-sure:{r.id}", subject=subject,
          context={"confirmed": confirmed}, now=now)  # fmt: skip
