"""The letters about orders, places and calendars."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.events.kinds import EventMode
from regsys.events.models import Event
from regsys.kernel.money import show
from regsys.kernel.tokens import hash_token
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration import ics, words
from regsys.registration.models import Order, Registration
from regsys.web import html
from regsys.web.urls import absolute, settings


def send_confirmations(order: Order, confirmed: Sequence[Registration], *, now: datetime) -> None:
    """Write to each confirmed person, and to the payer where they are none of them."""
    for r in confirmed:
        send_confirmation(r, key=f"confirm:{r.id}", now=now)
    if order.email.casefold() not in {r.email_key for r in confirmed}:
        _send_order_confirmed(order, confirmed, now=now)


def send_confirmation(r: Registration, *, key: str, now: datetime) -> None:
    """Write to one confirmed person: own link, calendar, and what is still to be answered."""
    attachment = ics.write(
        r, method="REQUEST", location=location(r.event), description=_for_calendar(r), now=now
    )
    send_one(
        "confirmation",
        r,
        key=key,
        subject=_("You have a place: %(title)s", title=r.event.title),
        links={"own": absolute("registration.attendee", token=r.token), **_join_link(r)},
        context={
            "open": r.answered_at is None,
            "paid": _price(r),
            "refunds": words.refund_rows(r) if r.is_payer else [],
        },
        attachments=[attached(attachment, "REQUEST")],
        now=now,
    )


def _send_order_confirmed(
    order: Order, confirmed: Sequence[Registration], *, now: datetime
) -> None:
    send_to_payer(
        "registration/mail_order_confirmed",
        order,
        # A host pays in parts: each has its letter.
        key=f"order-confirmed:{order.id}:{confirmed[0].id}",
        subject=ngettext(
            "The place is confirmed", "The %(num)d places are confirmed", len(confirmed)
        ),
        context={
            "rows_of": rows_of,
            "people": confirmed,
            "total": _total(order, confirmed),
        },
        now=now,
    )


def send_hold_expired(order: Order, gone: Sequence[Registration], *, now: datetime) -> None:
    """Tell the payer that nothing was paid in time, and how to begin again."""
    send_to_payer(
        "registration/mail_hold_expired",
        order,
        key=f"order-expired:{order.id}",
        subject=_("Your places were let go: %(titles)s", titles=titles_of(gone)),
        context={"rows_of": rows_of, "people": gone},
        now=now,
    )


def send_cart_link(
    order: Order, people: Sequence[Registration], *, until: datetime | None, now: datetime
) -> None:
    """Mail the payer the link to a cart, to go on later or on another device."""
    hour = int(now.timestamp()) // 3600
    send_to_payer(
        "registration/mail_cart_link",
        order,
        key=f"cart-link:{order.id}:{hour}:{hash_token(order.email)[:12]}",
        subject=_("Go on with your registration: %(titles)s", titles=titles_of(people)),
        context={
            "titles": titles_of(people),
            "until": html.when(until, people[0].event.time_zone) if until else "",
        },
        now=now,
    )


def send_existing_link(r: Registration, *, now: datetime) -> None:
    """Mail a person the link that exists already, at most once in an hour."""
    begun = r.order.placed_at is None
    links = {} if begun else {"own": absolute("registration.attendee", token=r.token)}
    if begun and r.order.email.casefold() == r.email_key:
        links = {"own": absolute("registration.order", token=r.order.token)}
    hour = int(now.timestamp()) // 3600
    send_one(
        "existing_link",
        r,
        key=f"existing-link:{r.id}:{hour}",
        subject=_("Your link: %(title)s", title=r.event.title),
        links=links,
        context={"begun": begun},
        now=now,
    )


def send_pay_link(r: Registration, *, until: datetime, now: datetime, key: str = "") -> None:
    """Mail the link to pay to somebody whom an organizer has put down."""
    send_one(
        "pay_link",
        r,
        key=key or f"pay-link:{r.id}",
        subject=_("A place is held for you: %(title)s", title=r.event.title),
        links={"order": absolute("registration.order", token=r.order.token)},
        context={"until": until, "price": _price(r)},
        now=now,
    )


def backs(order: Order, refund: int, by_hand: int) -> dict[str, str]:
    """Return what goes back to the card and in another way, in words."""
    words = {"back": refund, "by_hand": by_hand}
    return {name: show(n, order.currency) if n else "" for name, n in words.items()}


def send_to_payer(
    template: str,
    order: Order,
    *,
    key: str,
    subject: str,
    context: Mapping[str, Any],
    now: datetime,
    kind: str = "",
    links: Mapping[str, str] | None = None,
    **about: Any,
) -> None:
    """Write one letter about an order to whoever pays it, with the link to its page."""
    # A cart may be forgotten, and letters are kept: they name what was placed only.
    named = {"order_id": order.id} if order.placed_at else {}
    draft = compose(
        template,
        key=key,
        kind=kind or template.partition("mail_")[2],
        to=(order.payer_name, order.email),
        subject=subject,
        links={"order": absolute("registration.order", token=order.token), **(links or {})},
        context={"order": order, **context},
        **named,
        **about,
    )
    outbox.enqueue(draft, now=now)


def send_one(
    kind: str,
    r: Registration,
    *,
    key: str,
    subject: str,
    now: datetime,
    context: Mapping[str, Any] | None = None,
    template: str = "",
    **more: Any,
) -> None:
    """Write one letter about a registration to the person."""
    draft = compose(
        template or f"registration/mail_{kind}",
        key=key,
        kind=kind,
        to=(r.name, r.email),
        subject=subject,
        context={
            "r": r,
            "event": r.event,
            "when": when(r.event),
            "where": where(r.event),
            **(context or {}),
        },
        event_id=r.event_id,
        **_about(r),
        **more,
    )
    outbox.enqueue(draft, now=now)


def rows_of(registrations: Sequence[Registration]) -> list[tuple[str, str]]:
    """Return who comes to what, for lists in letters."""
    return [(r.name, f"{r.event.title}, {html.day(r.event.starts_at, r.event.time_zone)}")
            for r in registrations]  # fmt: skip


def _about(r: Registration) -> dict[str, Any]:
    # A cart may be forgotten, and letters are kept: they name what was placed only.
    return {"order_id": r.order_id, "registration_id": r.id} if r.order.placed_at else {}


def staff_of(event: Event) -> dict[str, str]:
    """Return address → name of those who lead an event, and of its organizers' desk."""
    desk = event.contact_email or settings().ORGANISATION_EMAIL
    staff = [(a.leader.email, a.leader.name) for a in event.assignments]
    return {a: name for a, name in [*staff, (desk, settings().ORGANISATION_NAME)] if a}


