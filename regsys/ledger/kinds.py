"""Kinds of documents, and what keeps them as they were given out."""

import re
from enum import StrEnum

from regsys.kernel.text import N_


class DocumentKind(StrEnum):
    """A receipt says that money came; an invoice asks for it; a credit note takes one of the two back."""

    RECEIPT = "receipt"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


# What the database says to whoever would change or delete a document, also past the application.
# `%(table)s` is the table; each dialect's statements are run in order.
FINAL_DDL: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TRIGGER %(table)s_stays BEFORE UPDATE ON %(table)s "
        "BEGIN SELECT RAISE(ABORT, 'a document is never changed'); END",
        "CREATE TRIGGER %(table)s_remains BEFORE DELETE ON %(table)s "
        "BEGIN SELECT RAISE(ABORT, 'a document is never deleted'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION document_is_final() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a document is never changed or deleted'; END $$",
        "CREATE TRIGGER %(table)s_stays BEFORE UPDATE OR DELETE ON %(table)s "
        "FOR EACH ROW EXECUTE FUNCTION document_is_final()",
    ),
}


DOCUMENT_LETTERS = {
    DocumentKind.RECEIPT: "R",
    DocumentKind.INVOICE: "INV",
    DocumentKind.CREDIT_NOTE: "CN",
}
DOCUMENT_WORDS = {
    DocumentKind.RECEIPT: N_("Receipt"),
    DocumentKind.INVOICE: N_("Invoice"),
    DocumentKind.CREDIT_NOTE: N_("Credit note"),
}


def document_name(kind: DocumentKind, year: int, number: int) -> str:
    """Return a document's number as it is printed: "R-2026-0007"."""
    return f"{DOCUMENT_LETTERS[kind]}-{year}-{number:04}"


def read_document_name(text: str) -> tuple[DocumentKind, int, int] | None:
    """Return kind, year and number of what somebody typed or pasted; None where it is no document's number."""
    found = re.fullmatch(r"(R|INV|CN)-(\d{4})-0*(\d{1,9})", text.strip().upper(), re.ASCII)
    if found is None:
        return None
    kinds = {letters: kind for kind, letters in DOCUMENT_LETTERS.items()}
    return kinds[found[1]], int(found[2]), int(found[3])
