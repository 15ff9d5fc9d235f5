"""The letters of this room; each is composed in the transaction that makes it true, under a key of its own."""

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
from regsys.registration import ics, queries, words
from regsys.registration.models import Order, Registration
from regsys.registration.rules import Leaving
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
    _send(
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
        attachments=[_attached(attachment, "REQUEST")],
        now=now,
    )


def _send_order_confirmed(
    order: Order, confirmed: Sequence[Registration], *, now: datetime
) -> None:
    draft = compose(
        "registration/mail_order_confirmed",
        key=f"order-confirmed:{order.id}",
        kind="order_confirmed",
        to=(order.payer_name, order.email),
        subject=ngettext(
            "The place is confirmed", "The %(num)d places are confirmed", len(confirmed)
        ),
        links={"order": absolute("registration.order", token=order.token)},
        context={
            "order": order,
            "rows_of": rows_of,
            "people": confirmed,
            "total": _total(order, confirmed),
        },
        order_id=order.id,
    )
    outbox.enqueue(draft, now=now)


def send_hold_expired(order: Order, gone: Sequence[Registration], *, now: datetime) -> None:
    """Tell the payer that nothing was paid in time, and how to begin again."""
    draft = compose(
        "registration/mail_hold_expired",
        key=f"order-expired:{order.id}",
        kind="hold_expired",
        to=(order.payer_name, order.email),
        subject=_("Your places were let go: %(titles)s", titles=_titles(gone)),
        links={"order": absolute("registration.order", token=order.token)},
        context={"order": order, "rows_of": rows_of, "people": gone},
        order_id=order.id,
    )
    outbox.enqueue(draft, now=now)


def send_cart_link(
    order: Order, people: Sequence[Registration], *, until: datetime | None, now: datetime
) -> None:
    """Mail the payer the link to a cart, to go on later or on another device."""
    hour = int(now.timestamp()) // 3600
    draft = compose(
        "registration/mail_cart_link",
        key=f"cart-link:{order.id}:{hour}:{hash_token(order.email)[:12]}",
        kind="cart_link",
        to=(order.payer_name, order.email),
        subject=_("Go on with your registration: %(titles)s", titles=_titles(people)),
        links={"order": absolute("registration.order", token=order.token)},
        context={
            "order": order,
            "titles": _titles(people),
            "until": html.when(until, people[0].event.time_zone) if until else "",
        },
    )
    outbox.enqueue(draft, now=now)


def send_existing_link(r: Registration, *, now: datetime) -> None:
    """Mail a person the link that exists already, at most once in an hour."""
    begun = r.order.placed_at is None
    links = {} if begun else {"own": absolute("registration.attendee", token=r.token)}
    if begun and r.order.email.casefold() == r.email_key:
        links = {"own": absolute("registration.order", token=r.order.token)}
    hour = int(now.timestamp()) // 3600
    _send(
        "existing_link",
        r,
        key=f"existing-link:{r.id}:{hour}",
        subject=_("Your link: %(title)s", title=r.event.title),
        links=links,
        context={"begun": begun},
        now=now,
    )


def send_pay_link(r: Registration, *, until: datetime, now: datetime) -> None:
    """Mail the link to pay to somebody whom an organizer has put down."""
    _send(
        "pay_link",
        r,
        key=f"pay-link:{r.id}",
        subject=_("A place is held for you: %(title)s", title=r.event.title),
        links={"order": absolute("registration.order", token=r.order.token)},
        context={"until": until, "price": _price(r)},
        now=now,
    )


def send_cancelled(
    r: Registration,
    *,
    reason: str,
    was_confirmed: bool,
    now: datetime,
    refund: int = 0,
    paid: bool = False,
) -> None:
    """Tell a person that an organizer has cancelled their place, and take it off their calendar.

    `refund` (minor units) is on its way back to the payer; `paid`: something was paid for the place.
    """
    _send_off("cancelled", r, _("Your place was cancelled: %(title)s", title=r.event.title),
              reason=reason, was_confirmed=was_confirmed, refund=refund, paid=paid, now=now)  # fmt: skip


def send_left(
    order: Order, gone: Sequence[tuple[Registration, Leaving]], *, key: str, now: datetime
) -> None:
    """Write to people who have given their places up, to their payer about the money, and to who leads and organizes.

    Whoever has paid for nobody but themselves gets one letter about both.
    """
    own = len(gone) == 1 and gone[0][0].email_key == order.email.casefold()
    for r, money in gone:
        r.sequence += 1
        text = ics.write(r, method="CANCEL", location=location(r.event), description="", now=now)
        _send(
            "left",
            r,
            key=f"cancelled:{r.id}",
            subject=_("You have given your place back: %(title)s", title=r.event.title),
            context={"parts": _parts(order, [(r, money)]) if own else []},
            attachments=[_attached(text, "CANCEL")],
            now=now,
        )
    if not own:
        _send_order_left(order, gone, key=key, now=now)
    by_event = {r.event_id: r.event for r, _money in gone}
    for event in by_event.values():
        names = [r.name for r, _money in gone if r.event_id == event.id]
        _send_place_free(event, names, order, key=key, now=now)


