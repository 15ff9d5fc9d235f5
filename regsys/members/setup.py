"""What templates may say about members."""

from flask import Flask
from flask_babel import gettext as _

from regsys.members.rules import Unread


def unread_words(one: Unread) -> str:
    """Return why a line cannot be used."""
    return _(one.why, **dict(one.facts))


def register(app: Flask) -> None:
    """Give the words to the templates."""
    app.jinja_env.globals["unread_words"] = unread_words
