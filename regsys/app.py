"""The roof: puts the rooms together into one Flask app."""

import importlib.util
import logging
from functools import cache
from importlib import import_module
from types import ModuleType

from flask import Blueprint, Flask
from flask_babel import Babel
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from regsys.kernel import clock, crypt, killpoints
from regsys.kernel.db import db, engine_options, prepare_engine
from regsys.kernel.paths import root
from regsys.kernel.settings import Settings
from regsys.rooms import FLOORS
from regsys.web import caching, errors, html, security
from regsys.web.urls import RowId

DOORS = ("public", "organizer", "leader", "coordinator", "webhook")

csrf = CSRFProtect()


def create_app(settings: Settings) -> Flask:
    """Build the app; it opens no connection and runs no migration."""
    app = Flask(
        "regsys",
        template_folder=str(root() / "templates"),
        static_folder=str(root() / "static"),
        static_url_path="/static",
    )
    app.url_map.converters["int"] = RowId
    app.config.update(_flask_config(settings))
    app.extensions["regsys.settings"] = settings
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    clock.configure(settings.DATA_DIR if settings.SANDBOX else None)
    killpoints.configure(settings.DATA_DIR if settings.SANDBOX else None)
    crypt.configure(settings.FIELD_KEYS)
    logging.getLogger("regsys").setLevel(settings.LOG_LEVEL)
    Babel(app, default_locale="en_US", default_timezone="UTC")
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    security.register(app, settings)  # what it refuses, no other part may see
    csrf.init_app(app)
    errors.register(app)
    html.register(app)
    caching.register(app)
    _open_doors(app)
    if settings.TRUSTED_PROXIES:
        n = settings.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n, x_prefix=0)  # type: ignore[method-assign]
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.SECRET_KEY,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "SESSION_COOKIE_NAME": "regsys",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure,
        "PERMANENT_SESSION_LIFETIME": 60 * 60 * 24 * 14,
        "MAX_CONTENT_LENGTH": 2 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
        "MAX_FORM_PARTS": 2000,
        "WTF_CSRF_TIME_LIMIT": 60 * 60 * 12,
        "MAIL_SERVER": settings.MAIL_SERVER,
        "MAIL_PORT": settings.MAIL_PORT,
        "MAIL_USE_TLS": settings.MAIL_USE_TLS,
        "MAIL_USE_SSL": settings.MAIL_USE_SSL,
        "MAIL_USERNAME": settings.MAIL_USERNAME,
        "MAIL_PASSWORD": settings.MAIL_PASSWORD,
        "MAIL_DEFAULT_SENDER": settings.MAIL_DEFAULT_SENDER,
        "MAIL_CA_FILE": settings.MAIL_CA_FILE,
    }


def _open_doors(app: Flask) -> None:
    """Register every room's blueprints, and let each room set itself up (`setup.register(app)`)."""
    for room in FLOORS:
        for name in (*DOORS, "setup", "models"):
            module_name = f"regsys.{room}.{name}"
            module = _find(module_name)
            if module is None:
                continue
            if name == "setup":
                _set_up(app, module)
            for value in list(vars(module).values()):
                if isinstance(value, Blueprint) and value.import_name == module_name:
                    app.register_blueprint(value)
                    if name == "webhook":
                        csrf.exempt(value)


@cache
def _find(name: str) -> ModuleType | None:
    return import_module(name) if importlib.util.find_spec(name) else None


def _set_up(app: Flask, module: ModuleType) -> None:
    """Let a room set itself up; a word for the templates that another room has given already is refused."""
    words = (app.jinja_env.globals, app.jinja_env.filters)
    before = [dict(given) for given in words]
    module.register(app)
    for old, now in zip(before, words, strict=True):
        taken = [name for name in old if now.get(name) is not old[name]]
        if taken:
            raise RuntimeError(f"{module.__name__} gives templates another {', '.join(taken)}")


__all__ = ["create_app"]
