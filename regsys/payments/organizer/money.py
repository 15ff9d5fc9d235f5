"""Money that needs a person: what is odd in red, what is still open, and how Stripe's messages arrive."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW
from regsys.kernel.text import which_page
from regsys.ledger import rules as ledger_rules
from regsys.payments import queries, rules, services
from regsys.payments.organizer.desk import ROLES, payments_organizer, scope_now, tell, tell_away
from regsys.payments.settle import execute_refund, settle
from regsys.payments.states import AttemptState
from regsys.web.errors import page
from regsys.web.guard import current_actor, requires
from regsys.web.html import money as money_words


@payments_organizer.get("/organize/money")
@requires(*ROLES)
def money() -> ResponseReturnValue:
    """Show what needs a person first, then what is under way."""
    now, scope = clock.now(), scope_now()
    attention = queries.list_attention(scope, now=now)
    odd = {row.attempt.id for row in attention}
    failed = queries.list_failed_refunds(scope)
    return render_template(
        "payments/money.html",
        now=now,
        problems=queries.list_problems(scope),
        attention=attention,
        under_way=[row for row in queries.list_open(scope) if row.attempt.id not in odd],
        refunds=queries.list_refunds(scope, which_page(request.args.get("back", ""))),
        payments=queries.list_payments(scope, which_page(request.args.get("came", ""))),
        failed_refunds=failed,
        owed=queries.list_owed(scope, but=failed),
        promises=queries.list_waiting(scope, now=now),
        rests=queries.list_rests(scope, now=now),
        disputes=queries.list_disputes(scope),
        webhooks=queries.webhooks(now),
        failed_events=queries.list_failed_events(),
    )


@payments_organizer.get("/organize/payments/<int:payment_id>/refund")
@requires(*ROLES)
def refund_preview(payment_id: int) -> ResponseReturnValue:
    """Show what giving a payment back in full will do."""
    return render_template("payments/refund.html", row=queries.get_problem(payment_id, scope_now()))


@payments_organizer.post("/organize/payments/<int:payment_id>/refund")
@requires(*ROLES)
def refund(payment_id: int) -> ResponseReturnValue:
    """Give a payment back in full, once however often the button is pressed."""
    row = queries.get_problem(payment_id, scope_now())
    why = _(ledger_rules.PROBLEM_TITLES[row.payment.problem]) if row.payment.problem else ""
    actor = current_actor()
    with transaction():
        made = services.request_full_refund(payment_id, reason=why, actor=actor, now=clock.now())
    amount = money_words(made.amount, made.currency)
    try:
        tell(execute_refund(made.id, actor=actor), amount)
    except NOT_NOW:
        tell_away(amount)
    return redirect(url_for("payments_organizer.money"), 303)


@payments_organizer.post("/organize/attempts/<int:attempt_id>/settle")
@requires(*ROLES)
def settle_now(attempt_id: int) -> ResponseReturnValue:
    """Ask Stripe about one attempt now."""
    known = queries.get_attempt_in(attempt_id, scope_now())
    back = url_for("payments_organizer.money")
    try:
        settled = settle(attempt_id=known.id, actor=current_actor())
    except NOT_NOW as e:
        steps = [{"label": _("Back to the money"), "url": back}]
        kept = [_("The places stay held until Stripe answers.")]
        return page(502, _("This could not be settled just now"), _(str(e)), kept=kept, steps=steps)
    state = settled.state or AttemptState.ABANDONED
    words = _(rules.ATTEMPT_WORDS[state])
    flash(_("Stripe says: %(words)s.", words=words), "good" if state in _FINE else "warn")
    return redirect(back, 303)


_FINE = (AttemptState.PAID, AttemptState.OPEN, AttemptState.PROCESSING)
