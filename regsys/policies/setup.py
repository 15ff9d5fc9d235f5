"""What templates may say about refund rules."""

from flask import Flask

from regsys.policies import words


def register(app: Flask) -> None:
    """Give the words to the templates."""
    app.jinja_env.globals.update(
        other_rules=words.other_rules,
        refund_lines=words.refund_lines,
        refund_why=words.refund_why,
        row_when=words.row_when,
        row_words=words.row_words,
    )
