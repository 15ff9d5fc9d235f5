"""Whoever leads an event has the role `leader` in it; templates speak of events in `words`."""

from collections.abc import Iterator

from flask import Flask

from regsys.accounts.queries import EXTRA_ROLES
from regsys.events import queries, words


def _led_by(user_id: int) -> Iterator[tuple[str, int | None]]:
    return (("leader", event_id) for event_id in queries.list_led_event_ids(user_id))


def register(app: Flask) -> None:
    """Tell the accounts which roles follow from leading, and the templates their words."""
    app.jinja_env.filters.update({f.__name__: f for f in words.FILTERS})
    app.extensions.setdefault(EXTRA_ROLES, []).append(_led_by)
