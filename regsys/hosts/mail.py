"""The letters about a host's seats; each is composed in the transaction that makes it true."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.accounts.rules import INVITATION_LIFE
from regsys.events.words import private_link
from regsys.hosts import queries
from regsys.hosts.models import Host, SeatRequest
from regsys.hosts.rules import Facts
from regsys.kernel.money import show
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration import ics
from regsys.registration.mail import when, where
from regsys.registration.mail.letters import attached, location
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState
from regsys.web.urls import absolute


def send_invitation(host: Host, link: str, *, now: datetime) -> None:
    """Write to the coordinator: how to sign in, and the private link to pass on; at most once a minute."""
    links = {"sign_in": link}
    if private_link(host.event):
        # The code is as secret as the link: it is left out of what is stored, too.
        links |= {"private": private_link(host.event), "code": host.event.private_key or ""}
    subject = ngettext(
        "%(num)d seat for %(host)s", "%(num)d seats for %(host)s", host.seats,
        host=host.organisation,
    )  # fmt: skip
    context = {"days": INVITATION_LIFE.days}
    minute = int(now.timestamp()) // 60
    key = f"host-invite:{host.id}:{minute}"
    _to_coordinator("invite", host, key=key, subject=subject, links=links, context=context, now=now)


def send_asked(host: Host, request: SeatRequest, *, now: datetime) -> None:
    """Tell the coordinator that somebody asks for a seat; several within an hour make one letter."""
    subject = _("Somebody asks for a seat: %(title)s", title=host.event.title)
    key = f"seat-asked:{host.id}:{int(now.timestamp()) // 3600}"
    context = {"request": request}
    _to_coordinator("asked", host, key=key, subject=subject, context=context, now=now)


def send_reminder(host: Host, facts: Facts, *, now: datetime) -> None:
    """Remind the coordinator that seats have no name yet."""
    subject = ngettext(
        "%(num)d seat has no name yet: %(title)s", "%(num)d seats have no name yet: %(title)s",
        facts.open_seats, title=host.event.title,
    )  # fmt: skip
    key = f"seats-reminder:{host.id}:{(host.kept_until or facts.last_moment).date()}"
    context = {"facts": facts}
    _to_coordinator("reminder", host, key=key, subject=subject, context=context, now=now)


def send_seat(host: Host, r: Registration, *, now: datetime) -> None:
    """Tell a person that a seat has their name; with a calendar entry where it is theirs already."""
    confirmed = r.state is RegistrationState.CONFIRMED
    if r.order.offered:
        links = {"own": absolute("registration.order", token=r.order.token)}
    else:
        links = {"own": absolute("registration.attendee", token=r.token)}
    attachments = []
    if confirmed:
        about = _("Your number: %(code)s", code=r.code)
        text = ics.write(
            r, method="REQUEST", location=location(r.event), description=about, now=now
        )
        attachments = [attached(text, "REQUEST")]
    context = {
        "confirmed": confirmed,
        "pays": r.order.offered and r.price > 0,
        "price": show(r.price, r.event.currency),
        "until": r.order.held_until,
    }
    _to_person("seat", host, r, key=f"seat:{r.id}", links=links, context=context,
               subject=_("A seat with your name: %(title)s", title=r.event.title),
               attachments=attachments, now=now)  # fmt: skip


def send_taken_off(host: Host, r: Registration, *, now: datetime) -> None:
    """Tell a person that the seat no longer has their name."""
    subject = _("The seat no longer has your name: %(title)s", title=r.event.title)
    _to_person("taken_off", host, r, key=f"seat-off:{r.id}", subject=subject, now=now)


def send_lapsed(host: Host, r: Registration, *, now: datetime) -> None:
    """Tell a person that the seat which they did not pay in time was let go."""
    subject = _("Your seat was let go: %(title)s", title=r.event.title)
    _to_person("lapsed", host, r, key=queries.lapsed_key(r.id), subject=subject, now=now)


def send_declined(request: SeatRequest, *, now: datetime) -> None:
    """Tell a person, kindly, that the host has no seat for them."""
    host = request.host
    draft = compose(
        "hosts/mail_declined",
        key=f"seat-declined:{request.id}",
        kind="hosts_declined",
        to=(request.name, request.email),
        subject=_("No seat this time: %(title)s", title=host.event.title),
        context={
            "host": host,
            "event": host.event,
            "reader": request.first_name,
            "catalogue_url": absolute("events.catalogue"),
        },
        event_id=host.event_id,
    )
    outbox.enqueue(draft, now=now)


def _to_person(
    kind: str,
    host: Host,
    r: Registration,
    *,
    key: str,
    subject: str,
    now: datetime,
    links: dict[str, str] | None = None,
    context: dict[str, Any] | None = None,
    attachments: Sequence[dict[str, str]] = (),
) -> None:
    draft = compose(
        f"hosts/mail_{kind}",
        key=key,
        kind=f"hosts_{kind}",
        to=(r.name, r.email),
        subject=subject,
        links=links,
        context={
            "r": r,
            "host": host,
            "event": r.event,
            "when": when(r.event),
            "where": where(r.event),
            "reader": r.first_name,
            **(context or {}),
        },
        event_id=r.event_id,
        order_id=r.order_id,
        registration_id=r.id,
        attachments=attachments,
    )
    outbox.enqueue(draft, now=now)


def _to_coordinator(
    kind: str,
    host: Host,
    *,
    key: str,
    subject: str,
    now: datetime,
    links: dict[str, str] | None = None,
    context: dict[str, Any] | None = None,
) -> None:
    event = host.event
    draft = compose(
        f"hosts/mail_{kind}",
        key=key,
        kind=f"hosts_{kind}",
        to=(host.coordinator, host.email),
        subject=subject,
        links=links,
        context={
            "host": host,
            "event": event,
            "when": when(event),
            "where": where(event),
            "seats_url": absolute("hosts_coordinator.seats", event_id=event.id),
            **(context or {}),
        },
        event_id=event.id,
    )
    outbox.enqueue(draft, now=now)
