"""Lets letters take documents with them, and pages of the rooms below say how an order's invoice stands."""

from flask import Flask

from regsys.billing.queries import owes_invoice
from regsys.billing.rules import STANDING_WORDS
from regsys.billing.sheets import print_by_id
from regsys.outbox.papers import use_papers


def register(app: Flask) -> None:
    """Fill the outbox's slot for documents, and give templates what they ask about invoices."""
    use_papers(app, print_by_id)
    app.jinja_env.globals.update(owes_invoice=owes_invoice, standings=STANDING_WORDS)
