"""What templates may say about codes."""

from flask import Flask

from regsys.discounts import words


def register(app: Flask) -> None:
    """Give the words to the templates."""
    app.jinja_env.globals.update(code_off=words.off_words, code_state=words.state_words)
