"""Only a door opens a transaction, only the kernel commits, and nothing crosses the network inside."""

import ast
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from tests.house.tree import Module, Tree, dotted

ENDS = ("commit", "begin", "begin_nested", "begin_twophase")
COMMITS_ALLOWED = {
    "regsys/kernel/db.py": "the unit of work",
    "regsys/kernel/migrate.py": "holds a lock around Alembic, which has transactions of its own",
}
# Doors by file name, and those that count as doors: settling is called from four sides, each of which is a door.
ALSO_DOORS = {
    "regsys/payments/settle.py": "webhook, success page, poller and organizer all call it",
    "regsys/payments/refunds.py": "the back half of settling, called by the same four",
    "regsys/payments/cancelling.py": "works on an event that is called off, order by order",
    "regsys/payments/reconcile.py": "the command and the job both call it",
    "regsys/kernel/db.py": "defines it",
}
ROOF_DOORS = ("cli", "worker", "demo_start")
NETWORK_FILES = ("regsys/payments/gateway.py", "regsys/outbox/smtp.py")


def list_commits(tree: Tree) -> list[str]:
    """List calls of commit() and begin() outside of the kernel; the sandbox keeps books of its own."""
    found = []
    for module in tree.modules:
        if module.shown in COMMITS_ALLOWED or module.room in tree.apart:
            continue
        for node in module.walk(ast.Call):
            assert isinstance(node, ast.Call)
            if isinstance(node.func, ast.Attribute) and node.func.attr in ENDS:
                found.append(module.at(node, f"calls {node.func.attr}(): doors use transaction()"))
    return found


def list_transactions_outside_doors(tree: Tree) -> list[str]:
    """List calls of transaction() in files that are no doors."""
    found = []
    for module in tree.modules:
        if module.is_door or module.shown in ALSO_DOORS or _is_roof_door(module):
            continue
        for node in module.walk(ast.Call):
            assert isinstance(node, ast.Call)
            if dotted(node.func).split(".")[-1] == "transaction":
                found.append(module.at(node, "opens a transaction: only doors may"))
    return found


def _is_roof_door(module: Module) -> bool:
    return module.room is None and module.file in ROOF_DOORS


def list_unguarded_network(tree: Tree) -> list[str]:
    """List network files that never ask whether a transaction is open (the run-time half is a test)."""
    return [
        f"{name}:1 never calls forbid_in_transaction()"
        for name in NETWORK_FILES
        if (module := _find(tree, name)) and "forbid_in_transaction(" not in module.source
    ]


def _find(tree: Tree, shown: str) -> Module | None:
    return next((m for m in tree.modules if m.shown == shown), None)


# Public functions of the network files that open no connection.
OFFLINE = {
    "read_notice": "checks a signature",
    "api_version": "reads a constant of the library",
    "register": "attaches the mail extension to the app",
}


def list_that_run_inside(module: ModuleType) -> list[str]:
    """Call every public function of a module inside the open transaction; list those that do not refuse."""
    found = []
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if name.startswith("_") or function.__module__ != module.__name__ or name in OFFLINE:
            continue
        if problem := _problem_of_calling(function):
            found.append(f"{module.__name__}.{name}() {problem}")
    return found


def _problem_of_calling(function: Callable[..., Any]) -> str | None:
    parameters = inspect.signature(function).parameters.values()
    given = {p.name: _Anything() for p in parameters if p.default is p.empty and p.kind in _NAMED}
    try:
        function(**given)
    except RuntimeError as e:
        return None if "may not run inside a transaction" in str(e) else f"raised {e}"
    except Exception as e:
        return f"went as far as {type(e).__name__}"
    return "ran inside a transaction"


class _Anything:
    """An argument on which everything can be done, so that nothing but the guard can stop the call."""

    def __getattr__(self, name: str) -> "_Anything":
        return self

    def __call__(self, *args: object, **kwargs: object) -> "_Anything":
        return self

    def __int__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[object]:
        return iter(())


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
