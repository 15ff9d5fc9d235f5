"""Documents that go with a letter: stored as their number, printed when it is sent, outside of any transaction."""

import base64
from collections.abc import Callable
from dataclasses import replace

from flask import Flask, current_app

from regsys.outbox.compose import Letter

SLOT = "regsys.papers"


def use_papers(app: Flask, printed: Callable[[int], bytes]) -> None:
    """Let the room that knows documents print them: it stands above this one."""
    app.extensions[SLOT] = printed


def attach(letter: Letter) -> Letter:
    """Return the letter with its documents as PDF in base64; raise RuntimeError where one cannot be printed."""
    if not any("document" in a for a in letter.attachments):
        return letter
    printed: Callable[[int], bytes] = current_app.extensions[SLOT]
    attachments = [
        {**a, "base64": base64.b64encode(printed(int(a["document"]))).decode()}
        if "document" in a
        else a
        for a in letter.attachments
    ]
    return replace(letter, attachments=attachments)
