"""The one place where an error becomes a page."""

import logging
from typing import Any

from flask import Flask, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadHost, HTTPException

from regsys.kernel import tokens
from regsys.kernel.db import name_failure
from regsys.kernel.errors import (
    Busy,
    DatabaseAway,
    Forbidden,
    IllegalMove,
    Invalid,
    NotFound,
    OutOfRoom,
    Refused,
    TooMany,
    UpstreamFailed,
)
from regsys.kernel.text import N_
from regsys.web.guard import current_actor

log = logging.getLogger("regsys")


def page(status: int, title: str, sentence: str, **more: Any) -> tuple[str, int]:
    """Return the error page; `more` may hold `kept` (sentences), `steps` ({label, url}), `advice` and `incident`."""
    return render_template(
        "web/error.html", status=status, title=title, sentence=sentence, **more
    ), status


def refusal_text(e: Refused) -> str:
    """Return the refusal's sentence in the reader's language."""
    return _(e.refusal.sentence, **dict(e.refusal.facts))


def _not_found(e: Exception) -> ResponseReturnValue:
    return page(
        404,
        _("There is nothing at this address"),
        _("The link may be old, or a part of it got lost on the way."),
        kept=[
            _("If it came in a letter, try the whole link again."),
            _("Otherwise begin at the home page."),
        ],
    )


def _forbidden(e: Exception) -> ResponseReturnValue:
    if not current_actor().signed_in:
        return page(
            403,
            _("You are not signed in any more"),
            _("Nothing was changed."),
            kept=[_("Sign in in another tab, come back here, go one step back and send it again.")],
            steps=[{"label": _("Sign in"), "url": url_for("accounts.sign_in")}],
        )
    return page(
        403,
        _("This page is for other people"),
        _("You are signed in, and your role does not open this page."),
        kept=[_("If you need it for your work, ask the owner of this site.")],
    )


def _invalid(e: Invalid) -> ResponseReturnValue:
    sentences = [s for one in e.fields.values() for s in one]
    return page(
        422,
        _("Something in what you sent cannot be used"),
        _("Nothing was changed."),
        kept=sentences,
    )


def _refused(e: Refused) -> ResponseReturnValue:
    return page(
        409,
        _("That is not possible now"),
        refusal_text(e),
        kept=[_("Nothing was changed, and nothing was charged.")],
    )


def _stale(e: IllegalMove) -> ResponseReturnValue:
    return page(
        409,
        _("This has already been done"),
        _("The page you came from was older than the facts. Nothing was changed just now."),
        kept=[_("Go back, reload the page, and look at how things stand.")],
    )


def _busy(e: Busy) -> ResponseReturnValue:
    body, status = page(
        503,
        _("One moment, please"),
        _("Many people are booking at this moment. Nothing was booked and nothing was charged."),
        kept=[_("Wait a few seconds and send the form again.")],
    )
    return body, status, {"Retry-After": "2"}


def _out_of_room(e: OutOfRoom) -> ResponseReturnValue:
    log.error("%s at %s %s", e, request.method, request.url_rule)
    body, status = page(
        503,
        _("Nothing can be written down just now"),
        _("The disk of this site is full. Nothing was changed here."),
        kept=[_("Please try again later; go back, and your browser keeps what you typed.")],
    )
    return body, status, {"Retry-After": "60"}


def _away(e: DatabaseAway) -> ResponseReturnValue:
    log.error("%s At %s %s", e, request.method, request.url_rule)
    # Every other page begins with a question to the database.
    drawn = current_app.jinja_env.get_template("web/away.html").render()
    return drawn, 503, {"Retry-After": "30"}


def _database(e: OperationalError) -> ResponseReturnValue:
    """Answer what failed while reading, where no transaction of a door gave it its name."""
    known = name_failure(e)
    if isinstance(known, Busy):
        return _busy(known)
    if isinstance(known, OutOfRoom):
        return _out_of_room(known)
    return _away(known) if isinstance(known, DatabaseAway) else _bug(e)


def _too_many(e: TooMany) -> ResponseReturnValue:
    body, status = page(429, _("That was tried too often"), str(e))
    return body, status, {"Retry-After": str(e.retry_after)}


def _upstream(e: UpstreamFailed) -> ResponseReturnValue:
    kept = [_("You were not charged.")] if e.not_charged else []
    return page(
        502,
        _("Another service did not answer"),
        str(e),
        kept=[*kept, _("Please try again in a minute.")],
    )


def _csrf(e: CSRFError) -> ResponseReturnValue:
    return page(
        400,
        _("This form has been open too long"),
        _("For your safety it cannot be sent any more. Nothing was changed."),
        kept=[_("Go back, reload the page and send it again; your browser keeps what you typed.")],
    )


_HTTP_TITLES = {
    400: N_("This request cannot be read"),
    405: N_("This address cannot be used in that way"),
    413: N_("That is too large"),
}


def _http(e: HTTPException) -> ResponseReturnValue:
    if e.code == 404:
        return _not_found(e)
    if isinstance(e, BadHost):  # no address can be built for a page of ours
        return e.get_response()
    if e.response is not None or e.code is None or e.code < 400:
        return e.get_response()
    title = _(_HTTP_TITLES.get(e.code, N_("This did not work")))
    body, status = page(e.code, title, _("Nothing was changed."))
    allow = {"Allow": e.get_response().headers["Allow"]} if e.code == 405 else {}
    return body, status, allow


def _bug(e: Exception) -> ResponseReturnValue:
    incident = tokens.new_code(8)
    # The path's last part may be a secret link: the rule says as much as is needed.
    log.exception("incident %s at %s %s", incident, request.method, request.url_rule)
    try:
        return _bug_page(incident)
    except Exception:
        log.exception("incident %s: its page failed too", incident)
        # What every page shows may be what failed, so this one is drawn without it.
        return current_app.jinja_env.get_template("web/broken.html").render(incident=incident), 500


def _bug_page(incident: str) -> ResponseReturnValue:
    return page(
        500,
        _("Something went wrong on our side"),
        _("It has been written down with the code below. Nothing that you had finished is lost."),
        kept=[_("Please try again; if it happens twice, write to us with the code.")],
        incident=incident,
    )


def register(app: Flask) -> None:
    """Attach the error map to the app."""
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(Forbidden, _forbidden)
    app.register_error_handler(Invalid, _invalid)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(IllegalMove, _stale)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(OutOfRoom, _out_of_room)
    app.register_error_handler(DatabaseAway, _away)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(TooMany, _too_many)
    app.register_error_handler(UpstreamFailed, _upstream)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)
