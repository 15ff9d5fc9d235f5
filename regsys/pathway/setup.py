"""What templates may say about what people have behind them."""

from flask import Flask

from regsys.pathway import words


def register(app: Flask) -> None:
    """Give the words to the templates."""
    app.jinja_env.globals.update(
        need_name=words.need_name,
        want_words=words.want_words,
        finding_words=words.finding_words,
        verdict_chip=words.verdict_chip,
    )
