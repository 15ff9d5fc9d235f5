"""Setting a document that was issued: the same data and the same sheet give the same bytes, today and in ten years."""

from flask import Response, request

from regsys.kernel.typeset import typeset
from regsys.ledger.models import Document
from regsys.web.paper import SIZES, read_size, send_pdf

SHEETS = {1: "billing/document_1.typ"}


def send_document(document: Document) -> Response:
    """Return a document, to be looked at or printed."""
    sheet = SHEETS[document.template]
    return send_pdf(
        sheet, document.content, size=read_size(request.args), name=document.name.lower()
    )


def print_document(document: Document, size: str = "letter") -> bytes:
    """Return the PDF of a document, for a letter."""
    return typeset(SHEETS[document.template], {**document.content, "paper": SIZES[size]})
