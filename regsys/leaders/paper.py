"""What a roster holds when it is printed: what its page shows, without links."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.events.kinds import EventMode
from regsys.leaders.queries import Person, Roster
from regsys.questions.types import show
from regsys.web.html import day, initials, when
from regsys.web.ring import ring_of, states
from regsys.web.texts import locale_name

# Beyond this the circles of the ring are too small for initials.
MOST_NAMED = 14


def roster_data(roster: Roster, *, now: datetime) -> dict[str, Any]:
    """Return the data of leaders/roster.typ."""
    event = roster.event
    return {
        "title": event.title,
        "lang": locale_name()[:2],
        "kind": _("Roster"),
        "lines": _lines(roster),
        "ring": _ring(roster),
        "people": [_person(p, roster) for p in roster.people],
        "nobody": _("Nobody is confirmed yet."),
        "keep": _("Please do not pass this list on, and shred it afterwards."),
        "printed": _("Made %(day)s", day=day(now, event.time_zone)),
    }


def _lines(roster: Roster) -> list[str]:
    event, count = roster.event, len(roster.people)
    names = ", ".join(
        f"{leader.name} {leader.credentials}".strip() for leader in roster.leaders
    ) or _("Nobody leads yet")
    where = _("online") if event.mode is EventMode.ONLINE else event.venue and event.venue.name
    first = _("First meeting %(time)s", time=when(roster.first_meeting, event.time_zone))
    return [
        ngettext(
            "%(names)s, with %(num)d person.", "%(names)s, with %(num)d people.", count, names=names
        ),
        ", ".join(part for part in (first, where) if part),
    ]


def _ring(roster: Roster) -> dict[str, Any]:
    """Return the seats as the page draws them: with initials in a small circle, else as dots."""
    leaders = [initials(leader.name) for leader in roster.leaders][:2]
    seats = states(ring_of(taken=len(roster.people), leaders=len(leaders)))
    people = (initials(p.name) for p in roster.people)
    first = iter(leaders)
    names = [next(first) if seat == "leader" else next(people) for seat in seats]
    return {
        "states": seats,
        "names": names if len(seats) <= MOST_NAMED else None,
        "count": str(len(roster.people)),
        "words": _("confirmed"),
    }


def _person(person: Person, roster: Roster) -> dict[str, Any]:
    event = roster.event
    place = ", ".join(part for part in (person.workplace, person.city) if part)
    work = "\n".join(part for part in (person.profession, place) if part)
    far = person.zone if event.mode is not EventMode.IN_PERSON else ""
    facts = [
        (_("Work"), work),
        (_("Time zone"), far if far != event.time_zone else ""),
        *((a.question.column_title, show(a.question, a.stored)) for a in person.answers),
    ]
    return {
        "name": person.name,
        "initials": initials(person.name),
        "sub": " · ".join(part for part in (person.credentials, person.pronouns) if part),
        "facts": [fact for fact in facts if fact[1]],
    }
