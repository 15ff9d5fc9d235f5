"""Every receipt, invoice and credit note, to be found by number, name or order."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from regsys.billing import queries
from regsys.billing.organizer.desk import ROLES, billing_organizer, scope_now
from regsys.billing.sheets import send_document
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
