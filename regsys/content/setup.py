"""What every page shows of the society: its name, its mark, its menu."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, has_request_context, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from regsys.content import queries
from regsys.kernel.db import db
from regsys.kernel.settings import Settings
from regsys.web.caching import Shelf, kept
from regsys.web.guard import current_actor

Item = dict[str, Any]


class Lazy:
    """A list that is made when a template walks over it: letters and small pages ask for no menu."""

    def __init__(self, make: Callable[[], list[Item]]) -> None:
        self.make = make
        self.made: list[Item] | None = None

    def __iter__(self) -> Iterator[Item]:
        if self.made is None:
            self.made = self.make()
        return iter(self.made)


def register(app: Flask) -> None:
    """Give `site`, `nav` and `foot_nav` to the templates."""
    settings: Settings = app.extensions["regsys.settings"]
    shelf: Shelf = app.extensions["regsys.shelf"]
    shelf.frame.append(lambda: tuple(queries.list_menu()))

    @app.context_processor
    def society() -> dict[str, Any]:
        if not has_request_context():
            return {"site": _site(settings), "nav": (), "foot_nav": ()}
        pages = Lazy(_pages)
        return {
            "site": _site(settings),
            "nav": Lazy(lambda: _nav(list(pages))),
            "foot_nav": Lazy(lambda: [*pages, _item(_("News"), url_for("content.news"))]),
        }


def _site(settings: Settings) -> dict[str, str | None]:
    here = has_request_context()
    return {
        "name": settings.ORGANISATION_NAME,
        "tagline": settings.ORGANISATION_TAGLINE,
        "email": settings.ORGANISATION_EMAIL,
        "home_url": url_for("content.home") if here else settings.BASE_URL,
        "logo_url": url_for("content.logo") if here and settings.ORGANISATION_LOGO else None,
    }


def _item(label: str, url: str) -> Item:
    # "/events" is current on "/events/<slug>" too.
    path = request.script_root + request.path
    return {"label": label, "url": url, "current": path == url or path.startswith(url + "/")}


def _pages() -> list[Item]:
    try:
        menu = kept("menu", queries.list_menu)
    except SQLAlchemyError:
        # The page that says what went wrong must not go wrong itself.
        db.session.rollback()
        return []
    return [_item(title, url_for("content.page", slug=slug)) for slug, title in menu]


def _nav(pages: list[Item]) -> list[Item]:
    items = [
        _item(_("Events"), url_for("events.catalogue")),
        _item(_("Groups"), url_for("events.groups")),
    ]
    if pages:
        current = any(p["current"] for p in pages)
        items.append(
            {"label": _("About us"), "url": pages[0]["url"], "current": current, "below": pages}
        )
    items.append(_item(_("Contact"), url_for("content.contact")))
    if not current_actor().signed_in:
        items.append(_item(_("Sign in"), url_for("accounts.sign_in")))
    return items
