"""What templates may say about registrations."""

from flask import Flask

from regsys.registration import words
from regsys.registration.invoicing import invoice_offer


def register(app: Flask) -> None:
    """Give the words to the templates."""
    app.jinja_env.filters["answer_words"] = words.answer_words
    app.jinja_env.globals.update(
        invoice_offer=invoice_offer,
        line_name=words.line_name,
        offer_words=words.offer_words,
        order_chip=words.order_chip,
        order_title=words.order_title,
        person_chip=words.person_chip,
        person_words=words.person_words,
        proof_words=words.proof_words,
        refund_tables=words.refund_tables,
    )
