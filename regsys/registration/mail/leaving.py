"""Letters about places that are given back: to the people, to whoever paid, to who leads and organizes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.discounts.models import Code
from regsys.events.models import Event
from regsys.kernel.money import show
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.policies.rules import Leaving
from regsys.registration import ics, queries
from regsys.registration.mail.letters import (
    attached,
    backs,
    location,
    rows_of,
    send_one,
    send_to_payer,
    staff_of,
    titles_of,
    when,
)
from regsys.registration.models import Order, Registration
from regsys.web.html import deadline
from regsys.web.urls import absolute


def send_left(
    order: Order,
    gone: Sequence[tuple[Registration, Leaving]],
    *,
    key: str,
    now: datetime,
    lapsed: bool = False,
) -> None:
    """Write to people who have given their places up, to their payer about the money, and to who leads and organizes.

    `lapsed`: their places were let go because the rest was not paid.
    Whoever has paid for nobody but themselves gets one letter about both.
    """
    own = len(gone) == 1 and gone[0][0].email_key == order.email.casefold()
    for r, money in gone:
        r.sequence += 1
        text = ics.write(r, method="CANCEL", location=location(r.event), description="", now=now)
        send_one(
            "left",
            r,
            template="registration/mail_left",
            key=f"cancelled:{r.id}",
            subject=_("Your place was let go: %(title)s", title=r.event.title)
            if lapsed
            else _("You have given your place back: %(title)s", title=r.event.title),
            links=papers_link(order) if own else {},
            context={"parts": parts_of(order, [(r, money)]) if own else [], "lapsed": lapsed},
            attachments=[attached(text, "CANCEL")],
            now=now,
        )
    if not own:
        _send_order_left(order, gone, key=key, lapsed=lapsed, now=now)
    by_event = {r.event_id: r.event for r, _money in gone}
    for event in by_event.values():
        names = [r.name for r, _money in gone if r.event_id == event.id]
        send_place_free(event, names, key=key, now=now)


def _send_order_left(
    order: Order,
    gone: Sequence[tuple[Registration, Leaving]],
    *,
    key: str,
    lapsed: bool,
    now: datetime,
) -> None:
    people = [r for r, _money in gone]
    send_to_payer(
        "registration/mail_order_left",
        order,
        key=f"order-left:{key}",
        subject=_("Places were let go: %(titles)s", titles=titles_of(people))
        if lapsed
        else _("Places were given back: %(titles)s", titles=titles_of(people)),
        context={
            "people": rows_of(people),
            "parts": parts_of(order, gone),
            "lapsed": lapsed,
        },
        links=papers_link(order),
        now=now,
    )


def papers_link(order: Order) -> dict[str, str]:
    """Return the link to where the papers of an order stand on its page."""
    return {"papers": absolute("registration.order", token=order.token) + "#o-papers"}


def parts_of(order: Order, gone: Sequence[tuple[Registration, Leaving]]) -> list[dict[str, Any]]:
    """Return what goes back for whom, with its explanation, in words."""
    return [_part(order, r, money) for r, money in gone]


def _part(order: Order, r: Registration, money: Leaving) -> dict[str, Any]:
    lines = list(money.lines)
    if money.to_credit and lines:
        lines.append((_("Counts again as a credit"), show(-money.to_credit, order.currency)))
    return {
        "name": r.name,
        "paid": money.value > 0,
        "why": money.why,
        "lines": lines,
        "credit": _credit(r),
        "again": again_words(r, money.to_credit),
        "amount": show(money.card + money.by_hand, order.currency),
        **backs(order, money.card, money.by_hand),
    }


def again_words(r: Registration, amount: int) -> str:
    """Return which credit counts again for how much; its code is for the person to whom it belongs."""
    code = r.discount_code
    if not amount or code is None or code.ends_at is None:
        return ""
    words = show(amount, code.currency)
    if code.email_key != r.email_key:
        return _("%(amount)s counts again as the credit that paid it.", amount=words)
    until = deadline(code.ends_at, r.event.time_zone)
    return _(
        "%(amount)s counts again as the credit %(code)s, at events that begin before %(until)s.",
        amount=words, code=code.code, until=until,
    )  # fmt: skip


def _credit(r: Registration) -> dict[str, str] | None:
    code = r.credit
    if code is None or code.amount is None or code.ends_at is None:
        return None
    amount, until = show(code.amount, code.currency), deadline(code.ends_at, r.event.time_zone)
    return {"code": code.code, "amount": amount, "until": until, "email": r.email}


def send_credit(r: Registration, code: Code, *, left: int, now: datetime) -> None:
    """Tell somebody that their credit was ended, with the reason, or that it counts again; `left`: of its amount."""
    ended = code.ended_at is not None
    subject = _("Your credit %(code)s has ended", code=code.code)
    if not ended:
        subject = _("Your credit %(code)s counts again", code=code.code)
    until = deadline(code.ends_at, r.event.time_zone) if code.ends_at else ""
    send_one(
        "credit",
        r,
        template="registration/mail_credit",
        key=f"credit-{'ended' if ended else 'again'}:{code.id}:{int(now.timestamp())}",
        subject=subject,
        context={"code": code, "ended": ended, "left": show(left, code.currency), "until": until},
        now=now,
    )


def send_place_free(event: Event, names: Sequence[str], *, key: str, now: datetime) -> None:
    """Tell those who lead an event, and its organizers, that somebody is not coming; nothing about money."""
    coming = queries.count_confirmed(event.id)
    for address, name in staff_of(event).items():
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
