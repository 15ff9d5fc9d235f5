"""Letters about a place that goes to a colleague."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.money import show
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.registration import ics
from regsys.registration.mail.letters import attached, location, send_confirmation, send_one, when
from regsys.registration.models import HandOver, Registration
from regsys.web.urls import absolute, settings


def send_handed_over(old: Registration, new: Registration, *, more: int, now: datetime) -> None:
    """Tell the first person, with the end of their calendar entry, and the payer; the colleague gets a confirmation.

    `more` (minor units) is to pay now, because the price was the first person's alone: the payer only reads of it.
    """
    old.sequence += 1
    order = old.order
    to_pay = show(more, order.currency) if more else ""
    text = ics.write(old, method="CANCEL", location=location(old.event), description="", now=now)
    send_one(
        "handed_over",
        old,
        key=f"cancelled:{old.id}",
        subject=_("Your place went to %(name)s: %(title)s", name=new.name, title=old.event.title),
        template="registration/mail_handed_over",
        context={
            "new": new,
            "reader": old.first_name,
            "to_pay": to_pay if order.email.casefold() == old.email_key else "",
        },
        attachments=[attached(text, "CANCEL")],
        now=now,
    )
    send_confirmation(new, key=f"confirm:{new.id}", now=now)
    people = {old.email_key: old.first_name, new.email_key: new.first_name}
    desk = old.event.contact_email or settings().ORGANISATION_EMAIL
    told = {order.email: (order.first_name, order.payer_name)}
    told |= {a.leader.email: (a.leader.first_name, a.leader.name) for a in old.event.assignments}
    told |= {desk: (settings().ORGANISATION_NAME, settings().ORGANISATION_NAME)} if desk else {}
    for address, (reader, name) in told.items():
        if address and address.casefold() not in people:
            draft = compose(
                "registration/mail_handed_over",
                key=f"handed-over:{old.id}:{address}"[:200],
                kind="handed_over",
                to=(name, address),
                subject=_("A place changed hands: %(title)s", title=old.event.title),
                context={
                    "r": old,
                    "new": new,
                    "reader": reader,
                    "to_pay": to_pay if address == order.email else "",
                    "event": old.event,
                    "when": when(old.event),
                },
                event_id=old.event_id,
            )
            outbox.enqueue(draft, now=now)


def send_hand_over_asked(r: Registration, row: HandOver, *, now: datetime) -> None:
    """Ask the organizers whether they agree to a colleague."""
    desk = r.event.contact_email or settings().ORGANISATION_EMAIL
    if not desk:
        return
    draft = compose(
        "registration/mail_hand_over_asked",
        key=f"hand-over-asked:{row.id}",
        kind="hand_over_asked",
        to=(settings().ORGANISATION_NAME, desk),
        subject=_("A colleague instead of %(name)s: %(title)s", name=r.name, title=r.event.title),
        links={"decide": absolute("registration_organizer.hand_overs", event_id=r.event_id)},
        context={"r": r, "row": row, "event": r.event, "when": when(r.event)},
        event_id=r.event_id,
    )
    outbox.enqueue(draft, now=now)


def send_hand_over_declined(r: Registration, row: HandOver, *, now: datetime) -> None:
    """Tell both kindly that the place stays with the first person."""
    for which, to in (("first", (r.name, r.email)), ("second", (row.name, row.email))):
        draft = compose(
            "registration/mail_hand_over_declined",
            key=f"hand-over-declined:{row.id}:{which}",
            kind="hand_over_declined",
            to=to,
            subject=_("The place stays with %(name)s: %(title)s", name=r.name, title=r.event.title),
            context={"r": r, "row": row, "event": r.event, "first": which == "first"},
            event_id=r.event_id,
        )
        outbox.enqueue(draft, now=now)
