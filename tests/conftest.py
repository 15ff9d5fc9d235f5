"""Fixtures of all tests; the parts that they are made of are in tests/support."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

pytest.register_assert_rewrite("tests.cast", "tests.support", "tests.house")

from regsys.kernel import clock as kernel_clock  # noqa: E402
from regsys.kernel import crypt, migrate  # noqa: E402
from regsys.kernel.db import db as product_db  # noqa: E402
from regsys.kernel.db import transaction  # noqa: E402
from regsys.kernel.settings import Settings  # noqa: E402
from tests.support import needs  # noqa: E402
from tests.support.failing import let_failing_steps_fail  # noqa: E402
from tests.support.memory import use_memory_for_files  # noqa: E402
from tests.support.pg import Postgres  # noqa: E402
from tests.support.prepared import common_folder_of, lay_demo, made_once  # noqa: E402
from tests.support.routes import compile_routes_once  # noqa: E402
from tests.support.servers import Server, running  # noqa: E402
from tests.support.smtp import SmtpServer  # noqa: E402
from tests.support.statements import share_statements  # noqa: E402
from tests.world import World  # noqa: E402

pytest_plugins = ("tests.support.plugin",)
use_memory_for_files()
compile_routes_once()
let_failing_steps_fail()

TODAY = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)  # Tue 9 AM in Seattle


# ---- databases ----


@dataclass(frozen=True)
class Database:
    """A migrated, empty database of one test."""

    kind: str
    url: str


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which workers leave for each other what takes long to make."""
    return common_folder_of(tmp_path_factory)


@pytest.fixture(scope="session")
def sqlite_template(common_folder: Path) -> Path:
    """Migrate an SQLite file once; every test gets a copy."""
    data = made_once(
        common_folder / "sqlite-template", lambda d: migrate.upgrade(Settings.for_tests(d))
    )
    path = data / "regsys.sqlite"
    assert not Path(f"{path}-wal").exists(), "the template is open, a copy would miss its WAL"
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start one PostgreSQL for the session of this worker."""
    server = Postgres(needs.require(needs.POSTGRESQL))
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Migrate a PostgreSQL database once; every test gets a copy."""
    url = postgres.create("template_regsys")
    data = tmp_path_factory.mktemp("postgres-template")
    migrate.upgrade(Settings.for_tests(data, DATABASE_URL=url))
    return "template_regsys"


def _write_key(folder: Path) -> None:
    (folder / "key").write_text(crypt.new_key())


@pytest.fixture(scope="session")
def demo_keys(common_folder: Path) -> tuple[str, ...]:
    """Return the keys that open the sealed fields of the demo."""
    folder = made_once(common_folder / "keys", _write_key)
    return ((folder / "key").read_text(),)


def _load_demo(settings: Settings) -> None:
    """Load the demo as it stands on the frozen day."""
    from regsys.app import create_app  # slow import
    from regsys.demo import services  # slow import

    with create_app(settings).app_context():
        with transaction():
            services.load(now=TODAY)
        product_db.session.remove()
        product_db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_demo(common_folder: Path, sqlite_template: Path, demo_keys: tuple[str, ...]) -> Path:
    """Load the demo into an SQLite file once; every test gets a copy."""

    def load(data: Path) -> None:
        shutil.copy(sqlite_template, data)
        _load_demo(Settings.for_tests(data, FIELD_KEYS=demo_keys))

    return made_once(common_folder / "sqlite-demo", load) / "regsys.sqlite"


@pytest.fixture(scope="session")
def postgres_demo(
    postgres: Postgres,
    postgres_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    demo_keys: tuple[str, ...],
) -> str:
    """Load the demo into a PostgreSQL database once; every test gets a copy."""
    url = postgres.create("template_demo", template=postgres_template)
    data = tmp_path_factory.mktemp("postgres-demo")
    _load_demo(Settings.for_tests(data, FIELD_KEYS=demo_keys, DATABASE_URL=url))
    return "template_demo"


class Lender:
    """Lend a migrated, empty PostgreSQL database, emptied between tests: to copy one takes far longer."""

    def __init__(self, server: Postgres, template: str) -> None:
        self.server, self.template = server, template
        self.name, self.made, self.free = "", "", False

    def lend(self) -> str:
        """Return the name of a database like the template."""
        if not self.free:
            self.name = f"test_{os.urandom(6).hex()}"
            self.server.create(self.name, template=self.template)
            self.made = self.server.look(self.name)
        self.free = False
        return self.name

    def take_back(self, name: str) -> None:
        """Empty the database; drop it where a test changed more than rows."""
        self.free = name == self.name and self.server.look(name) == self.made
        if self.free:
            self.server.empty(name)
        else:
            self.server.drop(name)


