"""What the organizers' pages about papers share: their blueprint and who may see them."""

from flask import Blueprint

from regsys.ledger.kinds import DOCUMENT_WORDS
from regsys.ledger.rules import METHOD_WORDS, PROBLEM_TITLES
from regsys.payments.queries import Scope
from regsys.web.guard import current_actor
from regsys.web.urls import settings

billing_organizer = Blueprint("billing_organizer", "regsys.billing.organizer")

ROLES = ("registrar", "treasurer")


def scope_now() -> Scope:
    """Return the events whose papers this actor may see; None: all."""
    return current_actor().scope(*ROLES)


@billing_organizer.context_processor
def _words() -> dict[str, object]:
    return {
        "zone": settings().TIME_ZONE,
        "document_words": DOCUMENT_WORDS,
        "method_words": METHOD_WORDS,
        "problem_titles": PROBLEM_TITLES,
    }
