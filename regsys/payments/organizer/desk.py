"""What every page about money shares: its blueprint, who may see it, and the words for how things stand."""

from flask import Blueprint, flash
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.ledger import rules as ledger_rules
from regsys.ledger.models import Method, Refund
from regsys.ledger.states import RefundState
from regsys.payments import rules
from regsys.payments.queries import Scope
from regsys.web.guard import current_actor
from regsys.web.urls import settings

payments_organizer = Blueprint("payments_organizer", "regsys.payments.organizer")

ROLES = ("registrar", "treasurer")


def scope_now() -> Scope:
    """Return the events whose money this actor may see and move; None: all."""
    return current_actor().scope(*ROLES)


@payments_organizer.context_processor
def _words() -> dict[str, object]:
    return {
        "zone": settings().TIME_ZONE,
        "attempt_words": rules.ATTEMPT_WORDS,
        "refund_says": _refund_says,
        "method_words": ledger_rules.METHOD_WORDS,
        "may_take_back": _may_take_back,
        "refund_words": ledger_rules.REFUND_WORDS,
        "dispute_words": ledger_rules.dispute_words,
        "problem_titles": ledger_rules.PROBLEM_TITLES,
        "problem_words": ledger_rules.PROBLEM_WORDS,
    }


def _refund_says(refund: Refund) -> str:
    """Return why a refund waits or has failed; nothing where there is nothing to say."""
    known = rules.REFUND_SAYS.get(refund.error)
    return _(known) if known else refund.error


def _may_take_back(refund: Refund) -> bool:
    by_hand = refund.method is not Method.CARD
    now = clock.now()
    return not ledger_rules.why_not_take_back(refund.state, refund.state_at, now, by_hand=by_hand)


def tell(state: RefundState, amount: str) -> None:
    """Say how far a refund has come."""
    if state is RefundState.FAILED:
        flash(_("Stripe refused to give %(amount)s back; see below why.", amount=amount), "bad")
    elif state is RefundState.SUCCEEDED:
        flash(_("%(amount)s are given back.", amount=amount), "good")
    else:
        flash(_("The refund of %(amount)s is on its way.", amount=amount), "good")


def tell_away(amount: str) -> None:
    """Say that Stripe could not be asked, or its answer not be written down."""
    flash(
        _(
            "Stripe could not be asked now. The refund of %(amount)s is written down, and tried again every minute.",
            amount=amount,
        ),
        "warn",
    )
