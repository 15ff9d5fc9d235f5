"""What gunicorn is told: `gunicorn -c python:regsys.webserver "regsys.webserver:make()"`.

The app is made once, before the processes are forked that serve pages and the one that runs jobs, so that they share
its memory. Whatever of them dies, gunicorn starts again. Names in lower case are gunicorn's settings.
"""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from babel import Locale
from flask import Flask
from gunicorn.workers.gthread import ThreadWorker
from sqlalchemy.orm import configure_mappers

from regsys.app import create_app
from regsys.kernel.db import db
from regsys.kernel.settings import Settings
from regsys.launch import environment
from regsys.payments import gateway
from regsys.static_files import serve_static
from regsys.supervisor import die_with_parent, name_process
from regsys.worker import TROUBLE_SECONDS, working

log = logging.getLogger(__name__)
settings = Settings.load(environment())

_apps: list[Flask] = []
_end_with_master: dict[bool, Callable[[], None]] = {}
A_MOMENT = 0.3


class Process(ThreadWorker):  # type: ignore[misc]
    """Serves pages, or, where the master has chosen it for that, runs jobs; one of them does."""

    runs_jobs = False

    def run(self) -> None:
        """Work until the master says that it is enough."""
        if not self.runs_jobs:
            super().run()
            return
        for listening in self.sockets:
            listening.close()
        try:
            self._run_jobs()
        except Exception:
            log.exception("the worker ends, and starts again")
            time.sleep(TROUBLE_SECONDS)

    def _run_jobs(self) -> None:
        with working(_apps[0], settings) as worker:
            jobs = threading.Thread(target=worker.run, name="jobs")
            jobs.start()
            while self.alive and jobs.is_alive():
                self.notify()
                jobs.join(A_MOMENT)
            worker.stop()
            jobs.join()


# One runs the jobs.
workers = settings.WEB_WORKERS + 1
threads = settings.WEB_THREADS
worker_class = Process
preload_app = True
timeout = 60
graceful_timeout = 6
keepalive = 5
loglevel = "warning"
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def make() -> Any:
    """Make the app and the server of its static files around it."""
    # Everything that is made here stays: to search it for garbage on the way is a third of the start.
    gc.disable()
    app = create_app(settings)
    _apps.append(app)
    app.wsgi_app = serve_static(app, settings.DATA_DIR)  # type: ignore[method-assign,assignment]
    # A job in hand is finished first.
    _end_with_master.update(
        {False: die_with_parent(signal.SIGKILL), True: die_with_parent(signal.SIGTERM)}
    )
    _load_what_is_lazy()
    # What exists now is shared by the workers; a collection must not touch, and so copy, its pages.
    gc.freeze()
    gc.enable()
    return app


def _load_what_is_lazy() -> None:
    """Load now what the first visitors would load in each worker for itself."""
    configure_mappers()
    Locale.parse("en_US").currency_formats.get("standard")
    if settings.STRIPE_SECRET_KEY:
        gateway.api_version()


def pre_fork(server: Any, worker: Any) -> None:
    """Let the next process run the jobs if none does."""
    worker.runs_jobs = not any(w.runs_jobs for w in server.WORKERS.values())


def post_fork(server: Any, worker: Any) -> None:
    """Begin a process: connections of the parent are not ours, and without the parent there is no work."""
    _end_with_master[worker.runs_jobs]()
    name_process("regsys-worker" if worker.runs_jobs else "regsys-web")
    for app in _apps:
        with app.app_context():
            db.engine.dispose(close=False)
