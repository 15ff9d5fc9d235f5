"""The words of templates: flask-babel looks for the translations at every word; here a page looks once."""

from functools import lru_cache
from typing import Any

from babel import Locale
from flask import Flask, g
from flask_babel import get_domain, get_locale


def locale_name() -> str:
    """Return the reader's locale, for Babel's functions."""
    return _name(get_locale())


@lru_cache(maxsize=64)
def _name(locale: Locale | None) -> str:
    return str(locale or "en_US")


def _translations() -> Any:
    """Return the translations into the reader's language, remembered for as long as that stays the same."""
    locale = get_locale()
    kept = g.get("translations")
    if kept is None or kept[0] is not locale:
        kept = g.translations = (locale, get_domain().get_translations())
    return kept[1]


def register(app: Flask) -> None:
    """Let templates use it."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda s: _translations().ugettext(s),
        ngettext=lambda s, p, n: _translations().ungettext(s, p, n),
        pgettext=lambda c, s: _translations().upgettext(c, s),
        npgettext=lambda c, s, p, n: _translations().unpgettext(c, s, p, n),
        newstyle=True,
    )
