"""Money that needs a person: what is odd in red, what is still open, and how Stripe's messages arrive."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import UpstreamFailed
from regsys.ledger import rules as ledger_rules
from regsys.ledger.states import RefundState
from regsys.payments import queries, rules, services
from regsys.payments.queries import Scope
from regsys.payments.settle import execute_refund, settle
from regsys.payments.states import AttemptState
from regsys.web.errors import page
from regsys.web.guard import current_actor, requires
from regsys.web.html import money as money_words
from regsys.web.urls import settings

payments_organizer = Blueprint("payments_organizer", __name__)

ROLES = ("registrar", "treasurer")


def _scope() -> Scope:
    return current_actor().scope(*ROLES)


@payments_organizer.context_processor
def _words() -> dict[str, object]:
    return {
        "zone": settings().TIME_ZONE,
        "attempt_words": rules.ATTEMPT_WORDS,
        "stripe_says": rules.STRIPE_SAYS,
        "refund_words": ledger_rules.REFUND_WORDS,
        "problem_titles": ledger_rules.PROBLEM_TITLES,
        "problem_words": ledger_rules.PROBLEM_WORDS,
    }


@payments_organizer.get("/organize/money")
@requires(*ROLES)
def money() -> ResponseReturnValue:
    """Show what needs a person first, then what is under way."""
    now, scope = clock.now(), _scope()
    attention = queries.list_attention(scope, now=now)
    odd = {row.attempt.id for row in attention}
    return render_template(
        "payments/money.html",
        now=now,
        problems=queries.list_problems(scope),
        attention=attention,
        under_way=[row for row in queries.list_open(scope) if row.attempt.id not in odd],
        refunds=queries.list_refunds(scope),
        webhooks=queries.webhooks(now),
        failed_events=queries.list_failed_events(),
    )


@payments_organizer.get("/organize/payments/<int:payment_id>/refund")
@requires(*ROLES)
def refund_preview(payment_id: int) -> ResponseReturnValue:
    """Show what giving a payment back in full will do."""
    return render_template("payments/refund.html", row=queries.get_problem(payment_id, _scope()))


@payments_organizer.post("/organize/payments/<int:payment_id>/refund")
@requires(*ROLES)
def refund(payment_id: int) -> ResponseReturnValue:
    """Give a payment back in full, once however often the button is pressed."""
    row = queries.get_problem(payment_id, _scope())
    why = _(ledger_rules.PROBLEM_TITLES[row.payment.problem]) if row.payment.problem else ""
    actor = current_actor()
    with transaction():
        made = services.request_full_refund(payment_id, reason=why, actor=actor, now=clock.now())
    amount = money_words(made.amount, made.currency)
    try:
        _tell(execute_refund(made.id, actor=actor), amount)
    except UpstreamFailed:
        flash(
            _(
                "Stripe does not answer. The refund of %(amount)s is written down and is tried again every minute.",
                amount=amount,
            ),
            "warn",
        )
    return redirect(url_for("payments_organizer.money"), 303)


def _tell(state: RefundState, amount: str) -> None:
    if state is RefundState.FAILED:
        flash(_("Stripe refused to give %(amount)s back; see below why.", amount=amount), "bad")
    elif state is RefundState.SUCCEEDED:
        flash(_("%(amount)s are given back.", amount=amount), "good")
    else:
        flash(_("The refund of %(amount)s is on its way.", amount=amount), "good")


@payments_organizer.post("/organize/attempts/<int:attempt_id>/settle")
@requires(*ROLES)
def settle_now(attempt_id: int) -> ResponseReturnValue:
    """Ask Stripe about one attempt now."""
    known = queries.get_attempt_in(attempt_id, _scope())
    back = url_for("payments_organizer.money")
    try:
        settled = settle(attempt_id=known.id, actor=current_actor())
    except UpstreamFailed as e:
        steps = [{"label": _("Back to the money"), "url": back}]
        kept = [_("The places stay held until Stripe answers.")]
        return page(502, _("Stripe does not answer"), _(str(e)), kept=kept, steps=steps)
    state = settled.state or AttemptState.ABANDONED
    words = _(rules.ATTEMPT_WORDS[state])
    flash(_("Stripe says: %(words)s.", words=words), "good" if state in _FINE else "warn")
    return redirect(back, 303)


_FINE = (AttemptState.PAID, AttemptState.OPEN, AttemptState.PROCESSING)
