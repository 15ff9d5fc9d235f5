"""Cells that are safe to open in a spreadsheet."""

# OWASP, "CSV Injection": a cell that begins with one of these is read as a formula.
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: str) -> str:
    """Return the text with a leading apostrophe where a spreadsheet would compute it."""
    return "'" + value if value.lstrip(" ").startswith(_TRIGGERS) else value