@pytest.fixture(scope="session")
def postgres_lender(postgres: Postgres, postgres_template: str) -> Lender:
    """Keep one PostgreSQL database for the tests of this worker."""
    return Lender(postgres, postgres_template)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return this test's data folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def database(request: pytest.FixtureRequest, data: Path) -> Iterator[Database]:
    """Give a migrated database: on SQLite, on PostgreSQL, or on each (option --database).

    For `demo_app` it holds the demo.
    """
    content = "demo" if "demo_app" in request.fixturenames else "template"
    if request.param == "sqlite":
        template = request.getfixturevalue(f"sqlite_{content}")
        path = data / "regsys.sqlite"
        shutil.copyfile(template, path)
        yield Database("sqlite", f"sqlite:///{path}")
        return
    server = request.getfixturevalue("postgres")
    if content == "template":
        lender = request.getfixturevalue("postgres_lender")
        name = lender.lend()
        yield Database("postgresql", server.url(name))
        lender.take_back(name)
        return
    name = f"test_{os.urandom(6).hex()}"
    template = request.getfixturevalue("postgres_demo")
    yield Database("postgresql", server.create(name, template=template))
    server.drop(name)


# ---- the app in this process ----


class Client(FlaskClient):
    """A visitor whose requests share nothing with the test but the database.

    Flask would run a request in the application context that the test has open: same session,
    same `g`.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("buffered", True)  # a streamed answer is read and closed in that context
        return Context().run(super().open, *args, **kwargs)


@pytest.fixture
def settings(data: Path, database: Database) -> Settings:
    """Return the settings of `app`; override the fixture in a test file to change some."""
    return Settings.for_tests(data, DATABASE_URL=database.url)


@pytest.fixture(scope="session")
def compiled_templates(common_folder: Path) -> FileSystemBytecodeCache:
    """Compile each template once for all workers: every test's app would do it again."""
    return FileSystemBytecodeCache(str(made_once(common_folder / "templates", lambda _: None)))


@pytest.fixture
def make_app(
    compiled_templates: FileSystemBytecodeCache,
) -> Iterator[Callable[[Settings], Flask]]:
    """Make apps with settings of your own; their connections are closed afterwards."""
    from regsys.app import create_app  # slow import

    apps: list[Flask] = []

    def make(settings: Settings) -> Flask:
        app = create_app(settings)
        app.testing = True
        app.jinja_env.bytecode_cache = compiled_templates
        app.test_client_class = Client
        apps.append(app)
        with app.app_context():
            for engine in product_db.engines.values():
                share_statements(engine)
        return app

    yield make
    for app in apps:
        with app.app_context():
            product_db.session.remove()
            for engine in product_db.engines.values():
                engine.dispose()


@pytest.fixture
def app(settings: Settings, make_app: Callable[[Settings], Flask]) -> Flask:
    """Return the whole app on a database of this test's own."""
    return make_app(settings)


@pytest.fixture
def demo_app(
    data: Path,
    database: Database,
    demo_keys: tuple[str, ...],
    clock: "Clock",
    make_app: Callable[[Settings], Flask],
) -> Flask:
    """Return the app with the demo loaded, on the frozen day."""
    return make_app(Settings.for_tests(data, DATABASE_URL=database.url, FIELD_KEYS=demo_keys))


@pytest.fixture
def world(demo_app: Flask) -> World:
    """Return one of each thing in `demo_app`."""
    return World(demo_app)


@pytest.fixture
def db(app: Flask) -> Iterator[Any]:
    """Open an application context and return `kernel.db.db`; for services and queries."""
    with app.app_context():
        yield product_db
        product_db.session.rollback()
        product_db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a visitor who is not signed in."""
    return app.test_client()


# ---- time ----


class Clock:
    """The frozen clock of this process."""

    def __init__(self, at: datetime) -> None:
        self._freeze = kernel_clock.freeze(at)
        self._freeze.__enter__()
        self.now = at

    def to(self, at: datetime) -> datetime:
        """Set the time and return it."""
        self.thaw()
        self.__init__(at)  # type: ignore[misc]
        return at

    def move(self, **delta: float) -> datetime:
        """Move by timedelta(**delta), for example `clock.move(minutes=31)`, and return the time."""
        return self.to(self.now + timedelta(**delta))

    def thaw(self) -> None:
        """Let the time run again."""
        self._freeze.__exit__(None, None, None)


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Freeze the clock at Tue 24 Nov 2026, 17:00 UTC."""
    clock = Clock(TODAY)
    yield clock
    clock.thaw()


@pytest.fixture
def now(clock: Clock) -> datetime:
    """Return the frozen time."""
    return clock.now


# ---- real parts outside of this process ----


RunningDemo = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def running_demo(common_folder: Path) -> RunningDemo:
    """Run the demo as `make run` does, by `running_demo(folder, **settings)`; what its first start makes is there."""

    def run(folder: Path, **settings: Any) -> AbstractContextManager[Server]:
        lay_demo(common_folder, folder / "data")
        return running("run", folder, **settings)

    return run


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """Start a plain SMTP server; see tests/support/smtp.py for STARTTLS, AUTH and misbehaviour."""
    with SmtpServer() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Generator[Any]:
    """Start Chromium once for this worker."""
    from tests.support.browser import launch  # slow import

    with launch() as browser:
        yield browser
