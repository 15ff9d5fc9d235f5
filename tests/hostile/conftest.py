"""A society with everything in it, whose Stripe does not answer, and the ground on which it is attacked.

One ground serves all of these tests of a worker, on each database: after every attack its rows are put back, and what
the app has compiled and what its pages hold need not be found out again.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pytest
from flask.testing import FlaskClient

from regsys.app import create_app
from regsys.kernel import crypt
from regsys.kernel.db import db as product_db
from regsys.kernel.settings import Settings
from tests.conftest import TODAY, Client, Clock
from tests.hostile.ground import Ground
from tests.hostile.intruder import Intruder
from tests.house.test_pages import registrar_of
from tests.house.visiting import Stop, list_stops
from tests.support.pg import Postgres
from tests.support.ports import free_port
from tests.world import World

T = TypeVar("T")


@dataclass(eq=False)
class Field:
    """The ground, with an intruder for each kind of browser."""

    world: World
    url: str
    folder: Path
    share: slice

    def some_of(self, things: list[T]) -> list[T]:
        """Take every second one where the short run tries the others on the other database."""
        return things[self.share]

    @cached_property
    def stops(self) -> list[Stop]:
        """Every page; asking for their addresses makes what the demo lacks."""
        return list_stops(self.world)

    @cached_property
    def clients(self) -> dict[str, FlaskClient]:
        """Browsers: a visitor with a cart, the owner, a leader, and a registrar of one event, not `world.event`."""
        world = self.world
        users = {role: world.user_with(role) for role in ("owner", "leader")}
        users["narrow"] = registrar_of(world, world.external_event.id, TODAY)
        signed_in = {role: world.sign_in(user) for role, user in users.items()}
        return {"": world.visitor(), **signed_in}

    @cached_property
    def ground(self) -> Ground:
        """The copy of the tables, made once everything is there."""
        assert self.stops
        assert self.clients
        return Ground(self.url, self.folder)

    @cached_property
    def intruders(self) -> dict[str, Intruder]:
        """Somebody hostile in each browser."""
        return {role: Intruder(client, self.ground) for role, client in self.clients.items()}

    def intruder_at(self, roles: tuple[str, ...]) -> Intruder:
        """Return who may enter a page that asks for these roles."""
        return self.intruders["leader" if roles == ("leader",) else "owner" if roles else ""]

    @property
    def problems(self) -> str:
        """Everything that was found so far, each once, a line for each."""
        return "\n".join(dict.fromkeys(p for i in self.intruders.values() for p in i.problems))

    @property
    def sent(self) -> int:
        return sum(i.sent for i in self.intruders.values())

    def variants(self, stop: Stop) -> list[str]:
        """List the address of a page, and of itself with other queries, as it links to them."""
        page = self.intruder_at(stop.roles).look(stop.address)
        links = (re.sub(r"^https?://[^/]+", "", url) for url in page.links())
        path = stop.address.partition("?")[0]
        own = [url for url in links if url.partition("?")[0] == path and "?" in url]
        return list(dict.fromkeys([stop.address, *own]))[:12]

    def begin(self) -> None:
        """Forget what an earlier test has found and left."""
        for intruder in self.intruders.values():
            intruder.begin()


MakeField = Callable[[str], AbstractContextManager[Field]]


@pytest.fixture(scope="session")
def make_field(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    demo_keys: tuple[str, ...],
    compiled_templates: Any,
) -> MakeField:
    """Make the field on a database that holds the demo."""

    @contextmanager
    def make(url: str) -> Iterator[Field]:
        folder = tmp_path_factory.mktemp("hostile")
        nobody = f"http://127.0.0.1:{free_port()}"
        known = {"DATABASE_URL": url, "FIELD_KEYS": demo_keys, "STRIPE_API_BASE": nobody}
        app = create_app(Settings.for_tests(folder, **known))
        app.testing, app.test_client_class = True, Client
        app.jinja_env.bytecode_cache = compiled_templates
        both = request.config.getoption("--database") == "both"
        share = slice(int(url.startswith("postgresql")), None, 2) if both else slice(None)
        where = url.replace("postgresql://", "postgresql+psycopg://")
        field = Field(World(app), where, folder, share)
        yield field
        field.ground.close()
        with app.app_context():
            product_db.engine.dispose()

    return make


@pytest.fixture(scope="session")
def sqlite_field(
    sqlite_demo: Path, tmp_path_factory: pytest.TempPathFactory, make_field: MakeField
) -> Iterator[Field]:
    """Keep one field on SQLite for the tests of this worker."""
    path = shutil.copy(sqlite_demo, tmp_path_factory.mktemp("sqlite-hostile"))
    with make_field(f"sqlite:///{path}") as field:
        yield field


@pytest.fixture(scope="session")
def postgres_field(
    postgres: Postgres, postgres_demo: str, make_field: MakeField
) -> Iterator[Field]:
    """Keep one field on PostgreSQL for the tests of this worker."""
    with make_field(postgres.create("hostile", template=postgres_demo)) as field:
        yield field
    postgres.drop("hostile")


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Name the kind of database only: the field on it is shared."""
    return str(request.param)


@pytest.fixture
def field(
    request: pytest.FixtureRequest, database: str, demo_keys: tuple[str, ...], clock: Clock
) -> Field:
    """Return the ground before the first attack."""
    field: Field = request.getfixturevalue(
        "sqlite_field" if database == "sqlite" else "postgres_field"
    )
    crypt.configure(demo_keys)  # another test of this worker may have had keys of its own
    field.begin()
    return field
