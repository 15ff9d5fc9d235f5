"""What templates may say about applications."""

from flask import Flask

from regsys.applications import words
from regsys.outbox.compose import mask


def register(app: Flask) -> None:
    """Give the words to the templates."""
    app.jinja_env.filters["masked"] = mask
    app.jinja_env.globals.update(
        stand_chip=words.stand_chip,
        stand_words=words.stand_words,
        decision_word=words.decision_word,
    )
