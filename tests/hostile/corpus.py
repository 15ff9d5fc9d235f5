"""What is sent: text that people who test forms send, and bytes that no browser sends."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import werkzeug.urls  # noqa: F401, it registers the way in which broken bytes are read

from tests.support import hostile

T = TypeVar("T")
F = TypeVar("F")

HUGE = "x" * 100_000

# Numbers where a number is expected, and ids that no column can hold.
NUMBERS = (
    "0",
    "-1",
    "1.5",
    "1e3",
    "+7",
    "0x10",
    "1_000",
    "007",
    "٣",
    "²",
    "NaN",
    "inf",
    "2147483647",
    "2147483648",
    "9223372036854775808",
    "-9223372036854775809",
    "9" * 400,
    "9" * 5000,
    "1,000.00",
    "0.001",
    "999999999999.99",
    "-5.00",
)

DAYS = (
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01",
    "12:61",
    "2027-03-14T02:30",
    "24:00",
)

# Percent-encoded they are what a broken or a hostile client sends: no UTF-8, half a character, a lone surrogate.
BYTES = (b"\xff\xfe\x00", b"caf\xe9", b"\xed\xa0\x80", b"\xf0\x9f", b"\xc0\xae\xc0\xae/")

TEXTS = (
    *hostile.TEXTS,
    "",
    HUGE,
    "javascript:alert(1)",
    "//example.com/%2e%2e",
    "+1 206 555 0100\r\nX-Planted: yes",
    "a@b.c\nBcc: everyone@example.org",
    "\ufeff\u2028\u2029\ufffe",
    "*" * 3000 + "[" * 3000 + "(" * 3000,
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "true",
    "[]",
    '{"a": 1}',
)

VALUES: tuple[str | bytes, ...] = (*TEXTS, *NUMBERS, *DAYS, *BYTES)
LONG = 400


def family(value: str | bytes) -> str:
    """Name what is odd about a value: one of each family tries a field with everything that can go wrong there."""
    if isinstance(value, bytes):
        return "broken bytes"
    if len(value) > LONG:
        return "far too long"
    if value in NUMBERS:
        return "a number"
    if value in DAYS:
        return "a day or an hour"
    if not value.strip():
        return "nothing"
    if any(
        mark in value for mark in ("<", "'", "{{", "=", "@SUM", "javascript:", "//", "..", "[[")
    ):
        return "what another program would obey"
    return "breaks and odd letters" if set(value) & set("\r\n\0") else "odd words"


# What must never stand in a page as it was sent.
ACTIVE = ("<script>alert(1)", "<img src=x onerror", 'href="javascript:alert', "X-Planted: yes\r\n")

# Parts of a path; a slash would make it another address.
PATH_VALUES = (
    *("0", "-1", "1.5", "2147483648", "9223372036854775808", "9" * 400, "%D9%A3", "987654321"),
    *("no-such-thing", "%00", "%FF", "%ED%A0%80", "%0D%0AX-Planted:%20yes", "%3Cscript%3Ealert(1)"),
    *(
        "..%2F..%2Fetc%2Fpasswd",
        "e%CC%81",
        "%E2%80%AE",
        "x" * 3000,
        "%25s",
        "'%20OR%201=1--",
        "%20",
    ),
)


SEED = 20261124


def some(chance: random.Random, items: Sequence[T], most: int) -> list[T]:
    """Draw a sample; it is the same in every run."""
    return chance.sample(list(items), min(most, len(items)))


def deal(chance: random.Random, items: Iterable[T]) -> Iterator[T]:
    """Deal from a shuffled deck, and again from a new one: nothing comes twice before everything has come."""
    deck = list(items)
    while deck:
        chance.shuffle(deck)
        yield from deck


def cover(
    chance: random.Random, fields: Sequence[tuple[F, str]]
) -> Iterator[tuple[F, str | bytes]]:
    """Pair fields, each (field, kind), with values: every field meets every family, and every kind every value."""
    decks: dict[tuple[str, str], list[str | bytes]] = {}
    met: dict[str, set[str | bytes]] = {}
    families: dict[str, list[str | bytes]] = {}
    for value in VALUES:
        families.setdefault(family(value), []).append(value)
    for field, kind in fields:
        for name, values in families.items():
            deck = decks.get((kind, name)) or chance.sample(values, len(values))
            value = deck.pop()
            decks[kind, name] = deck
            met.setdefault(kind, set()).add(value)
            yield field, value
    for kind, seen in met.items():
        mine = [f for f, k in fields if k == kind]
        for n, value in enumerate(v for v in VALUES if v not in seen):
            yield mine[n % len(mine)], value


def as_text(value: str | bytes) -> str:
    """Return the text that the server reads from it: what is no UTF-8 stays percent-encoded."""
    return value if isinstance(value, str) else value.decode(errors="werkzeug.url_quote")
