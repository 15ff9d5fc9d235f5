"""Writing down a cheque or a transfer that came, with a preview; and taking a mistake back."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.billing import queries, services
from regsys.billing.forms import ReceivedForm
from regsys.billing.organizer.desk import ROLES, billing_organizer, scope_now
from regsys.billing.queries import Account
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.kernel.money import plain
from regsys.ledger.models import Method
from regsys.payments.cancelling import end_stale_checkout
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import money
from regsys.web.urls import settings

NOON = time(12)


def _done(order_id: int) -> str:
    found = queries.find_newest_invoice(order_id)
    if found:
        return url_for("billing_organizer.one_invoice", invoice_id=found.id)
    return url_for("billing_organizer.invoices")


@billing_organizer.route("/organize/orders/<int:order_id>/received", methods=["GET", "POST"])
@requires(*ROLES)
def received(order_id: int) -> ResponseReturnValue:
    """Show the form, then what will happen, then write it down."""
    account = queries.get_account(order_id, scope_now())
    currency, do = account.order.currency, request.form.get("do")
    today = clock.now().astimezone(ZoneInfo(settings().TIME_ZONE)).date()
    form = ReceivedForm(amount=plain(account.balance.due, currency), day=today)
    form.today = today
    if not form.is_submitted() or do == "change":
        return _show(account, form)
    amount = form.read_amount(currency) if form.validate() else None
    if amount is None:
        return _show(account, form), 422
    if do == "confirm":
        return _write_down(account, form, amount)
    form.seen.data = str(account.seen)
    return render_template(
        "billing/received_check.html", account=account, form=form, amount=amount,
        done=_done(order_id),
    )  # fmt: skip


def _show(account: Account, form: ReceivedForm, problem: str | None = None) -> str:
    return render_template(
        "billing/received.html", account=account, form=form, problem=problem,
        done=_done(account.order.id),
    )  # fmt: skip


def _write_down(account: Account, form: ReceivedForm, amount: int) -> ResponseReturnValue:
    order_id, actor, zone = account.order.id, current_actor(), ZoneInfo(settings().TIME_ZONE)
    assert form.day.data
    at = min(datetime.combine(form.day.data, NOON, zone), clock.now())
    try:
        with transaction():
            services.receive(
                order_id, amount=amount, method=Method(form.method.data), received_at=at,
                reference=form.reference.data or "", seen=form.read_seen(), actor=actor,
                now=clock.now(),
            )  # fmt: skip
    except Refused as e:
        return _show(account, form, refusal_text(e)), 409
    end_stale_checkout(order_id)
    flash(_("It is written down. A mistake can be taken back for two weeks."), "good")
    return redirect(_done(order_id), 303)


@billing_organizer.post("/organize/payments/<int:payment_id>/never-came")
@requires(*ROLES)
def never_came(payment_id: int) -> ResponseReturnValue:
    """Take back what was written down by mistake about money that came by hand."""
    order_id, actor = queries.get_order_of_payment(payment_id, scope_now()), current_actor()
    try:
        with transaction():
            given_up = services.take_back(order_id, payment_id, actor=actor, now=clock.now())
    except Refused as e:
        flash(refusal_text(e), "warn")
        return redirect(_done(order_id), 303)
    if given_up:
        nobody = _(
            "It is taken back, and its receipt is void. Nobody of this order has a place any more."
        )
        amount = money(given_up, queries.get_account(order_id, None).order.currency)
        asked = _("So nobody is asked for the %(amount)s that were kept.", amount=amount)
        flash(f"{nobody} {asked}", "good")
    else:
        flash(_("It is taken back, its receipt is void, and the amount is open again."), "good")
    return redirect(_done(order_id), 303)
