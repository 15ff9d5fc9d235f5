"""The letters of the waiting list; each is composed in the transaction that makes it true, under a key of its own."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.events.queries import share_of, to_pay
from regsys.kernel.money import show
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration.mail import when, where
from regsys.waitlist import queries, rules
from regsys.waitlist.models import Entry, Offer
from regsys.web.urls import absolute


def send_joined(entry: Entry, *, key: str, now: datetime) -> None:
    """Tell a person that they are on the list, where, and what comes next."""
    title = entry.event.title
    _send("joined", entry, key=key, subject=_("You are on the waiting list: %(title)s", title=title),
          links=_own(entry), context={"standing": queries.standing_of(entry)}, now=now)  # fmt: skip


def send_offer(offer: Offer, *, now: datetime) -> None:
    """Offer places, until a time."""
    entry = offer.entry
    links = {"offer": absolute("waitlist.offer", token=offer.token)}
    _send("offer", entry, key=f"waitlist-offer:{offer.id}",
          subject=_("A place is free for you: %(title)s", title=entry.event.title),
          links=links, context={"offer": offer, "price": price_of(offer, now=now)}, now=now)  # fmt: skip


def send_lapsed(offer: Offer, *, now: datetime) -> None:
    """Tell a person that an offer ran out."""
    entry = offer.entry
    links = {"event": absolute("events.show", slug=entry.event.slug)}
    _send("lapsed", entry, key=f"waitlist-lapsed:{offer.id}",
          subject=_("The place went to the next person: %(title)s", title=entry.event.title),
          links=links, context={"offer": offer}, now=now)  # fmt: skip


def send_over(entry: Entry, reason: str, *, now: datetime) -> None:
    """Tell a person that they no longer wait, and why."""
    _send("over", entry, key=f"waitlist-over:{entry.id}",
          subject=_("You no longer wait: %(title)s", title=entry.event.title),
          context={"reason": reason, "took": False}, now=now)  # fmt: skip


def send_unfinished(entry: Entry, *, now: datetime) -> None:
    """Tell a person that a place which they had accepted was let go before they had finished."""
    reason = _("The form was not finished in time, so the place was let go.")
    _send("over", entry, key=f"waitlist-unfinished:{entry.id}",
          subject=_("The place was let go: %(title)s", title=entry.event.title),
          context={"reason": reason, "took": True}, now=now)  # fmt: skip


def price_of(offer: Offer, *, now: datetime) -> str:
    """Return what the offered places cost at the regular price and for the meetings that are left; else empty."""
    event, amounts = offer.entry.event, [p.amount for p in offer.ticket_type.prices]
    one = to_pay(max(amounts, default=0), share_of(event, now), event.currency)
    return show(one * offer.entry.size, event.currency) if one else ""


def _own(entry: Entry) -> dict[str, str]:
    return {"own": absolute("waitlist.own", token=entry.token)}


def _send(
    kind: str,
    entry: Entry,
    *,
    key: str,
    subject: str,
    context: dict[str, Any],
    now: datetime,
    links: dict[str, str] | None = None,
) -> None:
    event = entry.event
    draft = compose(
        f"waitlist/mail_{kind}",
        key=key,
        kind=f"waitlist_{kind}",
        to=(entry.name, entry.email),
        subject=subject,
        links=links,
        context={
            "entry": entry,
            "event": event,
            "when": when(event),
            "where": where(event),
            "day": (rules.MORNING, rules.EVENING),
            **context,
        },
        event_id=event.id,
    )
    outbox.enqueue(draft, now=now)
