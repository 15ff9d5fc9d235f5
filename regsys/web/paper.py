"""Documents on paper: which size is asked for, and how a PDF leaves."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from regsys.kernel.typeset import typeset

SIZES = {"letter": "us-letter", "a4": "a4"}


def read_size(args: Mapping[str, str]) -> str:
    """Return the size of paper that a query string asks for; US Letter where it names none."""
    asked = args.get("paper", "")
    return asked if asked in SIZES else "letter"


def send_pdf(template: str, data: Mapping[str, Any], *, size: str, name: str) -> Response:
    """Set a document and return it, to be looked at or printed; nothing on the way keeps it."""
    response = Response(typeset(template, {**data, "paper": SIZES[size]}))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
