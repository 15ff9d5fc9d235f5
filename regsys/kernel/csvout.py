"""CSV whose cells are safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence

# Tells Excel that what follows is UTF-8.
BOM = "\ufeff"
# OWASP, "CSV Injection": a cell that begins with one of these is read as a formula.
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as lines of CSV."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def safe_cell(value: str) -> str:
    """Return the text with a leading apostrophe where a spreadsheet would compute it."""
    return "'" + value if value.lstrip(" ").startswith(_TRIGGERS) else value
