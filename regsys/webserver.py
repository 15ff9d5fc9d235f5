"""What gunicorn is told: `gunicorn -c python:regsys.webserver "regsys.webserver:make()"`.

The app is made once, before the workers are forked, so that they share its memory. Names in lower case are gunicorn's
settings.
"""

import gc
import os
import signal
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy.orm import configure_mappers

from regsys.app import create_app
from regsys.kernel.db import db
from regsys.kernel.settings import Settings
from regsys.launch import environment
from regsys.payments import gateway
from regsys.static_files import serve_static
from regsys.supervisor import die_with_parent

settings = Settings.load(environment())

workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
worker_class = "gthread"
preload_app = True
timeout = 60
graceful_timeout = 6
keepalive = 5
loglevel = "warning"
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

_apps: list[Flask] = []
_end_with_master: list[Callable[[], None]] = []


def make() -> Any:
    """Make the app and the server of its static files around it."""
    app = create_app(settings)
    _apps.append(app)
    app.wsgi_app = serve_static(app, settings.DATA_DIR)  # type: ignore[method-assign,assignment]
    _end_with_master.append(die_with_parent(signal.SIGKILL))
    _load_what_is_lazy()
    # What exists now is shared by the workers; a collection must not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()
    return app


def _load_what_is_lazy() -> None:
    """Load now what the first visitors would load in each worker for itself."""
    configure_mappers()
    if settings.STRIPE_SECRET_KEY:
        gateway.api_version()


def post_fork(server: Any, worker: Any) -> None:
    """Begin a worker: connections of the parent are not ours, and without the parent there is no work."""
    for end_with_master in _end_with_master:
        end_with_master()
    for app in _apps:
        with app.app_context():
            db.engine.dispose(close=False)
