"""Every address of the app × every method, with paths, queries, headers and cookies that no browser sends."""

import inspect
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from werkzeug.routing import IntegerConverter, Rule

from regsys.web.guard import MARK
from tests.hostile.conftest import Field
from tests.hostile.corpus import PATH_VALUES, SEED, VALUES, deal, some
from tests.hostile.intruder import Intruder, Value
from tests.support.needs import ROOT

READ = r"""(?:args|form|values|asked)\.(?:get|getlist)\(\s*"(\w+)\""""
SIZES = pytest.mark.parametrize("size", ["some", pytest.param("all", marks=pytest.mark.long)])
METHODS = (
    "GET",
    "HEAD",
    "OPTIONS",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "TRACE",
    "PROPFIND",
    "X" * 200,
)
# What the routing answers, whoever asks.
FREE = {"HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Door:
    """A rule of the app with the address of a thing that is there, and who may enter."""

    rule: Rule
    address: str
    intruder: Intruder

    @property
    def methods(self) -> set[str]:
        return set(self.rule.methods or ()) | FREE

    def with_part(self, name: str, value: str) -> str:
        """Return the address with another value of one argument; the value is encoded already."""
        pattern = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: f"(?P<{m[1]}>[^/]+)", self.rule.rule)
        found = re.fullmatch(pattern, self.address.partition("?")[0])
        assert found, (self.rule.rule, self.address)
        a, b = found.span(name)
        return self.address[:a] + value + self.address[b:]


@cache
def list_doors(field: Field) -> list[Door]:
    """List every rule, with the arguments that its neighbours' sample addresses have."""
    known: dict[str, str] = {}
    samples = {stop.rule.rule: stop.address for stop in field.stops}
    for rule, address in samples.items():
        parts = zip(rule.split("/"), address.partition("?")[0].split("/"), strict=True)
        before = ""
        for pattern, part in parts:
            before += f"/{pattern}"
            known[before] = part
    roles = {r: getattr(v, MARK, ()) for r, v in field.world.app.view_functions.items()}
    return [
        Door(
            rule,
            samples.get(rule.rule) or _guessed(rule, known),
            field.intruder_at(roles[rule.endpoint]),
        )
        for rule in field.world.app.url_map.iter_rules()
    ]


def _guessed(rule: Rule, known: dict[str, str]) -> str:
    made, before = [], ""
    for pattern in rule.rule.split("/"):
        before += f"/{pattern}"
        made.append(known.get(before, re.sub(r"<[^>]*>", "1", pattern)))
    return "/".join(made)


def list_parameters(field: Field, door: Door) -> list[str]:
    """List the names that the code of the door's room reads from queries and forms, and those of the page's filters."""
    view = inspect.unwrap(field.world.app.view_functions[door.rule.endpoint])
    file = Path(inspect.getfile(view))
    house = ROOT / "regsys"  # an environment may lie in the checkout, too
    room = house / file.relative_to(house).parts[0] if house in file.parents else file
    files = room.rglob("*.py") if room.is_dir() else [room]
    names = {n for f in files for n in _names_read_in(f)}
    if "GET" in door.methods:
        forms = door.intruder.look(door.address).forms
        names |= {c.name for form in forms if form.method == "get" for c in form.controls}
    return sorted(names)


@cache
def _names_read_in(file: Path) -> list[str]:
    return re.findall(READ, file.read_text())


class Decks(dict[str, Iterator[Value]]):
    """A shuffled deck of values for each name, from which is dealt at all doors that know it."""

    def __missing__(self, name: str) -> Iterator[Value]:
        self[name] = deal(random.Random(f"{SEED} {name}"), VALUES)
        return self[name]


@pytest.mark.once
@SIZES
def test_no_address_fails_whatever_the_method(field: Field, size: str) -> None:
    chance = random.Random(SEED)
    problems, doors = [], list_doors(field)
    urls = field.world.app.url_map.bind("localhost")
    for door in doors:
        for method in some(chance, METHODS, 3 if size == "some" else len(METHODS)):
            page = door.intruder.shoot(method, door.address, what="method")
            refused = page.status == 405 and "Allow" in page.headers
            known = method in FREE or method in urls.allowed_methods(door.address.partition("?")[0])
            if not known and not refused:
                problems.append(f"{method} {door.address} answered {page.status}, expected 405")
    assert problems == []
    assert field.problems == ""
    assert len(doors) > 90


@SIZES
def test_no_part_of_a_path_fails(field: Field, size: str) -> None:
    problems, tried, chance = [], 0, random.Random(SEED)
    values, doors = deal(chance, PATH_VALUES), list_doors(field)
    for door in field.some_of(doors) if size == "some" else doors:
        for name, converter in door.rule._converters.items():
            for value in islice(values, 4 if size == "some" else 9):
                path = door.with_part(name, value)
                for method in door.methods & {"GET", "POST"}:
                    page, tried = door.intruder.shoot(method, path, what=f"path {name}"), tried + 1
                    is_number = isinstance(converter, IntegerConverter)
                    wanted = (
                        (404, 405) if is_number and not re.fullmatch("[0-9]{1,9}", value) else ()
                    )
                    if wanted and page.status not in wanted:
                        problems.append(f"{method} {path[:80]} answered {page.status}")
    assert problems == []
    assert field.problems == ""
    assert tried > 150


