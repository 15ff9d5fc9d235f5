"""The review offers help with the fee where there is a fund; templates speak of it in `words`."""

from flask import Flask

from regsys.aid import queries, words
from regsys.registration.queries import use_help


def register(app: Flask) -> None:
    """Tell `registration` where a fund could help, and the templates their words."""
    use_help(app, queries.offers_help)
    app.jinja_env.globals.update({f.__name__: f for f in words.GLOBALS})
