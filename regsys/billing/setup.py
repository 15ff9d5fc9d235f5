"""Lets letters take documents with them."""

from flask import Flask

from regsys.billing.sheets import print_by_id
from regsys.outbox.papers import use_papers


def register(app: Flask) -> None:
    """Fill the outbox's slot for documents."""
    use_papers(app, print_by_id)
