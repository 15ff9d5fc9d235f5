"""Public pages that a browser may keep and ask about again.

Such a page is the same for everyone who brings no cookie. It is kept in this process for as long as the database has
not changed and the clock shows the same second, so that a crowd asking for one page costs one rendering.
"""

import gzip
import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import ParamSpec

from flask import Flask, Response, current_app, make_response, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from regsys.kernel.clock import now
from regsys.kernel.db import db

P = ParamSpec("P")
MOST_KEPT = 256


@dataclass
class Kept:
    """A rendered page: what it was made from, and both ways to send it."""

    mark: tuple[object, int]
    body: bytes
    packed: bytes
    etag: str
    content_type: str


class Shelf:
    """The kept pages of one app, the least wanted thrown out first, and its view of the database's changes."""

    def __init__(self) -> None:
        self.pages: OrderedDict[str, Kept] = OrderedDict()
        self.lock = Lock()
        self.watch: sqlite3.Connection | None = None

    def find(self, key: str, mark: tuple[object, int]) -> Kept | None:
        """Find the page if nothing has changed since it was made."""
        with self.lock:
            kept = self.pages.get(key)
            if kept is None or kept.mark != mark:
                return None
            self.pages.move_to_end(key)
            return kept

    def keep(self, key: str, kept: Kept) -> None:
        """Keep a page."""
        with self.lock:
            self.pages[key] = kept
            self.pages.move_to_end(key)
            while len(self.pages) > MOST_KEPT:
                self.pages.popitem(last=False)

    def changes(self) -> object:
        """Return a value that differs whenever somebody has committed something since it was last asked for."""
        if db.engine.dialect.name != "sqlite":
            return db.session.scalar(text("SELECT pg_current_snapshot()::text"))
        with self.lock:
            if self.watch is None:
                # A connection of its own: data_version does not tell a connection about its own commits.
                self.watch = sqlite3.connect(
                    db.engine.url.database or "", check_same_thread=False, isolation_level=None
                )
            return self.watch.execute("PRAGMA data_version").fetchone()[0]


def register(app: Flask) -> None:
    """Give the app its shelf."""
    app.extensions["regsys.shelf"] = Shelf()


def revalidated(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Answer a GET with a weak ETag; 304 where the visitor has the page already."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if request.cookies:
            response = make_response(view(*args, **kwargs))
            return _private(response) if response.status_code == 200 else response
        shelf: Shelf = current_app.extensions["regsys.shelf"]
        key = f"{request.script_root}{request.full_path}"
        mark = (shelf.changes(), int(now().timestamp()))
        kept = shelf.find(key, mark)
        if kept is None:
            response = make_response(view(*args, **kwargs))
            if response.status_code != 200 or session.modified:
                return response
            kept = _kept(response, mark)
            shelf.keep(key, kept)
        return _shared(kept)

    return answer


def _etag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]


def _private(response: Response) -> Response:
    response.set_etag(_etag(response.get_data()), weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


def _kept(response: Response, mark: tuple[object, int]) -> Kept:
    body = response.get_data()
    # mtime=0: the same page is packed into the same bytes.
    packed = gzip.compress(body, 5, mtime=0)
    return Kept(mark, body, packed, _etag(body), response.content_type or "text/html")


def _shared(kept: Kept) -> Response:
    if request.if_none_match.contains_weak(kept.etag):
        response = Response(status=304)
    elif request.accept_encodings.quality("gzip") > 0:
        response = Response(kept.packed, content_type=kept.content_type)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = Response(kept.body, content_type=kept.content_type)
    response.set_etag(kept.etag, weak=True)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    return response
