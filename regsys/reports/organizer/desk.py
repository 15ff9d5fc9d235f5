"""What the organizers' pages share: their blueprint, words, and how a page of a list is asked for."""

from flask import Blueprint, request

from regsys.kernel.text import whole_number
from regsys.ledger.rules import PROBLEM_TITLES, PROBLEM_WORDS, REFUND_WORDS
from regsys.payments.rules import ATTEMPT_WORDS

bp = Blueprint("reports_organizer", "regsys.reports.organizer")

MONEY = ("registrar", "treasurer")


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "attempt_words": ATTEMPT_WORDS,
        "refund_words": REFUND_WORDS,
        "problem_titles": PROBLEM_TITLES,
        "problem_words": PROBLEM_WORDS,
    }


def page_number(total: int, size: int) -> int:
    """Return which page is asked for; behind the last one is the last one."""
    asked = whole_number(request.args.get("page", "")) or 1
    return min(asked, max(1, -(-total // size)))
