"""What templates may say about what people have behind them."""

from flask import Flask

from regsys.events.services.copying import COPIED
from regsys.pathway import words
from regsys.pathway.services import copy_wants


def register(app: Flask) -> None:
    """Give the words to the templates; what an event wants goes along when it is copied."""
    app.extensions.setdefault(COPIED, []).append(copy_wants)
    app.jinja_env.globals.update(
        need_name=words.need_name,
        want_words=words.want_words,
        finding_words=words.finding_words,
        verdict_chip=words.verdict_chip,
    )
