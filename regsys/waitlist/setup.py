"""Whoever waits comes before the public; templates speak of the list in `words`."""

from flask import Flask

from regsys.capacity.services import use_waits
from regsys.waitlist import queries, words


def register(app: Flask) -> None:
    """Tell `capacity` who waits, and the templates their words."""
    use_waits(app, queries.list_parties)
    app.jinja_env.globals.update({f.__name__: f for f in words.GLOBALS})
