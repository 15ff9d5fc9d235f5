"""Arrows: rooms import downward, doors and forms belong to their room, nothing goes in circles."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.house.tree import DOORS, GROUND, Module, Tree

# Inside a room: a file may import files of a lower rank only (files that are not named here are free).
RANKS = {
    "states": 0, "models": 1, "rules": 1, "queries": 2, "mail": 3, "services": 4, "forms": 5,
    **dict.fromkeys(DOORS, 6),
}  # fmt: skip
REASONS = ("slow import",)


@dataclass(frozen=True)
class Import:
    """One import of a module of ours; `hidden` inside a function."""

    node: ast.stmt
    target: str
    hidden: bool


def imports_of(module: Module, tree: Tree) -> list[Import]:
    """List the imports of regsys modules; `from regsys.x import y` points to regsys.x.y if that is a module."""
    hidden = set(_inside_functions(module))
    found = []
    for node in module.walk(ast.Import, ast.ImportFrom):
        assert isinstance(node, ast.Import | ast.ImportFrom)
        found += [Import(node, t, node in hidden) for t in _targets(node, module, tree)]
    return found


def _inside_functions(module: Module) -> Iterator[ast.stmt]:
    for function in module.walk(ast.FunctionDef, ast.AsyncFunctionDef):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node


def _targets(node: ast.Import | ast.ImportFrom, module: Module, tree: Tree) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        base = _base(node, module)
        names = [
            full if (full := f"{base}.{alias.name}") in tree.by_name else base
            for alias in node.names
        ]
    return [n for n in dict.fromkeys(names) if n == "regsys" or n.startswith("regsys.")]


def _base(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    if module.path.name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _room_of(target: str, tree: Tree) -> str | None:
    """Return the room of a target, None for the roof."""
    parts = target.split(".")
    known = tree.by_name.get(target)
    if known is not None:
        return known.room if len(parts) > 1 else None
    return parts[1] if len(parts) > 1 else None


def list_unknown_rooms(tree: Tree) -> list[str]:
    """List packages of `regsys/` that FLOORS does not name, and names in it without a package."""
    rooms = {m.room for m in tree.modules if m.room}
    named = {*tree.floors, *tree.apart}
    return [f"regsys/{r}/ is on no floor of rooms.py" for r in sorted(rooms - named)] + [
        f"rooms.py names {r}, and there is no regsys/{r}/" for r in sorted(named - rooms)
    ]


def list_upward_imports(tree: Tree) -> list[str]:
    """List imports of a room above, of the roof, or of the room that stands apart."""
    floor = {room: i for i, room in enumerate(tree.floors)}
    found = []
    for module in tree.modules:
        if module.room is None:
            continue
        for i in imports_of(module, tree):
            room = _room_of(i.target, tree)
            if room == module.room or i.target == "regsys":
                continue
            if problem := _wrong_way(module.room, room, floor, tree.apart):
                found.append(module.at(i.node, f"imports {i.target}: {problem}"))
    return found


def _wrong_way(
    frm: str, to: str | None, floor: Mapping[str, int], apart: tuple[str, ...]
) -> str | None:
    if to is None:
        return "a room never imports the roof"
    if to in apart:
        return f"{to} stands apart, nothing imports it"
    if frm in apart:
        return (
            None if to in GROUND else f"{frm} stands apart and imports {' and '.join(GROUND)} only"
        )
    if floor.get(to, -1) >= floor.get(frm, -1):
        return f"{to} is above {frm}"
    return None


# Forms that are made for other rooms, with the reason.
OPEN_FORMS = {
    "regsys.questions.forms": "builds the form of an event's questions, which every room that asks needs",
    "regsys.registration.forms": "asks of a person what an application asks of them too",
}


def list_foreign_doors(tree: Tree) -> list[str]:
    """List imports of another room's doors, forms or set-up; the roof may open doors."""
    closed = {*DOORS, "forms", "setup"}
    found = []
    for module in tree.modules:
        for i in imports_of(module, tree):
            room = _room_of(i.target, tree)
            parts = i.target.split(".")
            if module.room in (None, room) or room in (None, *GROUND) or len(parts) < 3:
                continue
            if parts[2] in closed and i.target not in OPEN_FORMS:
                found.append(module.at(i.node, f"imports {i.target}: doors and forms are private"))
    return found


def list_wrong_ranks(tree: Tree) -> list[str]:
    """List imports inside a room that go against states < models, rules < queries < mail < services < forms < doors."""
    found = []
    for module in tree.modules:
        if module.room in (None, *GROUND):
            continue
        for i in imports_of(module, tree):
            parts = i.target.split(".")
            if _room_of(i.target, tree) != module.room or len(parts) < 3:
                continue
            mine, other = RANKS.get(module.file), RANKS.get(parts[2])
            if mine is None or other is None or module.file == parts[2]:
                continue
            if other > mine or (other == mine and mine < 6):
                found.append(module.at(i.node, f"{module.file} may not import {parts[2]}"))
    return found


