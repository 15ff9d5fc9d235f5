"""Small text rules: what counts as the same address, what may stand in a URL, what is never stored."""

import re
import unicodedata

# C0 controls but tab and newline; NUL would be refused by PostgreSQL, the others break mail headers and CSV.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


def N_(message: str) -> str:
    """Mark a message id for translation; it is translated where it is shown."""
    return message


def clean(value: str) -> str:
    """Return the text without control characters, in NFC, newlines as \\n, ends trimmed."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _CONTROL.sub("", value)).strip()


def whole_number(text: str) -> int | None:
    """Read an id, a page or a count, from 1 to what a column can hold; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return int(text) if 0 < int(text) < 2**31 else None


def which_page(text: str) -> int:
    """Read the number of a page of a list; the first for anything else."""
    return min(whole_number(text) or 1, 10_000)


def email_key(address: str) -> str:
    """Return the form under which two spellings of one address are equal."""
    return clean(address).casefold()


def slugify(title: str) -> str:
    """Return a lower-case ASCII slug of at most 80 characters; empty if nothing is left."""
    ascii_only = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:80].strip("-")
