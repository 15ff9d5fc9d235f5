"""What name badges hold: the name that the person chose, credentials and pronouns; leaders come first."""

from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from regsys.events.models import Event
from regsys.events.words import named
from regsys.registration.states import RegistrationState
from regsys.reports.forms import Asked
from regsys.reports.queries import Filter, Row, stream_rows
from regsys.web.texts import locale_name
from regsys.web.urls import settings


def narrow(asked: Asked, event_id: int) -> Filter:
    """Return who gets a badge: the confirmed, unless another state is asked for."""
    chosen = asked.filter([event_id])
    return chosen if asked.state else replace(chosen, states=(RegistrationState.CONFIRMED,))


def badge_data(event: Event, chosen: Filter) -> dict[str, Any]:
    """Return the data of reports/badges.typ; ends the read transaction."""
    data = {
        "title": event.title,
        "lang": locale_name()[:2],
        "society": settings().ORGANISATION_NAME,
        "nobody": _("Nobody here gets a badge yet."),
    }
    leaders = [
        _badge(a.leader.name, a.leader.credentials, "", named(a.role)) for a in event.assignments
    ]
    people = [_of(row) for batch in stream_rows(chosen, frozenset()) for row in batch if row.name]
    return {**data, "badges": [*leaders, *people]}


def _of(row: Row) -> dict[str, str]:
    return _badge(row.badge_name or row.name, row.credentials, row.pronouns, "")


def _badge(name: str, credentials: str, pronouns: str, role: str) -> dict[str, str]:
    return {"name": name, "sub": credentials, "pronouns": pronouns, "role": role}
