"""Pure questions about the society's pages and about what people write to it."""

import re
from datetime import date

from regsys.content.kinds import InquiryKind
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")

# What each kind of inquiry asks for beside name, address and message; True: it must be answered.
ASKS: dict[InquiryKind, dict[str, bool]] = {
    InquiryKind.SPEAKER: {
        "organisation": True,
        "place": True,
        "people": False,
        "wished_dates": False,
    },
    InquiryKind.ON_THE_ROAD: {
        "organisation": True,
        "place": True,
        "people": True,
        "wished_dates": False,
    },
    InquiryKind.START_A_GROUP: {"organisation": False, "place": True, "people": False},
    InquiryKind.GENERAL: {},
    InquiryKind.TO_LEADER: {},
}

KIND_NAMES: dict[InquiryKind, str] = {
    InquiryKind.GENERAL: N_("A question"),
    InquiryKind.SPEAKER: N_("A speaker or a demonstration"),
    InquiryKind.ON_THE_ROAD: N_("An intensive on the road"),
    InquiryKind.START_A_GROUP: N_("Starting a group"),
    InquiryKind.TO_LEADER: N_("A message to the leaders"),
}

LEAST_SECONDS = 3


def why_suspicious(*, trap: str, seconds: int | None) -> Refusal | None:
    """Refuse what no person would send; `seconds`: since the form was opened, None where that is unknown."""
    if trap:
        return Refusal(
            "TrapFilled",
            N_("Please leave the field that says so empty, then send your message again."),
        )
    if seconds is None:
        return Refusal("FormUnknown", N_("Please send your message once more."))
    if seconds < LEAST_SECONDS:
        return Refusal(
            "TooQuick", N_("That was quicker than people write. Please send it once more.")
        )
    return None


def why_bad_slug(slug: str) -> Refusal | None:
    """Refuse an address that cannot stand in a link."""
    if SLUG.match(slug) and len(slug) <= 80:
        return None
    return Refusal(
        "BadSlug",
        N_("Use small letters, digits and single hyphens, like “what-we-do”."),
    )


def is_out(published: bool, published_on: date, today: date) -> bool:
    """Tell whether an item of news is shown on this day."""
    return published and published_on <= today
