"""What is measured: the product as it is served, on databases that keep what they commit."""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from flask import Flask
from sqlalchemy import select

from regsys.app import create_app
from regsys.demo import services as demo
from regsys.events.kinds import Enrollment, EventKind
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel import clock, migrate
from regsys.kernel.db import db, transaction
from regsys.kernel.settings import Settings
from tests.support import needs
from tests.support.pg import Postgres
from tests.support.ports import free_port
from tests.support.servers import Server, clean_environment


@dataclass
class Stage:
    """A data folder, the settings of its processes, and the app in this process for looking and preparing."""

    folder: Path
    database_url: str = ""
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.data.mkdir(parents=True, exist_ok=True)
        self.known = {
            "SANDBOX": "1",
            "SECRET_KEY": secrets.token_urlsafe(32),
            "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "DATABASE_URL": self.database_url,
            "STRIPE_SECRET_KEY": f"sk_test_sandbox_{secrets.token_hex(16)}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
            "MAIL_DEFAULT_SENDER": "circle@example.org",
            "ORGANISATION_NAME": "Evergreen Balint Circle",
            "ORGANISATION_EMAIL": "circle@example.org",
            "LOG_LEVEL": "WARNING",
            **self.known,
        }

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> Settings:
        environ = {f"REGSYS_{name}": value for name, value in self.known.items()}
        return Settings.load(environ, DATA_DIR=self.data)

    @property
    def raw_url(self) -> str:
        """Return the database's address for plain SQL."""
        return self.settings.database_url

    def app(self) -> Flask:
        """Migrate, and return the app."""
        migrate.upgrade(self.settings)
        return create_app(self.settings)

    @contextmanager
    def serving(self, **changes: str) -> Iterator[Server]:
        """Run `regsys serve`."""
        known = {**self.known, **changes}
        env = clean_environment(
            self.folder / "home", **{f"REGSYS_{name}": value for name, value in known.items()}
        )
        server = Server("serve", self.data, self.port, env)
        try:
            yield server.start()
            server.stop()
        finally:
            server.kill_all()


def load_demo(app: Flask) -> str:
    """Load the demo and return the address of an event that is open, with faculty, schedule and prices."""
    with app.app_context():
        with transaction():
            demo.load(now=clock.now())
        query = (
            select(Event)
            .where(Event.state == EventState.PUBLISHED, Event.enrollment == Enrollment.OPEN)
            .where(Event.kind == EventKind.LEADERSHIP_TRAINING_INTENSIVE)
            .where(Event.starts_at > clock.now())
            .order_by(Event.starts_at)
        )
        event = db.session.scalars(query).first()
        assert event, "the demo has no open intensive"
        slug = event.slug
        forget(app)
    return slug


def forget(app: Flask) -> None:
    """Let go of the connections of the app in this process."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def durable_postgres() -> Iterator[Postgres | None]:
    """Run a PostgreSQL that keeps what it commits; None where the machine has none."""
    found = needs.find_postgres()
    if found is None:
        yield None
        return
    server = Postgres(found, durable=True)
    try:
        yield server
    finally:
        server.close()


def pss(server: Server) -> float:
    """Return the memory of the whole process tree in MB: shared pages counted once in all."""
    assert server.process
    processes = [psutil.Process(server.process.pid), *server.processes()]
    return sum(p.memory_full_info().pss for p in processes) / 1e6
