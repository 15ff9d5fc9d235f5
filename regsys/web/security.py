"""Headers, safe redirects and rate limits."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flask import Flask, Response, request
from sqlalchemy import Executable, delete, literal_column
from werkzeug.exceptions import BadRequest

from regsys.kernel.db import db, inserting
from regsys.kernel.errors import NotFound, TooMany
from regsys.kernel.settings import Settings
from regsys.web.models import RateCount

STRIPE_CHECKOUT = "https://checkout.stripe.com"


def register(app: Flask, settings: Settings) -> None:
    """Send the security headers with every answer that does not bring its own policy."""
    # A form that is answered by a 303 to another origin is blocked unless form-action names that origin.
    checkout = settings.STRIPE_API_BASE or STRIPE_CHECKOUT
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(checkout))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; form-action 'self' {origin}; base-uri 'none'; frame-ancestors 'none'; "
        "frame-src 'self'; manifest-src 'self'; media-src 'self'"
    )

    @app.before_request
    def no_nul() -> None:
        # No address of ours has one, and PostgreSQL takes none in a text that it compares.
        if "\x00" in request.path or b"%00" in request.query_string:
            raise NotFound

    @app.before_request
    def no_nameless_part() -> None:
        # Flask-WTF breaks at a part of a multipart body that has no name; no form of ours sends one.
        if request.mimetype == "multipart/form-data" and None in request.form:
            raise BadRequest

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        # What a page shows may be one person's own: nothing on the way keeps it, unless the page says so itself.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault(
            "Referrer-Policy", "no-referrer" if _secret_path() else "same-origin"
        )
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"
        )
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if settings.secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response


def _secret_path() -> bool:
    # Secret links must not leak through the Referer header: a token in the path, or one in the query.
    return "token" in (request.view_args or ()) or bool({"token", "key"} & set(request.args))


def safe_next(target: str | None, default: str) -> str:
    """Return `target` if it is a path on this site, else `default`."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc and target.isprintable() else default


def count_and_limit(key: str, *, limit: int, seconds: int, now: datetime, sentence: str) -> None:
    """Count one more use of `key` in its window; raise TooMany above `limit`. Runs in the door's transaction."""
    start = int(now.timestamp()) // seconds * seconds
    row = {
        "key": f"{key}:{start}"[:120],
        "count": 1,
        "ends_at": datetime.fromtimestamp(start + seconds, UTC),
    }
    statement: Executable = (
        inserting(RateCount)
        .values(**row)
        .on_conflict_do_update(index_elements=["key"], set_={"count": RateCount.count + 1})
        .returning(literal_column("count"))
    )
    count = db.session.execute(statement).scalar_one()
    if count > limit:
        raise TooMany(sentence, retry_after=max(1, start + seconds - int(now.timestamp())))


def forget_old_counts(now: datetime) -> None:
    """Delete counters whose window is over for an hour."""
    db.session.execute(delete(RateCount).where(RateCount.ends_at < now - timedelta(hours=1)))