def when(event: Event) -> list[str]:
    """Return when an event is, in lines: each meeting of a series, or start and end."""
    zone = event.time_zone
    if ics.is_series(event):
        return [html.times(s.starts_at, s.ends_at, zone) for s in event.sessions]
    if html.day(event.starts_at, zone) == html.day(event.ends_at, zone):
        return [html.times(event.starts_at, event.ends_at, zone)]
    to = _("to %(moment)s", moment=html.when(event.ends_at, zone))
    return [html.when(event.starts_at, zone), to]


def where(event: Event) -> list[str]:
    """Return where an event is, in lines; the join link is not among them."""
    lines = []
    if event.venue:
        street = ", ".join(p for p in (event.venue.address, event.venue.city) if p)
        lines = [line for line in (event.venue.name, street) if line]
    if event.mode is not EventMode.IN_PERSON:
        lines.append(_("Online"))
    return lines


def location(event: Event) -> str:
    """Return where an event is, in one line for a calendar."""
    return ", ".join(where(event))


def _for_calendar(r: Registration) -> str:
    return _("Your number: %(code)s", code=r.code)


def _join_link(r: Registration) -> dict[str, str]:
    return {"join": r.event.join_link} if r.event.join_link else {}


def _price(r: Registration) -> str:
    return show(r.price, r.event.currency)


def _total(order: Order, registrations: Sequence[Registration]) -> str:
    return show(sum(r.price for r in registrations), order.currency)


def titles_of(registrations: Sequence[Registration]) -> str:
    return ", ".join(dict.fromkeys(r.event.title for r in registrations))


def attached(text: str, method: str) -> dict[str, str]:
    return {"filename": "calendar.ics", "type": ics.TYPE % method, "text": text}
