"""The letters of this room; each is composed in the transaction that makes it true, under a key of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.applications.models import Application, ApplicationDraft
from regsys.applications.rules import Decision, accept_until
from regsys.events.models import Event, Leader
from regsys.events.queries import last_call
from regsys.kernel.money import show
from regsys.kernel.text import email_key
from regsys.kernel.tokens import hash_token
from regsys.outbox import services as outbox
from regsys.outbox.compose import Draft, compose
from regsys.pathway.rules import Finding
from regsys.registration.mail import when, where
from regsys.registration.models import Registration
from regsys.registration.services import Person
from regsys.web.urls import absolute


def send_draft_link(draft: ApplicationDraft, *, now: datetime) -> None:
    """Mail the link under which an unfinished application is kept, at most once an hour to one address."""
    address, hour = hash_token(email_key(draft.email))[:12], int(now.timestamp()) // 3600
    letter = compose(
        "applications/mail_draft",
        key=f"application-draft:{draft.id}:{address}:{hour}",
        kind="application_draft",
        to=("", draft.email),
        subject=_("Your unfinished application: %(title)s", title=draft.event.title),
        links={"draft": absolute("applications.resume", token=draft.token)},
        context={"event": draft.event, "when": when(draft.event)},
        event_id=draft.event_id,
    )
    outbox.enqueue(letter, now=now)


def send_received(a: Application, *, now: datetime) -> None:
    """Say that the application is here, with the link to its page."""
    subject = _("Your application is here: %(title)s", title=a.event.title)
    _send("received", a, key=f"application-received:{a.id}", subject=subject, now=now)


def send_to_leader(a: Application, leader: Leader, *, now: datetime) -> None:
    """Tell a leader that somebody would like to join, and how to reach them for a talk."""
    letter = compose(
        "applications/mail_talk",
        key=f"application-talk:{a.id}:{leader.id}",
        kind="application_talk",
        to=(leader.name, leader.email),
        subject=_("%(name)s would like to join: %(title)s", name=a.name, title=a.event.title),
        links={
            "asked": absolute("applications_leader.one", event_id=a.event_id, application_id=a.id)
        },
        context={"a": a, "event": a.event, "leader": leader},
        event_id=a.event_id,
        reply_to=a.email,
    )
    outbox.enqueue(letter, now=now)


def send_not_eligible(
    event: Event, person: Person, stopped: Sequence[Finding], *, now: datetime
) -> None:
    """Tell somebody why they cannot apply, at most once a day."""
    letter = compose(
        "applications/mail_not_eligible",
        key=f"application-stopped:{event.id}:{hash_token(email_key(person.email))}:{now.date()}",
        kind="application_not_eligible",
        to=(f"{person.first_name} {person.last_name}".strip(), person.email),
        subject=_("About your application: %(title)s", title=event.title),
        context={"event": event, "first_name": person.first_name, "stopped": stopped},
        event_id=event.id,
    )
    outbox.enqueue(letter, now=now)


def send_existing(a: Application, *, now: datetime) -> None:
    """Mail an applicant the link that exists already, at most once an hour."""
    subject = _("Your link: %(title)s", title=a.event.title)
    key = f"application-link:{a.id}:{int(now.timestamp()) // 3600}"
    _send("existing", a, key=key, subject=subject, now=now)


def send_accepted(a: Application, r: Registration, *, now: datetime) -> None:
    """Say that somebody is accepted, until when the place is held, and where to pay."""
    outbox.enqueue(_accepted(a, a.letter_words, r.order.held_until, r.price, r), now=now)


def _accepted(
    a: Application,
    words: str,
    until: datetime | None,
    price: int | None,
    r: Registration | None,
) -> Draft:
    key = f"application-accepted:{r.id}" if r else "preview"
    links = {"order": absolute("registration.order", token=r.order.token if r else "preview")}
    return _compose(
        "accepted",
        a,
        key=key,
        subject=_("You are accepted: %(title)s", title=a.event.title),
        links=links,
        context={
            "until": until,
            "words": words,
            "price": show(price, a.event.currency) if price else "",
        },
        about=r,
    )


def send_waits(a: Application, *, now: datetime) -> None:
    """Say that somebody is accepted, and that a place is held for them once there is one."""
    outbox.enqueue(_waits(a, a.letter_words), now=now)


def _waits(a: Application, words: str) -> Draft:
    return _compose(
        "waits",
        a,
        key=f"application-waits:{a.id}",
        subject=_("You are accepted, and wait for a place: %(title)s", title=a.event.title),
        context={"words": words},
    )


def send_declined(a: Application, *, now: datetime) -> None:
    """Say kindly that there is no place this time."""
    outbox.enqueue(_declined(a, a.letter_words), now=now)


def _declined(a: Application, words: str) -> Draft:
    return _compose(
        "declined",
        a,
        key=f"application-declined:{a.id}",
        subject=_("About your application: %(title)s", title=a.event.title),
        context={"words": words},
    )


def send_asked(a: Application, *, now: datetime) -> None:
    """Ask what the reviewers want to know."""
    key = f"application-asked:{a.id}:{int(now.timestamp())}"
    outbox.enqueue(_asked(a, a.asked, key=key), now=now)


def _asked(a: Application, words: str, *, key: str) -> Draft:
    return _compose(
        "asked",
        a,
        key=key,
        subject=_("A question about your application: %(title)s", title=a.event.title),
        context={"words": words},
    )


def send_reminder(a: Application, r: Registration, *, now: datetime) -> None:
    """Remind somebody of the place that is held for them."""
    _send(
        "reminder",
        a,
        key=f"application-reminder:{r.id}",
        subject=_("Your place is still held: %(title)s", title=a.event.title),
        links={"order": absolute("registration.order", token=r.order.token)},
        context={"until": r.order.held_until, "price": show(r.price, a.event.currency)},
        about=r,
        now=now,
    )


def send_lapsed(a: Application, r: Registration, *, now: datetime) -> None:
    """Say that the place was let go."""
    subject = _("Your place was let go: %(title)s", title=a.event.title)
    _send("lapsed", a, key=f"application-lapsed:{r.id}", subject=subject, about=r, now=now)


def send_withdrawn(a: Application, *, reason: str, now: datetime) -> None:
    """Tell somebody that their application was withdrawn for them."""
    subject = _("Your application is withdrawn: %(title)s", title=a.event.title)
    key = f"application-withdrawn:{a.id}"
    _send("withdrawn", a, key=key, subject=subject, context={"reason": reason}, now=now)


def send_called_off(a: Application, *, now: datetime) -> None:
    """Say that there will be nothing to take part in."""
    _send(
        "called_off",
        a,
        key=f"application-called-off:{a.id}",
        subject=_("It does not take place: %(title)s", title=a.event.title),
        context={"reason": a.event.state_reason},
        now=now,
    )


def preview(
    a: Application, decision: Decision, words: str, *, price: int | None, now: datetime
) -> Draft:
    """Return the letter that a decision would write, without writing anything down; links lead nowhere yet."""
    if decision is Decision.ACCEPT:
        until = accept_until(now, hours=a.event.accept_hours, starts_at=last_call(a.event))
        return _accepted(a, words, until, price, None)
    if decision is Decision.ASK:
        return _asked(a, words, key="preview")
    return _declined(a, words) if decision is Decision.DECLINE else _waits(a, words)


def _send(kind: str, a: Application, *, key: str, subject: str, now: datetime, **more: Any) -> None:
    outbox.enqueue(_compose(kind, a, key=key, subject=subject, **more), now=now)


def _compose(
    kind: str,
    a: Application,
    *,
    key: str,
    subject: str,
    links: Mapping[str, str] | None = None,
    context: Mapping[str, Any] | None = None,
    about: Registration | None = None,
) -> Draft:
    own = absolute("applications.status", token=a.token)
    registered = {"order_id": about.order_id, "registration_id": about.id} if about else {}
    return compose(
        f"applications/mail_{kind}",
        key=key,
        kind=f"application_{kind}",
        to=(a.name, a.email),
        subject=subject,
        links={"own": own, **(links or {})},
        context={
            "a": a,
            "event": a.event,
            "when": when(a.event),
            "where": where(a.event),
            **(context or {}),
        },
        event_id=a.event_id,
        **registered,
    )
