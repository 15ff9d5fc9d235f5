"""Papers and invoices for those who pay: behind the secret link of their order, or of one invoice."""

import logging

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.billing import queries, services
from regsys.billing.forms import AddressForm, InvoiceForm
from regsys.billing.queries import InvoiceRow
from regsys.billing.sheets import send_document
from regsys.kernel import clock
from regsys.kernel.actors import payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW, NotFound, Refused
from regsys.payments.queries import find_by_session, find_holding
from regsys.payments.services import Back
from regsys.payments.settle import look_again, start_checkout
from regsys.payments.states import AttemptState
from regsys.registration.models import Order
from regsys.registration.queries import find_order_by_token
from regsys.web.errors import refusal_text
from regsys.web.guard import public
from regsys.web.urls import absolute, settings

log = logging.getLogger(__name__)
billing = Blueprint("billing", __name__)


def _get_order(token: str) -> Order:
    order = find_order_by_token(token)
    if order is None or order.placed_at is None:
        raise NotFound
    return order


@billing.get("/o/<token>/documents/<int:document_id>.pdf")
@public
def document_pdf(token: str, document_id: int) -> ResponseReturnValue:
    """Send a document of this order."""
    return send_document(queries.get_document_of(_get_order(token).id, document_id))


@billing.get("/o/<token>/receipt.pdf")
@public
def receipt_pdf(token: str) -> ResponseReturnValue:
    """Send the newest receipt of this order."""
    return send_document(queries.get_receipt_of(_get_order(token).id))


@billing.post("/o/<token>/receipt")
@public
def write_receipt(token: str) -> ResponseReturnValue:
    """Write now what the worker would write in a moment, or what is older than it looks back."""
    order_id = _get_order(token).id
    with transaction():
        made = services.write_receipts(order_id, now=clock.now())
    flash(
        _("It is written, and stands below.") if made else _("Everything was written already."),
        "good",
    )
    return redirect(url_for("registration.order", token=token, _anchor="o-papers"), 303)


@billing.route("/o/<token>/documents/<int:document_id>/anew", methods=["GET", "POST"])
@public
def anew(token: str, document_id: int) -> ResponseReturnValue:
    """Make a receipt out to another name and address: a credit note and a new one."""
    known = queries.get_document_of(_get_order(token).id, document_id)
    lines = known.content["to"]["lines"]
    form = AddressForm(name=lines[0], address="\n".join(lines[1:]))
    if not form.validate_on_submit():
        body = render_template("billing/anew.html", form=form, token=token, known=known)
        return body, 422 if form.is_submitted() else 200
    with transaction():
        made = services.make_out_anew(document_id, form.addressee(), now=clock.now())
    flash(_("%(number)s takes its place, and stands below.", number=made.name), "good")
    return redirect(url_for("registration.order", token=token, _anchor="o-papers"), 303)


# ---- an employer pays


@billing.route("/o/<token>/invoice", methods=["GET", "POST"])
@public
def ask(token: str) -> ResponseReturnValue:
    """Let the payer ask for an invoice: what will happen is said before."""
    order = _get_order(token)
    back = url_for("registration.order", token=token)
    try:
        terms = services.terms_for(order.id, now=clock.now())
    except Refused as e:
        flash(refusal_text(e), "warn")
        return redirect(back, 303)
    form = InvoiceForm(email=order.email)
    if not form.validate_on_submit():
        body = render_template("billing/ask.html", form=form, order=order, terms=terms, back=back,
                               zone=settings().TIME_ZONE)  # fmt: skip
        return body, 422 if form.is_submitted() else 200
    order_id, actor = order.id, payer(order.payer_name)
    to = form.addressee(form.po_number.data or "")
    with transaction():
        services.ask_for_invoice(
            order_id, to, email=form.email.data or "", actor=actor, now=clock.now()
        )
    flash(_("The invoice is on its way to %(email)s.", email=form.email.data), "good")
    return redirect(back, 303)


def _get_invoice(token: str) -> InvoiceRow:
    return queries.get_invoice_by_token(token, zone=settings().TIME_ZONE, now=clock.now())


@billing.get("/i/<token>")
@public
def invoice(token: str) -> ResponseReturnValue:
    """Show whoever pays an invoice how it stands, and how it can be paid."""
    site, row = settings(), _get_invoice(token)
    attempt = find_holding(row.invoice.order_id)
    return render_template(
        "billing/invoice.html",
        row=row,
        token=token,
        at_bank=attempt is not None and attempt.state is AttemptState.PROCESSING,
        zone=site.TIME_ZONE,
        ways=[
            (_("By bank transfer"), site.BANK_DETAILS.splitlines()),
            (_("By cheque"), site.CHEQUE_DETAILS.splitlines()),
        ],
        cards=bool(site.STRIPE_SECRET_KEY),
    )


@billing.get("/i/<token>/invoice.pdf")
@public
def invoice_pdf(token: str) -> ResponseReturnValue:
    """Send the invoice."""
    return send_document(_get_invoice(token).invoice.document)


@billing.post("/i/<token>/pay")
@public
def pay(token: str) -> ResponseReturnValue:
    """Send whoever pays an invoice to Stripe's page; they come back here, never to the order's own page."""
    row = _get_invoice(token)
    own = url_for("billing.invoice", token=token)
    back = Back(absolute("billing.paid", token=token), absolute("billing.invoice", token=token),
                row.invoice.email, row.owed, row.invoice.document.issued_at)  # fmt: skip
    if row.owed <= 0 or not settings().STRIPE_SECRET_KEY:
        return redirect(own, 303)
    try:
        return redirect(start_checkout(row.invoice.order_id, whole=True, back=back) or own, 303)
    except Refused as e:
        flash(refusal_text(e), "warn")
    except NOT_NOW as e:
        log.warning("no checkout for invoice %s: %s", row.invoice.id, e)
        sentence = _(
            "The payment page does not open just now. Nothing was charged; try again in a minute."
        )
        flash(sentence, "warn")
    return redirect(own, 303)


@billing.get("/i/<token>/paid")
@public
def paid(token: str) -> ResponseReturnValue:
    """Receive whoever comes back from paying an invoice, and write down what Stripe says."""
    row = _get_invoice(token)
    known = find_by_session(request.args.get("session_id", ""))
    if known is None or known.order_id != row.invoice.order_id:
        raise NotFound
    state = look_again(known)
    if state is AttemptState.PAID:
        flash(_("Thank you: it is paid."), "good")
    elif state is AttemptState.QUARANTINED:
        flash(_("This payment needs a person; we look at it and write to you."), "warn")
    else:
        flash(_("We wait for word of your payment. This page shows it in a moment."), "warn")
    return redirect(url_for("billing.invoice", token=token), 303)
