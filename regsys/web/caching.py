"""Public pages that a browser may keep and ask about again.

Such a page is the same for everyone who brings no cookie. It is kept in this process for as long as the database has
not changed and the clock shows the same second, so that a crowd asking for one page costs one rendering. A page that
says of what it is made (`made_from`) is not made again by what is committed about other things. `Shelf` stands before
Flask: a kept page is sent without building a request, which is most of what a small page costs.
"""

import gzip
import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property, wraps
from threading import Lock, RLock
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, make_response, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import parse_etags

from regsys.kernel.clock import now
from regsys.kernel.db import db

P = ParamSpec("P")
T = TypeVar("T")
Headers = list[tuple[str, str]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
MOST_KEPT = 256
KEEP = "regsys.keep"
MARK = "regsys.mark"
MADE_FROM = "regsys.made-from"
Ask = Callable[[], Hashable]
Mark = tuple[int, Hashable]
# What changes when a page is packed, or says nothing where there is no body.
_OF_BODY = frozenset({"content-length", "content-encoding"})
_WITH_304 = frozenset({"etag", "cache-control", "vary"})


@dataclass
class Kept:
    """A rendered page: what it was made from, and both ways to send it."""

    mark: Mark
    headers: Headers
    etag: str
    body: bytes
    # How to ask of what it is made, and what the answer was.
    made_from: tuple[Ask, Hashable] | None = None

    @cached_property
    def packed(self) -> bytes:
        """Pack the page when it is first asked for so; mtime=0: the same page is packed into the same bytes."""
        return gzip.compress(self.body, 5, mtime=0)


class Shelf:
    """The kept pages of one app, the least wanted thrown out first; WSGI middleware."""

    def __init__(self, flask: Flask, engine: Engine) -> None:
        self.app: Wsgi = flask.wsgi_app
        self.flask = flask
        self.engine = engine
        # What the frame of every page is made of.
        self.frame: list[Ask] = []
        self.pages: OrderedDict[str, Kept] = OrderedDict()
        self.parts: OrderedDict[str, tuple[object, Any]] = OrderedDict()
        self.lock = Lock()
        self.making = [RLock() for _ in range(16)]
        self.watch: sqlite3.Connection | None = None

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_COOKIE" in environ:
            return self.app(environ, start)
        key = "\0".join(environ.get(k, "") for k in ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"))
        kept = self.find(key, environ)
        if kept is None:
            answered: list[Any] = []
            body = self.app(environ, lambda *args: answered.extend(args))
            if KEEP not in environ:
                start(*answered)
                return body
            whole = b"".join(body)
            getattr(body, "close", lambda: None)()
            kept = self.keep(key, environ[KEEP], answered[1], whole, environ.get(MADE_FROM))
        return _send(kept, environ, start)

    def find(self, key: str, environ: dict[str, Any]) -> Kept | None:
        """Find the page if nothing has changed since it was made; if something has, leave the new mark to the view."""
        kept = self.pages.get(key)
        if kept is None:
            return None
        mark = environ[MARK] = self.mark()
        return kept if kept.mark == mark or self._is_same(kept, mark) else None

    def _is_same(self, kept: Kept, mark: Mark) -> bool:
        """Tell whether what was committed since a page was made, in this second, has left it as it is."""
        if kept.made_from is None or kept.mark[0] != mark[0]:
            return False
        ask, before = kept.made_from
        try:
            with self.flask.app_context():
                is_same = self.answer(ask) == before
        except SQLAlchemyError:
            return False  # who makes the page says it better
        if is_same:
            kept.mark = mark
        return is_same

    def answer(self, ask: Ask) -> tuple[Hashable, ...]:
        """Return of what a page and its frame are made at this moment."""
        return ask(), *(of_frame() for of_frame in self.frame)

    def keep(
        self,
        key: str,
        mark: Mark,
        headers: Headers,
        body: bytes,
        made_from: tuple[Ask, Hashable] | None,
    ) -> Kept:
        """Keep a page."""
        etag = next(v for k, v in headers if k.lower() == "etag")
        headers = [(k, v) for k, v in headers if k.lower() not in _OF_BODY]
        kept = Kept(mark, headers, etag, body, made_from)
        self._put(self.pages, key, kept)
        return kept

    def part(self, key: str, mark: object, make: Callable[[], T]) -> T:
        """Return a part of pages as it was made under the same mark, or make it."""
        known, value = self.parts.get(key, (None, None))
        if known != mark:
            # One makes it, and the others wait for it: many at once would take as many times as long.
            with self.making[hash(key) % len(self.making)]:
                known, value = self.parts.get(key, (None, None))
                if known != mark:
                    value = make()
                    self._put(self.parts, key, (mark, value))
        made: T = value
        return made

    def _put(self, where: OrderedDict[str, T], key: str, value: T) -> None:
        with self.lock:
            where[key] = value
            where.move_to_end(key)
            while len(where) > MOST_KEPT:
                where.popitem(last=False)

    def mark(self) -> Mark:
        """Return a value that differs whenever the second is another, or somebody has committed something."""
        return this_second(), self._changes()

    def _changes(self) -> Hashable:
        if self.engine.dialect.name != "sqlite":
            with self.engine.connect() as connection:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                return connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar()
        with self.lock:
            if self.watch is None:
                # A connection of its own: data_version does not tell a connection about its own commits.
                path = self.engine.url.database or ""
                self.watch = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            version: int = self.watch.execute("PRAGMA data_version").fetchone()[0]
            return version


def this_second() -> int:
    """Return the second of the clock: what depends on the time is kept no longer."""
    return int(now().timestamp())


def _send(kept: Kept, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    asked = environ.get("HTTP_IF_NONE_MATCH")
    if asked and (asked == kept.etag or parse_etags(asked).contains_weak(_bare(kept.etag))):
        start("304 NOT MODIFIED", [h for h in kept.headers if h[0].lower() in _WITH_304])
        return []
    headers, body = kept.headers, kept.body
    if _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        headers, body = [*headers, ("Content-Encoding", "gzip")], kept.packed
    start("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _bare(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')


def _takes_gzip(accepted: str) -> bool:
    parts = [p.replace(" ", "").lower() for p in accepted.split(",")]
    return any(p == "gzip" or (p.startswith("gzip;q=") and p[7:].strip("0.")) for p in parts)


def register(app: Flask) -> None:
    """Put the shelf before the app."""
    with app.app_context():
        shelf = Shelf(app, db.engine)
    app.extensions["regsys.shelf"] = shelf
    app.wsgi_app = shelf  # type: ignore[method-assign,assignment]


def revalidated(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Answer with a weak ETag; 304 where the visitor has the page already, and kept where they bring no cookie."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        shelf: Shelf = current_app.extensions["regsys.shelf"]
        # Marked before it is read: what is committed meanwhile makes the page old.
        mark = None if request.cookies else _mark(shelf)
        response = make_response(view(*args, **kwargs))
        if response.status_code != 200:
            return response
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:24], weak=True)
        response.vary.update(("Accept-Encoding", "Cookie"))
        if mark is None or session.modified:
            return _private(response)
        response.headers["Cache-Control"] = "no-cache"
        request.environ[KEEP] = mark
        return response

    return answer


def made_from(key: str, ask: Ask) -> Hashable:
    """Say of what this page is made besides its frame: while `ask` answers the same, the page stays as it is within the
    second, whatever else is committed. Returns the answer.
    """
    shelf: Shelf = current_app.extensions["regsys.shelf"]
    if request.cookies:
        return kept(f"made from {key}", ask)
    answer = shelf.answer(ask)
    request.environ[MADE_FROM] = ask, answer
    return answer[0]


def kept(key: str, make: Callable[[], T], *, mark: Hashable = None) -> T:
    """Return what `make` returns, made once for everybody until something changes: anything, or (`mark`) this and the
    second.

    For what is the same whoever asks: plain values and rendered text, never rows, which belong to one session. `mark`
    is read before what it stands for, so that what is committed meanwhile makes the part old.
    """
    shelf: Shelf = current_app.extensions["regsys.shelf"]
    until = (this_second(), mark) if mark is not None else _mark(shelf)
    return shelf.part(f"{request.script_root} {key}", until, make)


def _mark(shelf: Shelf) -> Mark:
    """Return this request's mark: taken once, before anything is read."""
    if "page_mark" not in g:
        g.page_mark = request.environ.get(MARK) or shelf.mark()
    mark: Mark = g.page_mark
    return mark


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
