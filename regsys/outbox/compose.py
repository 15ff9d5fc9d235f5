"""What a letter is before it is stored: rendered twice, secret links left out."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import css_inline
from flask import render_template

from regsys.web.urls import settings

_PLACEHOLDER = re.compile(r"\[\[link:\w+\]\]")
# What improves only (dark colours, narrow screens) stays in the head; nothing is ever fetched.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class Draft:
    """A rendered letter. `key` is unique per subject and transition; `links` are secret addresses by name."""

    key: str
    kind: str
    to_name: str
    to_email: str
    subject: str
    text: str
    html: str
    links: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Mapping[str, str]] = ()
    reply_to: str | None = None
    order_id: int | None = None
    registration_id: int | None = None
    event_id: int | None = None


@dataclass(frozen=True)
class Letter:
    """A stored letter as it goes out: the secret addresses are in."""

    id: int
    kind: str
    to_name: str
    to_email: str
    reply_to: str | None
    subject: str
    text: str
    html: str
    attachments: Sequence[Mapping[str, str]]
    links: Mapping[str, str]
    message_id: str
    attempts: int


def compose(
    template: str,
    *,
    key: str,
    kind: str,
    to: tuple[str, str],
    subject: str,
    links: Mapping[str, str] | None = None,
    context: Mapping[str, Any] | None = None,
    **more: Any,
) -> Draft:
    """Render `<template>.html` and `<template>.txt`.

    In the templates `links.order` stands for the secret address named "order": it is written as a placeholder
    and filled when the letter is sent. `to` is (name, address); `more` goes into the Draft.
    """
    links = dict(links or {})
    names = {name: f"[[link:{name}]]" for name in links}
    values = {**(context or {}), "links": names, "site": settings(), "subject": subject}
    html = _INLINER.inline(render_template(f"{template}.html", **values).strip())
    text = _tidy(render_template(f"{template}.txt", **values))
    name, address = to
    return Draft(key, kind, name, address, subject, text, html, links, **more)


def _tidy(text: str) -> str:
    """Break long lines that are not indented, and leave at most two empty lines in a row."""
    lines = "\n".join(_wrapped(line) for line in text.strip().splitlines())
    return re.sub(r"\n{4,}", "\n\n\n", lines) + "\n"


def _wrapped(line: str) -> str:
    if line.startswith(" ") or line == "-- ":
        return line
    return textwrap.fill(
        line, 72, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def fill(body: str, links: Mapping[str, str]) -> str:
    """Put the secret addresses in."""
    for name, url in links.items():
        body = body.replace(f"[[link:{name}]]", url)
    return body


def mask(body: str) -> str:
    """Show that a secret address was there, and nothing of it."""
    return _PLACEHOLDER.sub("[…]", body)
