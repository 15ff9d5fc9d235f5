"""Templates speak of a host's seats in `words`."""

from flask import Flask

from regsys.hosts import words


def register(app: Flask) -> None:
    """Give the words to the templates."""
    app.jinja_env.globals.update({f.__name__: f for f in words.GLOBALS})
