"""Open invoices by age, and what is done about one."""

from collections import defaultdict
from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.billing import queries, services
from regsys.billing.forms import InvoiceForm, ReasonForm
from regsys.billing.organizer.desk import ROLES, billing_organizer, scope_now
from regsys.billing.paper import po_number_of
from regsys.billing.queries import InvoiceRow
from regsys.billing.rules import AGE_WORDS, Age
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.ledger.queries import left_of, payments_of
from regsys.ledger.rules import why_not_take_payment_back
from regsys.payments.cancelling import end_stale_checkout
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.urls import settings


@billing_organizer.get("/organize/invoices")
@requires(*ROLES)
def invoices() -> ResponseReturnValue:
    """List open invoices by how late they are, then the last ones that are closed."""
    scope, zone, now = scope_now(), settings().TIME_ZONE, clock.now()
    rows = queries.list_open_invoices(scope, zone=zone, now=now)
    sums: dict[str, dict[Age, int]] = defaultdict(lambda: dict.fromkeys(Age, 0))
    for row in rows:
        sums[row.invoice.document.currency][row.age] += row.owed
    return render_template(
        "billing/invoices.html",
        rows=rows,
        sums=sums,
        ages=AGE_WORDS,
        closed=queries.list_closed_invoices(scope, zone=zone, now=now),
    )


def _get(invoice_id: int) -> InvoiceRow:
    zone = settings().TIME_ZONE
    return queries.get_invoice(invoice_id, scope_now(), zone=zone, now=clock.now())


@billing_organizer.get("/organize/invoices/<int:invoice_id>")
@requires(*ROLES)
def one_invoice(invoice_id: int) -> ResponseReturnValue:
    """Show an invoice with the money that came, and what can be done."""
    row, now = _get(invoice_id), clock.now()
    payments = payments_of([row.invoice.order_id])
    mistakes = {
        p.id
        for p in payments
        if not why_not_take_payment_back(
            p.problem,
            p.noted_at or p.received_at,
            now,
            by_hand=p.method != "card",
            given_back=left_of(p) < p.amount,
        )
    }
    return render_template(
        "billing/one_invoice.html", row=row, payments=payments, mistakes=mistakes, ages=AGE_WORDS
    )


@billing_organizer.post("/organize/invoices/<int:invoice_id>/remind")
@requires(*ROLES)
def remind(invoice_id: int) -> ResponseReturnValue:
    """Send a reminder now."""
    _get(invoice_id)
    actor = current_actor()
    done = url_for("billing_organizer.one_invoice", invoice_id=invoice_id)
    try:
        with transaction():
            services.remind(invoice_id, actor=actor, now=clock.now())
    except Refused as e:
        flash(refusal_text(e), "warn")
        return redirect(done, 303)
    flash(_("The reminder is on its way."), "good")
    return redirect(done, 303)


@billing_organizer.route("/organize/invoices/<int:invoice_id>/cancel", methods=["GET", "POST"])
@requires(*ROLES)
def cancel_invoice(invoice_id: int) -> ResponseReturnValue:
    """Take an invoice back by a credit note."""
    return _close(invoice_id, "cancel", services.cancel_invoice)


@billing_organizer.route("/organize/invoices/<int:invoice_id>/write-off", methods=["GET", "POST"])
@requires(*ROLES)
def write_off(invoice_id: int) -> ResponseReturnValue:
    """Give up what is open of an invoice."""
    return _close(invoice_id, "write_off", services.write_off)


def _close(invoice_id: int, kind: str, verb: Callable[..., None]) -> ResponseReturnValue:
    row, form = _get(invoice_id), ReasonForm()
    done = url_for("billing_organizer.one_invoice", invoice_id=invoice_id)
    if row.owed <= 0:
        flash(_("Nothing of this invoice is open, so nothing was done."), "warn")
        return redirect(done, 303)
    if not form.validate_on_submit():
        body = render_template("billing/close.html", row=row, form=form, kind=kind, done=done)
        return body, 422 if form.is_submitted() else 200
    order_id, actor = row.invoice.order_id, current_actor()
    with transaction():
        verb(invoice_id, reason=form.reason.data or "", actor=actor, now=clock.now())
    end_stale_checkout(order_id)
    flash(_("It is done, and a credit note is written."), "good")
    return redirect(done, 303)


@billing_organizer.route("/organize/invoices/<int:invoice_id>/anew", methods=["GET", "POST"])
@requires(*ROLES)
def invoice_anew(invoice_id: int) -> ResponseReturnValue:
    """Write an invoice again, to another name or over what is open now."""
    row = _get(invoice_id)
    done = url_for("billing_organizer.one_invoice", invoice_id=invoice_id)
    if row.owed <= 0:
        flash(_("Nothing of this invoice is open, so nothing was done."), "warn")
        return redirect(done, 303)
    document = row.invoice.document
    lines = document.content["to"]["lines"]
    form = InvoiceForm(
        name=lines[0],
        address="\n".join(lines[1:]),
        po_number=po_number_of(document),
        email=row.invoice.email,
    )
    if not form.validate_on_submit():
        body = render_template("billing/invoice_anew.html", row=row, form=form, done=done)
        return body, 422 if form.is_submitted() else 200
    to, actor = form.addressee(form.po_number.data or ""), current_actor()
    with transaction():
        services.make_out_invoice_anew(
            invoice_id, to, email=form.email.data or "", actor=actor, now=clock.now()
        )
    flash(_("The new invoice is on its way to %(email)s.", email=form.email.data), "good")
    return redirect(done, 303)
