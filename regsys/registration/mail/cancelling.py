"""Letters about places that organizers cancel, one by one or with the event."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.policies.rules import Leaving
from regsys.registration import ics
from regsys.registration.mail.leaving import again_words, papers_link, parts_of
from regsys.registration.mail.letters import (
    attached,
    backs,
    location,
    rows_of,
    send_one,
    send_to_payer,
    titles_of,
)
from regsys.registration.models import Order, Registration


def send_cancelled(
    r: Registration,
    *,
    reason: str,
    was_confirmed: bool,
    now: datetime,
    money: Leaving | None = None,
) -> None:
    """Tell a person that an organizer has cancelled their place, what becomes of the money, and end the calendar entry.

    Whoever has paid for it reads each line of the sum; others what goes back to whom.
    """
    back = money or Leaving(r.id)
    parts = parts_of(r.order, [(r, back)]) if back.value else []
    own = r.order.email.casefold() == r.email_key
    _send_off(
        "registration/mail_cancelled",
        r,
        _("Your place was cancelled: %(title)s", title=r.event.title),
        links=papers_link(r.order) if own else {},
        was_confirmed=was_confirmed,
        context={
            "reason": reason,
            "paid": back.value > 0,
            "parts": parts if own else [],
            "credit": parts[0]["credit"] if parts else None,
            "again": parts[0]["again"] if parts else "",
            **backs(r.order, back.card, back.by_hand),
        },
        now=now,
    )


def send_event_cancelled(
    r: Registration,
    *,
    reason: str,
    was_confirmed: bool,
    refund: int,
    by_hand: int,
    paid: bool,
    now: datetime,
    to_credit: int = 0,
) -> None:
    """Tell a person that the society has called the event off, and what goes back in which way."""
    again = again_words(r, to_credit)
    context: dict[str, Any] = {
        "reason": reason, "paid": paid, "parts": [], "credit": None, "again": again,
        **backs(r.order, refund, by_hand),
    }  # fmt: skip
    subject = _("It does not take place: %(title)s", title=r.event.title)
    _send_off(
        "registration/mail_event_cancelled",
        r,
        subject,
        was_confirmed=was_confirmed,
        context=context,
        now=now,
    )


def _send_off(
    template: str,
    r: Registration,
    subject: str,
    *,
    was_confirmed: bool,
    context: dict[str, Any],
    now: datetime,
    links: dict[str, str] | None = None,
) -> None:
    r.sequence += 1
    text = ics.write(r, method="CANCEL", location=location(r.event), description="", now=now)
    send_one(
        template.partition("mail_")[2],
        r,
        template=template,
        key=f"cancelled:{r.id}",
        subject=subject,
        links=links or {},
        context=context,
        attachments=[attached(text, "CANCEL")] if was_confirmed else [],
        now=now,
    )


def send_order_cancelled(
    order: Order,
    gone: Sequence[Registration],
    *,
    key: str,
    refund: int,
    reason: str,
    now: datetime,
    by_hand: int = 0,
    money: Sequence[Leaving] = (),
) -> None:
    """Tell a payer who is none of these people whose places were cancelled, and what goes back.

    `money` says it line by line.
    """
    send_to_payer(
        "registration/mail_order_cancelled",
        order,
        key=key,
        subject=_("Places were cancelled: %(titles)s", titles=titles_of(gone)),
        context={
            "people": rows_of(gone),
            "reason": reason,
            "parts": parts_of(order, list(zip(gone, money, strict=True))) if money else [],
            **backs(order, refund, by_hand),
        },
        links=papers_link(order),
        now=now,
    )