def list_cycles(tree: Tree) -> list[str]:
    """List circles among modules and among rooms."""
    arrows = {
        m.name: {i.target for i in imports_of(m, tree) if i.target in tree.by_name} - {m.name}
        for m in tree.modules
    }
    rooms: dict[str, set[str]] = {}
    for module in tree.modules:
        if module.room:
            below = {_room_of(t, tree) for t in arrows[module.name]} - {None, module.room}
            rooms.setdefault(module.room, set()).update(r for r in below if r)
    return [f"modules in a circle: {c}" for c in _circles(arrows)] + [
        f"rooms in a circle: {c}" for c in _circles(rooms)
    ]


def _circles(arrows: Mapping[str, set[str]]) -> list[str]:
    """Return the strongly connected components with more than one member (each reaches each)."""
    reach = {name: _reachable(name, arrows) for name in arrows}
    groups = {
        frozenset(b for b in reach[a] if a in reach.get(b, set())) for a in arrows if a in reach[a]
    }
    return sorted(" ↔ ".join(sorted(group)) for group in groups if len(group) > 1)


def _reachable(start: str, arrows: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = list(arrows.get(start, ()))
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(arrows.get(name, ()))
    return seen


def list_hidden_imports(tree: Tree) -> list[str]:
    """List imports inside functions that do not say why on the same line."""
    found = []
    for module in tree.modules:
        for node in _inside_functions(module):
            comment = module.line_of(node).partition("#")[2]
            if not any(reason in comment for reason in REASONS):
                found.append(module.at(node, "imports inside a function: only `# slow import` may"))
    return sorted(set(found))


def _imported_names(module: Module) -> Iterator[tuple[ast.AST, str]]:
    for node in module.walk(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


# Who may speak to the outside. Everything else that can open a connection is named below.
ONLY_HERE = {
    "stripe": ("regsys/payments/gateway.py",),
    "flask_mail": ("regsys/outbox/smtp.py",),
}
NETWORK = (
    "smtplib", "ssl", "socket", "http.client", "urllib.request", "requests", "urllib3", "httpx",
    "ftplib", "aiohttp",
)  # fmt: skip
NETWORK_ALLOWED = {
    "regsys/outbox/smtp.py": "speaks SMTP",
    "regsys/payments/gateway.py": "speaks to Stripe",
}


def list_strangers(tree: Tree, allowed: Mapping[str, str] | None = None) -> list[str]:
    """List imports of network libraries outside of the two files that may; the sandbox and the roof are apart."""
    allowed = NETWORK_ALLOWED if allowed is None else allowed
    found = set()
    for module in tree.modules:
        for node, name in _imported_names(module):
            for library, homes in ONLY_HERE.items():
                ours = name == library or name.startswith(library + ".")
                if ours and module.shown not in homes and module.room not in tree.apart:
                    found.add(module.at(node, f"imports {library}: only {homes[0]} may"))
            network = any(name == n or name.startswith(n + ".") for n in NETWORK)
            inside = module.room is not None and module.room not in tree.apart
            if network and inside and module.shown not in allowed:
                found.add(module.at(node, f"imports {name}: rooms reach the network in two files"))
    return sorted(found)


def list_impure_rules(tree: Tree) -> list[str]:
    """List what rules.py may not see: database, web, clock, chance, and files that see them."""
    forbidden = (
        "flask", "flask_babel", "flask_sqlalchemy", "sqlalchemy", "time", "random", "secrets",
        "uuid", "os", "regsys.kernel.db", "regsys.kernel.clock", "regsys.kernel.tokens",
    )  # fmt: skip
    files = ("models", "queries", "services", "forms", "mail", *DOORS)
    found = set()
    for module in (m for m in tree.modules if m.file == "rules" and m.room):
        for node, name in _imported_names(module):
            parts = name.split(".")
            impure = [f for f in forbidden if name == f or name.startswith(f + ".")]
            if impure:
                found.add(module.at(node, f"rules are pure, and this imports {impure[0]}"))
            elif (
                parts[0] == "regsys"
                and len(parts) > 2
                and parts[2] in files
                and parts[1] not in GROUND
            ):
                found.add(module.at(node, f"rules are pure, and {parts[2]} are not"))
        for node in module.walk(ast.Call):
            assert isinstance(node, ast.Call)
            if ast.unparse(node.func).split(".")[-1] in ("now", "utcnow", "today"):
                found.add(module.at(node, "rules are told what time it is"))
    return sorted(found)
