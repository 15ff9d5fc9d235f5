"""The reader of sandbox mode: every letter that was sent, on this machine only."""

import base64
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from regsys.kernel.errors import NotFound
from regsys.outbox import drawer
from regsys.web.guard import public
from regsys.web.urls import settings

bp = Blueprint("outbox", __name__)

# Links in a letter open a tab of their own; nothing else works in there.
READER = "sandbox allow-popups allow-popups-to-escape-sandbox"
PREVIEW = "sandbox"


@bp.get("/outbox")
@public
def reader() -> ResponseReturnValue:
    """List the letters, the newest first."""
    _only_here()
    words = request.args.get("q", "")
    letters = drawer.list_kept(_folder(), words=words)
    return render_template(
        "outbox/reader.html", letters=letters, words=words, zone=settings().TIME_ZONE
    )


@bp.get("/outbox/<int:letter_id>")
@public
def letter(letter_id: int) -> ResponseReturnValue:
    """Show one letter: as HTML, as text, and what is attached."""
    found = _letter(letter_id)
    return render_template("outbox/letter.html", letter=found, zone=settings().TIME_ZONE)


@bp.get("/outbox/<int:letter_id>/html")
@public
def letter_html(letter_id: int) -> ResponseReturnValue:
    """Show the HTML alone, for the frame."""
    page = _letter(letter_id)["html"].replace("<head>", '<head><base target="_blank">', 1)
    return framed(page, READER)


@bp.get("/outbox/<int:letter_id>/attachments/<int:n>")
@public
def attachment(letter_id: int, n: int) -> ResponseReturnValue:
    """Give out one attachment."""
    attached: list[dict[str, str]] = _letter(letter_id)["attachments"]
    if n >= len(attached):
        raise NotFound
    one = attached[n]
    body = base64.b64decode(one["base64"]) if "base64" in one else one["text"]
    answer = Response(body, content_type=one["type"])
    answer.headers.set("Content-Disposition", "attachment", filename=one["filename"])
    return answer


def framed(html: str, sandbox: str) -> Response:
    """Answer a letter's HTML under a policy of its own: inline style, and no script, form or picture from elsewhere."""
    answer = Response(html, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = (
        f"{sandbox}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
    )
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _only_here() -> None:
    """Raise NotFound unless this is a sandbox, asked from the machine itself.

    A proxy on the same machine would make every visitor look like one from here: it gives itself away by the name
    that it passes on, or by a header.
    """
    direct = not request.headers.get("X-Forwarded-For") and not request.headers.get("Forwarded")
    host = urlsplit(f"//{request.host}").hostname or ""
    here = _is_loopback(request.remote_addr or "") and (host == "localhost" or _is_loopback(host))
    if not (settings().SANDBOX and direct and here):
        raise NotFound


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _letter(letter_id: int) -> dict[str, Any]:
    _only_here()
    found = drawer.find(_folder(), letter_id)
    if found is None:
        raise NotFound
    return found


def _folder() -> Path:
    return settings().DATA_DIR / "outbox"
