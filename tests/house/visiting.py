"""Every page of the app, by its sample address."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

from regsys.web.guard import MARK
from tests.samples import SAMPLES
from tests.world import World


@dataclass(frozen=True)
class Stop:
    """One page: its rule, its sample address, and who may see it (nobody named: everyone)."""

    rule: Rule
    address: str
    roles: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule.endpoint} {self.address}"

    def says(self, status: int, expected: str) -> str:
        """Return a line for a list of problems."""
        return f"{self} answered {status}, expected {expected}"


def list_stops(world: World) -> list[Stop]:
    """List every page that has a sample."""
    return [
        Stop(rule, SAMPLES[rule.endpoint](world), roles_of(world.app, rule))
        for rule in world.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint in SAMPLES
    ]


def list_guarded(world: World) -> list[Stop]:
    """List the pages that ask for a role."""
    return [stop for stop in list_stops(world) if stop.roles]


def roles_of(app: Flask, rule: Rule) -> tuple[str, ...]:
    """Return the roles that the view of a rule asks for."""
    roles: tuple[str, ...] = getattr(app.view_functions[rule.endpoint], MARK, ())
    return roles


def list_foreign_addresses(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Yield every rule with things in its address, filled with things that do not exist."""
    urls = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.arguments and rule.endpoint != "static" and "GET" in (rule.methods or ()):
            ints = {name for name, c in rule._converters.items() if isinstance(c, IntegerConverter)}
            values = {
                name: 987654321 if name in ints else "no-such-thing" for name in rule.arguments
            }
            yield rule, urls.build(rule.endpoint, values)
