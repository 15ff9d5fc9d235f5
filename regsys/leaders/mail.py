"""The roster as a letter: who comes and where they work; the rest stands behind the sign-in."""

from flask_babel import ngettext

from regsys.events.models import Leader
from regsys.leaders.queries import Roster
from regsys.outbox.compose import Draft, compose
from regsys.web.urls import absolute


def roster_letter(roster: Roster, leader: Leader, *, key: str) -> Draft:
    """Compose the roster for one leader."""
    event = roster.event
    return compose(
        "leaders/mail_roster",
        key=key,
        kind="leaders.roster",
        to=(leader.name, leader.email),
        subject=ngettext(
            "Roster: %(title)s, %(num)d person",
            "Roster: %(title)s, %(num)d people",
            len(roster.people),
            title=event.title,
        ),
        context={
            "event": event,
            "leader": leader,
            "others": [other for other in roster.leaders if other.id != leader.id],
            "people": roster.people,
            "first_meeting": roster.first_meeting,
            "roster_url": absolute("leaders_leader.roster", event_id=event.id),
        },
        event_id=event.id,
    )
