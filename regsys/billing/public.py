"""The payer's papers, behind the secret link of their order."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.billing import queries, services
from regsys.billing.forms import AddressForm
from regsys.billing.sheets import send_document
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound
from regsys.registration.models import Order
from regsys.registration.queries import find_order_by_token
from regsys.web.guard import public

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