def _send_order_left(
    order: Order, gone: Sequence[tuple[Registration, Leaving]], *, key: str, now: datetime
) -> None:
    people = [r for r, _money in gone]
    draft = compose(
        "registration/mail_order_left",
        key=f"order-left:{key}",
        kind="order_left",
        to=(order.payer_name, order.email),
        subject=_("Places were given back: %(titles)s", titles=_titles(people)),
        links={"order": absolute("registration.order", token=order.token)},
        context={"order": order, "people": rows_of(people), "parts": _parts(order, gone)},
        order_id=order.id,
    )
    outbox.enqueue(draft, now=now)


def _parts(order: Order, gone: Sequence[tuple[Registration, Leaving]]) -> list[dict[str, Any]]:
    """Return what goes back for whom, with its explanation, in words."""
    return [
        {
            "name": r.name,
            "paid": money.paid > 0,
            "why": money.why,
            "lines": money.lines,
            "amount": show(money.card + money.by_hand, order.currency),
            **_backs(order, money.card, money.by_hand),
        }
        for r, money in gone
    ]


def _send_place_free(
    event: Event, names: Sequence[str], order: Order, *, key: str, now: datetime
) -> None:
    """Tell those who lead an event, and its organizers, that somebody is not coming; nothing about money."""
    leaders = [(a.leader.name, a.leader.email) for a in event.assignments]
    desk = event.contact_email or settings().ORGANISATION_EMAIL
    staff = [*leaders, (settings().ORGANISATION_NAME, desk)]
    coming = queries.count_confirmed(event.id)
    for name, address in {address: (name, address) for name, address in staff if address}.values():
        draft = compose(
            "registration/mail_place_free",
            key=f"place-free:{key}:{event.id}:{address}"[:200],
            kind="place_free",
            to=(name, address),
            subject=ngettext(
                "One place fewer is taken: %(title)s",
                "%(num)d places fewer are taken: %(title)s",
                len(names),
                title=event.title,
            ),
            context={"event": event, "names": names, "coming": coming, "when": when(event)},
            event_id=event.id,
        )
        outbox.enqueue(draft, now=now)


def send_event_cancelled(
    r: Registration,
    *,
    reason: str,
    was_confirmed: bool,
    refund: int,
    by_hand: int,
    paid: bool,
    now: datetime,
) -> None:
    """Tell a person that the society has called the event off, and what goes back to the card and `by_hand`."""
    _send_off("event_cancelled", r, _("It does not take place: %(title)s", title=r.event.title),
              reason=reason, was_confirmed=was_confirmed, refund=refund, by_hand=by_hand,
              paid=paid, now=now)  # fmt: skip


def _send_off(
    kind: str,
    r: Registration,
    subject: str,
    *,
    reason: str,
    was_confirmed: bool,
    refund: int,
    by_hand: int = 0,
    paid: bool,
    now: datetime,
) -> None:
    r.sequence += 1
    text = ics.write(r, method="CANCEL", location=location(r.event), description="", now=now)
    _send(
        kind,
        r,
        key=f"cancelled:{r.id}",
        subject=subject,
        context={"reason": reason, "paid": paid, **_backs(r.order, refund, by_hand)},
        attachments=[_attached(text, "CANCEL")] if was_confirmed else [],
        now=now,
    )


def _backs(order: Order, refund: int, by_hand: int) -> dict[str, str]:
    """Return what goes back to the card and in another way, in words."""
    words = {"back": refund, "by_hand": by_hand}
    return {name: show(n, order.currency) if n else "" for name, n in words.items()}


def send_order_cancelled(
    order: Order,
    gone: Sequence[Registration],
    *,
    key: str,
    refund: int,
    reason: str,
    now: datetime,
    by_hand: int = 0,
) -> None:
    """Tell a payer who is none of these people whose places were cancelled, and what goes back."""
    draft = compose(
        "registration/mail_order_cancelled",
        key=key,
        kind="order_cancelled",
        to=(order.payer_name, order.email),
        subject=_("Places were cancelled: %(titles)s", titles=_titles(gone)),
        links={"order": absolute("registration.order", token=order.token)},
        context={
            "order": order,
            "people": rows_of(gone),
            "reason": reason,
            **_backs(order, refund, by_hand),
        },
        order_id=order.id,
    )
    outbox.enqueue(draft, now=now)


def _send(
    kind: str,
    r: Registration,
    *,
    key: str,
    subject: str,
    now: datetime,
    context: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    draft = compose(
        f"registration/mail_{kind}",
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


def _titles(registrations: Sequence[Registration]) -> str:
    return ", ".join(dict.fromkeys(r.event.title for r in registrations))


def _attached(text: str, method: str) -> dict[str, str]:
    return {"filename": "calendar.ics", "type": ics.TYPE % method, "text": text}
