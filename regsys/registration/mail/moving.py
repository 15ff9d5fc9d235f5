"""Letters about a place that moves to another event."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.events.models import Event, TicketType
from regsys.kernel.money import show
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.policies.rules import Moving
from regsys.registration import ics
from regsys.registration.mail.leaving import again_words
from regsys.registration.mail.letters import (
    attached,
    backs,
    location,
    send_confirmation,
    send_one,
    send_to_payer,
    staff_of,
    titles_of,
    when,
)
from regsys.registration.models import Order, Registration
from regsys.web import html
from regsys.web.urls import absolute, settings

# For whoever has not paid: nothing of money.
SILENT: Mapping[str, object] = {"lines": [], "back": "", "by_hand": "", "again": ""}


def send_moved(
    old: Registration,
    new: Registration,
    *,
    cost: int,
    later: int,
    money: Moving | None,
    now: datetime,
    to_credit: int = 0,
) -> None:
    """Tell the person, with the end of the old calendar entry and a confirmation of the new place, and the others.

    Amounts stand in the letter to whoever has paid; `later` is what is due later for the new place, in minor units,
    `to_credit` what counts again of the credit that paid for the old one.
    """
    old.sequence += 1
    text = ics.write(old, method="CANCEL", location=location(old.event), description="", now=now)
    order = old.order
    own = order.email.casefold() == old.email_key
    amounts = _amounts(order, new, cost, later, money) | {"again": again_words(old, to_credit)}
    common = {"new": new, "new_event": new.event, "new_when": when(new.event)}
    send_one(
        "moved",
        old,
        key=f"cancelled:{old.id}",
        subject=_("You have moved: %(title)s", title=new.event.title),
        context={**common, "reader": old.first_name, **(amounts if own else SILENT)},
        attachments=[attached(text, "CANCEL")],
        now=now,
    )
    send_confirmation(new, key=f"confirm:{new.id}", now=now)
    told: dict[str, tuple[str, Mapping[str, object]]] = {
        address: (name, SILENT)
        for address, name in {**staff_of(old.event), **staff_of(new.event)}.items()
    }
    if not own:
        told[order.email] = (order.payer_name, amounts)
    for address, (name, what) in told.items():
        draft = compose(
            "registration/mail_moved",
            key=f"moved:{old.id}:{address}"[:200],
            kind="moved",
            to=(name, address),
            subject=_("%(name)s has moved: %(title)s", name=old.name, title=new.event.title),
            context={
                "r": old,
                "event": old.event,
                "when": when(old.event),
                **common,
                "reader": name,
                **what,
            },
            event_id=old.event_id,
        )
        outbox.enqueue(draft, now=now)


def _amounts(
    order: Order, new: Registration, cost: int, later: int, money: Moving | None
) -> dict[str, object]:
    """Return what the move means in money, in words."""
    lines = [(_("The old place"), show(cost, order.currency)),
             (_("The new place"), show(new.price, order.currency))]  # fmt: skip
    if money and money.fee:
        lines.append((_("Fee for moving"), show(money.fee, order.currency)))
    if money and money.kept:
        lines.append((_("Stays with us, by the refund rules"), show(money.kept, order.currency)))
    if later and new.rest_at:
        by = _("Still to pay, by %(day)s", day=html.deadline(new.rest_at, new.event.time_zone))
        lines.append((by, show(later, order.currency)))
    found = backs(order, money.card, money.by_hand) if money else {"back": "", "by_hand": ""}
    return {"lines": lines, **found}


def send_move_asked(r: Registration, event: Event, kind: TicketType, *, now: datetime) -> None:
    """Ask the organizers whether they agree to a move."""
    desk = r.event.contact_email or settings().ORGANISATION_EMAIL
    if not desk:
        return
    decide = absolute(
        "payments_organizer.move_person", event_id=r.event_id, registration_id=r.id, to=kind.id
    )
    draft = compose(
        "registration/mail_move_asked",
        key=f"move-asked:{r.id}:{kind.id}",
        kind="move_asked",
        to=(settings().ORGANISATION_NAME, desk),
        subject=_("%(name)s would like to move: %(title)s", name=r.name, title=event.title),
        links={"decide": decide},
        context={
            "r": r,
            "event": r.event,
            "new_event": event,
            "kind": kind,
            "new_when": when(event),
        },
        event_id=r.event_id,
    )
    outbox.enqueue(draft, now=now)


def send_move_waits(r: Registration, *, due: int, until: datetime, now: datetime) -> None:
    """Mail the payer the link to pay for a move that organizers have begun."""
    order = r.order
    send_to_payer(
        "registration/mail_move_waits",
        order,
        key=f"move-waits:{r.id}",
        subject=_("A place is held: %(title)s", title=r.event.title),
        context={
            "r": r,
            "event": r.event,
            "when": when(r.event),
            "due": show(due, order.currency),
            "until": html.when(until, r.event.time_zone),
        },
        now=now,
    )


def send_move_lapsed(order: Order, moves: Sequence[Registration], *, now: datetime) -> None:
    """Tell the payer that a move was not paid in time, and that nobody has lost a place by it."""
    send_to_payer(
        "registration/mail_move_lapsed",
        order,
        key=f"move-lapsed:{'-'.join(str(r.id) for r in moves)}",
        subject=_("Everything stays as it was: %(titles)s", titles=titles_of(moves)),
        context={
            "titles": titles_of(moves),
            "names": ", ".join(r.name for r in moves),
        },
        now=now,
    )
