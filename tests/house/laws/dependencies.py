"""What the product imports is what pyproject.toml asks for: no less, no more."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from tests.house.tree import Tree

# Asked for and never imported by name.
SILENT = {
    "gunicorn": "is started as a program",
    "psycopg": "is loaded by SQLAlchemy for PostgreSQL",
    "tzdata": "is read by zoneinfo where the machine has no time zones",
    "email-validator": "is loaded by WTForms",
}


def normal(name: str) -> str:
    """Return the name of a distribution without extras, versions and spelling."""
    return re.split(r"[\[<>=~!; ]", name)[0].lower().replace("_", "-")


def list_undeclared(tree: Tree, declared: list[str]) -> list[str]:
    """List imports of packages that would come only by accident: neither asked for nor needed by what is."""
    wanted = _closure({normal(d) for d in declared})
    homes = packages_distributions()
    found = set()
    for where, top in _imports(tree):
        if top in sys.stdlib_module_names or top == "regsys":
            continue
        if not {normal(d) for d in homes.get(top, [])} & wanted:
            found.add(f"{where} imports {top}, which pyproject.toml does not ask for")
    return sorted(found)


def list_unused(
    tree: Tree, declared: list[str], silent: Mapping[str, str] | None = None
) -> list[str]:
    """List what is asked for and imported nowhere."""
    homes = packages_distributions()
    used = {normal(d) for _, top in _imports(tree) for d in homes.get(top, [])}
    known = used | set(SILENT if silent is None else silent)
    return [
        f"pyproject.toml asks for {d}, and nothing imports it"
        for d in declared
        if normal(d) not in known
    ]


def _imports(tree: Tree) -> Iterator[tuple[str, str]]:
    for module in tree.modules:
        for node in module.walk(ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                yield from (
                    (f"{module.shown}:{node.lineno}", a.name.split(".")[0]) for a in node.names
                )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield f"{module.shown}:{node.lineno}", node.module.split(".")[0]


def _closure(names: set[str]) -> set[str]:
    """Return the distributions with everything that they need on every machine."""
    seen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            needs = requires(name) or []
        except PackageNotFoundError:
            continue
        todo += [normal(n) for n in needs if "extra ==" not in n]
    return seen
