"""Every receipt, invoice and credit note, to be found by number, name or order."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.billing import queries, services
from regsys.billing.forms import AddressForm
from regsys.billing.organizer.desk import ROLES, billing_organizer, scope_now
from regsys.billing.sheets import send_document
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.text import which_page
from regsys.ledger.kinds import DocumentKind
from regsys.web.guard import requires


@billing_organizer.get("/organize/papers")
@requires(*ROLES)
def papers() -> ResponseReturnValue:
    """List documents, the newest first, by kind and by what is looked for."""
    scope, kind = scope_now(), request.args.get("kind", "")
    words = request.args.get("q", "").strip()
    page = queries.list_papers(
        scope,
        kind=DocumentKind(kind) if kind in set(DocumentKind) else None,
        words=words,
        number=which_page(request.args.get("page", "")),
    )
    return render_template(
        "billing/papers.html", page=page, kind=kind, words=words, all=scope is None
    )


@billing_organizer.get("/organize/papers/<int:document_id>.pdf")
@requires(*ROLES)
def paper_pdf(document_id: int) -> ResponseReturnValue:
    """Send one document."""
    return send_document(queries.get_paper(document_id, scope_now()).document)


@billing_organizer.route("/organize/papers/<int:document_id>/anew", methods=["GET", "POST"])
@requires(*ROLES)
def paper_anew(document_id: int) -> ResponseReturnValue:
    """Make a receipt out to another name and address for somebody: a credit note and a new one."""
    row = queries.get_paper(document_id, scope_now())
    lines = row.document.content["to"]["lines"]
    form = AddressForm(name=lines[0], address="\n".join(lines[1:]))
    if not form.validate_on_submit():
        body = render_template("billing/paper_anew.html", form=form, row=row)
        return body, 422 if form.is_submitted() else 200
    with transaction():
        made = services.make_out_anew(document_id, form.addressee(), now=clock.now())
    sentence = _(
        "%(number)s takes its place. Whoever paid finds it on their page.", number=made.name
    )
    flash(sentence, "good")
    return redirect(url_for("billing_organizer.papers", q=row.order_code), 303)