@SIZES
def test_no_parameter_of_a_query_fails(field: Field, size: str) -> None:
    """Every name at every door; in the long run five values at each, of which none comes twice before all have."""
    chance, tried = random.Random(SEED), 0
    values, decks = deal(chance, VALUES), Decks()
    doors = list_doors(field)
    for door in field.some_of(doors) if size == "some" else doors:
        if "GET" not in door.methods:
            continue
        names = list_parameters(field, door)
        for name in some(chance, names, 2) if size == "some" else names:
            for value in islice(decks[name], 1 if size == "some" else 5):
                ask(door, [(name, value)])
                tried += 1
        ask(door, [(name, next(values)) for name in names])
        twice = [(n, v) for n in names for v in (next(values), "1", "2")]
        ask(door, [*twice, ("unheard-of", "x"), ("", ""), ("a[b]", "c")])
    assert field.problems == ""
    assert tried > 40


def ask(door: Door, pairs: list[tuple[str, Value]]) -> None:
    """Open a page with these in its query."""
    path = door.address + ("&" if "?" in door.address else "?") + urlencode(pairs)
    door.intruder.shoot("GET", path, what=f"query {[(n, repr(v)[:20]) for n, v in pairs][:4]}")


@SIZES
def test_no_parameter_of_a_post_fails(field: Field, size: str) -> None:
    """Those that a view reads by itself, at every door that takes a POST; the token of the form is good."""
    chance, tried, decks = random.Random(SEED), 0, Decks()
    doors = list_doors(field)
    for door in field.some_of(doors) if size == "some" else doors:
        if "POST" not in door.methods or door.rule.endpoint == "payments_webhook.stripe":
            continue
        names = list_parameters(field, door)
        for name in some(chance, names, 2) if size == "some" else names:
            for value in islice(decks[name], 1 if size == "some" else 5):
                pairs = [("csrf_token", door.intruder.token), (name, value)]
                door.intruder.attack(door.address, pairs, what=f"{name}={value!r:.30}")
                tried += 1
    assert field.problems == ""
    assert tried > 30


HEADERS = [
    ("Host", "evil.example"),
    ("Host", "[::1"),
    ("Host", "a b<script>"),
    ("Host", "x" * 5000),
    ("Accept-Language", "x" * 5000),
    ("Accept-Language", "en;q=nonsense, *;q=-1, ../../de"),
    ("Accept", "text/html;q=x,,;"),
    ("If-None-Match", '"' * 3000),
    ("If-Modified-Since", "yesterday"),
    ("Range", "bytes=5-1,-,99999999999999999999-"),
    ("Referer", "javascript:alert(1)"),
    ("X-Forwarded-For", "'; DROP TABLE orders; --"),
    ("X-Forwarded-Host", "evil.example"),
    ("Stripe-Signature", "t=9999999999999999999999,v1=zz"),
    ("Authorization", "Bearer " + "x" * 4000),
    ("Cookie", "regsys=nonsense"),
    ("Cookie", "regsys=; regsys=.; regsys=a.b.c"),
    ("Cookie", 'regsys="\\000\\377"; =; ;;; a'),
    ("Cookie", "regsys=" + "A" * 100_000),
    ("Cookie", "regsys=.eJyrVkrOT0lVslIqLkksSVXSUQrJ"),
    ("Content-Length", "-1"),
    ("Content-Length", "many"),
    ("Transfer-Encoding", "chunked, nonsense"),
]


def test_no_header_or_cookie_makes_a_page_fail(field: Field) -> None:
    client = field.world.app.test_client(use_cookies=False)
    pages = ("/", "/events", "/cart", "/contact", "/outbox", "/organize", "/signin", "/logo")
    asked = [*(("GET", p) for p in pages), ("POST", "/contact"), ("POST", "/webhooks/stripe")]
    statuses = {
        (header, method, path): client.open(path, method=method, headers=[header]).status_code
        for header in HEADERS
        for method, path in asked
    }
    assert {what: status for what, status in statuses.items() if status >= 500} == {}
    assert len(statuses) > 200


def test_an_id_that_no_column_can_hold_is_not_there(field: Field) -> None:
    for number in (2**31, 2**32 + 1, 2**63, 10**30):
        assert field.intruders["owner"].get(f"/organize/events/{number}").status == 404
    assert field.intruders["owner"].get(f"/organize/events/{2**31 - 1}").status == 404


def test_a_path_is_decoded_once(field: Field) -> None:
    page = field.intruders[""].get("/events/" + quote(quote("<script>alert(1)</script>")))
    assert page.status == 404
    assert "<script>alert(1)" not in page.text
