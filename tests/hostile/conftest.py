"""A society with everything in it, whose Stripe does not answer, and the ground on which it is attacked."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.kernel.settings import Settings
from tests.conftest import Clock, Database
from tests.hostile.ground import Ground
from tests.hostile.intruder import Intruder
from tests.house.visiting import Stop, list_stops
from tests.support.ports import free_port
from tests.world import World


@pytest.fixture
def demo_app(
    data: Path,
    database: Database,
    demo_keys: tuple[str, ...],
    clock: Clock,
    make_app: Callable[[Settings], Flask],
) -> Flask:
    """Return the app with the demo loaded; at Stripe's address nobody listens."""
    nobody = f"http://127.0.0.1:{free_port()}"
    known = {"DATABASE_URL": database.url, "FIELD_KEYS": demo_keys, "STRIPE_API_BASE": nobody}
    return make_app(Settings.for_tests(data, **known))


@dataclass
class Field:
    """The ground, with an intruder for each kind of browser."""

    world: World
    url: str
    folder: Path

    @cached_property
    def stops(self) -> list[Stop]:
        """Every page; asking for their addresses makes what the demo lacks."""
        return list_stops(self.world)

    @cached_property
    def clients(self) -> dict[str, FlaskClient]:
        """Browsers: a visitor with a cart, the owner, a leader."""
        world = self.world
        signed_in = {role: world.sign_in(world.user_with(role)) for role in ("owner", "leader")}
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
        page = self.intruder_at(stop.roles).get(stop.address)
        links = (re.sub(r"^https?://[^/]+", "", url) for url in page.links())
        path = stop.address.partition("?")[0]
        own = [url for url in links if url.partition("?")[0] == path and "?" in url]
        return list(dict.fromkeys([stop.address, *own]))[:12]


@pytest.fixture
def field(world: World, database: Database, data: Path) -> Iterator[Field]:
    """Return the ground before the first attack."""
    made = Field(world, database.url.replace("postgresql://", "postgresql+psycopg://"), data)
    yield made
    made.ground.close()
