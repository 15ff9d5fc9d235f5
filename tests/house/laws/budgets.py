"""How long things may be: a warning at the number before the last, a failure at the last."""

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.house.tree import Module, Tree

ROUTES = ("route", "get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Budget:
    """Lines: `median` and `p95` are of all such things, `stop` is of each."""

    what: str
    median: int | None
    p95: int | None
    stop: int


FUNCTIONS = Budget("functions", 10, 35, 60)
FILES = Budget("files", 120, 350, 400)
VIEWS = Budget("views", None, 25, 40)
TEMPLATES = Budget("templates", None, 180, 250)


@dataclass(frozen=True)
class Thing:
    """Something with a length in lines."""

    shown: str
    lines: int


def list_functions(tree: Tree) -> list[Thing]:
    """List the functions of the product with their lengths, decorators left out."""
    return [Thing(f"{m.shown}:{f.lineno} {f.name}", _length(f)) for m, f in _functions(tree)]


def list_views(tree: Tree) -> list[Thing]:
    """List the functions that answer a route."""
    return [
        Thing(f"{m.shown}:{f.lineno} {f.name}", _length(f))
        for m, f in _functions(tree)
        if any(_is_route(d) for d in f.decorator_list)
    ]


def list_files(tree: Tree) -> list[Thing]:
    """List the product's files; an `__init__` with nothing but a docstring says nothing about files."""
    return [Thing(m.shown, len(m.lines)) for m in tree.modules if len(m.tree.body) > 1]


def list_templates(tree: Tree) -> list[Thing]:
    """List the templates."""
    return [
        Thing(str(p.relative_to(tree.root)), len(p.read_text().splitlines()))
        for p in tree.templates
    ]


def _functions(tree: Tree) -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module in tree.modules:
        for node in module.walk(ast.FunctionDef, ast.AsyncFunctionDef):
            assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield module, node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _is_route(decorator: ast.expr) -> bool:
    func = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(func, ast.Attribute) and func.attr in ROUTES


def quantile(values: Sequence[int], share: float) -> int:
    """Return the smallest value that at least this share of all does not pass."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else 0


def list_passed(budget: Budget, things: Sequence[Thing]) -> list[str]:
    """List what is longer than the last number."""
    return [
        f"{t.shown}: {t.lines} lines, and {budget.what} stop at {budget.stop}"
        for t in things
        if t.lines > budget.stop
    ]


def list_warnings(budget: Budget, things: Sequence[Thing]) -> list[str]:
    """List what is passed of the numbers before the last."""
    found = []
    lengths = [t.lines for t in things]
    for name, limit, share in (("median", budget.median, 0.5), ("p95", budget.p95, 0.95)):
        if limit and (measured := quantile(lengths, share)) > limit:
            longest = sorted(things, key=lambda t: -t.lines)[:3]
            names = ", ".join(f"{t.shown} ({t.lines})" for t in longest)
            found.append(f"{budget.what}: {name} {measured} > {limit}; longest {names}")
    return found
