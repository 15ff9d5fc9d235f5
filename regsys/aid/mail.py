"""Letters about help with the fee: they say that there is news, and what it is stands behind the person's own link.

Organizers can read every letter, and help is known to nobody but the person and the committee.
"""

from datetime import datetime

from flask_babel import gettext as _

from regsys.aid.models import AidRequest
from regsys.kernel.money import show
from regsys.kernel.text import N_
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration.mail import when, where
from regsys.registration.models import Registration
from regsys.registration.queries import due
from regsys.web.urls import absolute

NEWS = {
    "asked": N_("What you wrote to us is here. Your place is held, and you hear from us."),
    "answered": N_("We have an answer for you about your place."),
    "let_go": N_("Your place was not claimed in time, so it was let go."),
}


def send_invited(r: Registration, *, until: datetime, now: datetime) -> None:
    """Tell somebody for whom another one pays that their place is held, and what they can do before it is paid."""
    letter = compose(
        "aid/mail_invited",
        key=f"place-held:{r.id}",
        kind="place_held",
        to=(r.name, r.email),
        subject=_("A place is held for you: %(title)s", title=r.event.title),
        links={"own": absolute("registration.attendee", token=r.token)},
        context={
            "r": r,
            "event": r.event,
            "payer": r.order.payer_name,
            "until": until,
            "when": when(r.event),
            "where": where(r.event),
        },
        event_id=r.event_id,
        order_id=r.order_id,
        registration_id=r.id,
    )
    outbox.enqueue(letter, now=now)


def send_price_changed(request: AidRequest, *, until: datetime, now: datetime) -> None:
    """Tell whoever pays for somebody else what is to pay now, and not why."""
    r = request.registration
    order, total = r.order, due(r.order_id).due
    letter = compose(
        "aid/mail_price",
        key=f"price-changed:{request.id}",
        kind="price_changed",
        to=(order.payer_name, order.email),
        subject=_("Your order costs less now: %(title)s", title=r.event.title),
        links={"order": absolute("registration.order", token=order.token)},
        context={
            "order": order,
            "event": r.event,
            "total": show(total, order.currency),
            "until": until,
        },
        order_id=order.id,
    )
    outbox.enqueue(letter, now=now)


def send_asked(request: AidRequest, *, until: datetime, now: datetime) -> None:
    """Say that the request is here, and until when the place is held."""
    _send(request, "asked", until=until, now=now)


def send_awarded(request: AidRequest, *, until: datetime | None, now: datetime) -> None:
    """Say that there is an answer; `until`: when the rest is to be paid, None where nothing is left to pay."""
    _send(request, "answered", until=until, now=now)


def send_declined(request: AidRequest, *, until: datetime | None, now: datetime) -> None:
    """Say that there is an answer, in the same words as an award: who reads over a shoulder learns nothing."""
    _send(request, "answered", until=until, now=now)


def send_returned(request: AidRequest, *, now: datetime) -> None:
    """Say that the place was let go, and the help with it."""
    _send(request, "let_go", until=None, now=now)


def _send(request: AidRequest, news: str, *, until: datetime | None, now: datetime) -> None:
    r = request.registration
    letter = compose(
        "aid/mail_news",
        key=f"place-news:{news}:{r.id}",
        kind="place_news",
        to=(r.name, r.email),
        subject=_("About your place: %(title)s", title=r.event.title),
        links={"news": absolute("aid.ask", token=r.token)},
        context={
            "r": r,
            "event": r.event,
            "news": _(NEWS[news]),
            "until": until,
            "when": when(r.event),
            "where": where(r.event),
        },
        event_id=r.event_id,
        order_id=r.order_id,
        registration_id=r.id,
    )
    outbox.enqueue(letter, now=now)
