"""How things stand with somebody who waits, in words."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.waitlist.models import Entry
from regsys.waitlist.queries import Standing
from regsys.waitlist.states import EntryState as S

# State → word, shape and tone of the chip.
STATES = {
    S.WAITING: (N_("Waiting"), "held", ""),
    S.OFFERED: (N_("Offered"), "held", "warn"),
    S.TAKEN: (N_("Taken"), "full", "good"),
    S.LAPSED: (N_("Lapsed"), "over", ""),
    S.LEFT: (N_("Left"), "over", ""),
}


def entry_chip(entry: Entry) -> tuple[str, str, str]:
    """Return word, shape and tone of an entry's state."""
    word, shape, tone = STATES[entry.state]
    return _(word), shape, tone


def line_words(standing: Standing) -> str:
    """Return "You are number 2 of 5 in line"."""
    if standing.number == 1 and standing.waiting == 1:
        return _("You are the first in line, and the only one.")
    if standing.number == 1:
        return _("You are the first of %(total)s in line.", total=standing.waiting)
    return _(
        "You are number %(number)s of %(total)s in line.",
        number=standing.number,
        total=standing.waiting,
    )


def offers_words(standing: Standing) -> str:
    """Return how many others were asked and have not answered yet; empty where nobody was."""
    if not standing.offered:
        return ""
    return ngettext(
        "One person before you was offered a place and has not answered yet.",
        "%(num)d people before you were offered a place and have not answered yet.",
        standing.offered,
    )


def party_words(entry: Entry) -> str:
    """Return "2 places: Clinicians in practice, or In training"."""
    types = entry.types[0].name if entry.types else ""
    for one in entry.types[1:]:
        types = _("%(one)s, or %(other)s", one=types, other=one.name)
    places = ngettext("%(num)d place", "%(num)d places", entry.size)
    return f"{places}: {types}" if types else places


def why_words(refusal: Refusal | None) -> str:
    """Return why a party is not offered a place at this moment."""
    return _(refusal.sentence, **dict(refusal.facts)) if refusal else _("Is asked next.")


def waits_since(entry: Entry, now: datetime) -> str:
    """Return "waits for 5 days"."""
    days = (now - entry.joined_at).days
    return ngettext("for a day", "for %(num)d days", days) if days else _("since today")


GLOBALS = (entry_chip, line_words, offers_words, party_words, why_words, waits_since)
