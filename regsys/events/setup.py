"""Whoever leads an event has the role `leader` in it; templates speak of events in `words`."""

from collections.abc import Iterator
from typing import Any

from flask import Flask, request, url_for
from flask_babel import gettext as _

from regsys.accounts.queries import EXTRA_ROLES
from regsys.events import queries, words
from regsys.kernel.text import N_

# The pages of an event's organizer, in the order of the work; the questions are a room of their own.
STEPS = (
    ("events_organizer.edit", N_("Basics")),
    ("events_organizer.schedule", N_("When and where")),
    ("events_organizer.tickets", N_("Places and prices")),
    ("events_organizer.options", N_("Rooms and meals")),
    ("events_organizer.refunds", N_("Refunds")),
    ("questions_organizer.questions", N_("Questions")),
    ("events_organizer.leaders", N_("Leaders")),
    ("events_organizer.preview", N_("Preview and publish")),
)


def event_steps(event_id: int) -> list[dict[str, Any]]:
    """Return the tabs of an event's pages."""
    return [
        {
            "label": _(label),
            "url": url_for(endpoint, event_id=event_id),
            "current": request.endpoint == endpoint,
        }
        for endpoint, label in STEPS
    ]


def _led_by(user_id: int) -> Iterator[tuple[str, int | None]]:
    return (("leader", event_id) for event_id in queries.list_led_event_ids(user_id))


def register(app: Flask) -> None:
    """Tell the accounts which roles follow from leading, and the templates their words."""
    app.jinja_env.filters.update({f.__name__: f for f in words.FILTERS})
    app.jinja_env.globals.update(
        kind_options=words.kind_options,
        event_steps=event_steps,
        joins_until=queries.joins_until,
        private_link=words.private_link,
        share_words=words.share_words,
    )
    app.extensions.setdefault(EXTRA_ROLES, []).append(_led_by)
