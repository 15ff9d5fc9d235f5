"""Setting a document that was issued: the same data and the same sheet give the same bytes, today and in ten years."""

from flask import Response, request

from regsys.kernel.db import db
from regsys.kernel.typeset import typeset
from regsys.ledger.models import Document
from regsys.ledger.queries import get_document
from regsys.web.paper import SIZES, read_size, send_pdf

SHEETS = {1: "billing/document_1.typ"}


def send_document(document: Document) -> Response:
    """Return a document, to be looked at or printed."""
    sheet = SHEETS[document.template]
    return send_pdf(
        sheet, document.content, size=read_size(request.args), name=document.name.lower()
    )


def print_by_id(document_id: int) -> bytes:
    """Return the PDF of a document by its number, outside of any transaction."""
    document = get_document(document_id)
    sheet, content = SHEETS[document.template], dict(document.content)
    db.session.rollback()
    return typeset(sheet, {**content, "paper": SIZES["letter"]})
