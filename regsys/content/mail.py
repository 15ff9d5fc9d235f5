"""The letters that carry an inquiry to those who answer it."""

from flask_babel import gettext as _

from regsys.content.models import Inquiry
from regsys.content.rules import KIND_NAMES
from regsys.outbox.compose import Draft, compose
from regsys.web.urls import absolute, settings


def to_organizers(inquiry: Inquiry) -> Draft:
    """Compose the letter to the society; an answer to it goes to the person who wrote."""
    return _compose(
        inquiry,
        key=f"inquiry:{inquiry.id}",
        to=(settings().ORGANISATION_NAME, settings().ORGANISATION_EMAIL),
        url=absolute("content_organizer.inquiry", inquiry_id=inquiry.id),
        about=None,
    )


def to_leader(inquiry: Inquiry, *, leader: tuple[int, str, str], event_title: str) -> Draft:
    """Compose the letter to a leader (id, name, address), which the person who wrote never sees."""
    leader_id, name, address = leader
    return _compose(
        inquiry,
        key=f"inquiry:{inquiry.id}:{leader_id}",
        to=(name, address),
        url=None,
        about=event_title,
    )


def _compose(
    inquiry: Inquiry, *, key: str, to: tuple[str, str], url: str | None, about: str | None
) -> Draft:
    kind = _(KIND_NAMES[inquiry.kind])
    subject = _("%(kind)s, from %(name)s", kind=kind, name=inquiry.name)
    return compose(
        "content/mail_inquiry",
        key=key,
        kind="content.inquiry",
        to=to,
        subject=subject,
        context={"inquiry": inquiry, "kind": kind, "url": url, "about": about},
        reply_to=inquiry.email,
        event_id=inquiry.event_id,
    )
