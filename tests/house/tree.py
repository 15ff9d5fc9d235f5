"""A source tree as the laws see it: modules with their rooms, and templates."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

DOORS = ("public", "organizer", "leader", "coordinator", "webhook", "cli", "jobs")
GROUND = ("kernel", "web")


@dataclass(frozen=True)
class Module:
    """One Python file of `regsys/`."""

    name: str
    path: Path
    shown: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.shown)

    @cached_property
    def lines(self) -> list[str]:
        return self.source.splitlines()

    @property
    def room(self) -> str | None:
        """Return the room, or None for the roof (`regsys/app.py` and its neighbours)."""
        parts = self.name.split(".")
        is_package = self.path.name == "__init__.py"
        return parts[1] if len(parts) > 2 or (len(parts) == 2 and is_package) else None

    @property
    def file(self) -> str:
        """Return which file of the room this is: "services" for services.py and services/placing.py."""
        parts = self.name.split(".")
        return parts[2] if len(parts) > 2 else parts[-1]

    @property
    def is_door(self) -> bool:
        return self.room not in (None, *GROUND) and self.file in DOORS

    def walk(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Walk over all nodes of these kinds."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))

    def at(self, node: ast.AST, says: str) -> str:
        """Return a violation: where, and what is wrong."""
        return f"{self.shown}:{getattr(node, 'lineno', 1)} {says}"

    def line_of(self, node: ast.AST) -> str:
        return self.lines[getattr(node, "lineno", 1) - 1]


class Tree:
    """A checkout: `regsys/`, `templates/`, `migrations/`, `docs/` below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def modules(self) -> list[Module]:
        found = []
        for path in sorted((self.root / "regsys").rglob("*.py")):
            relative = path.relative_to(self.root)
            parts = relative.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(name, path, str(relative), path.read_text()))
        return found

    @cached_property
    def by_name(self) -> Mapping[str, Module]:
        return {m.name: m for m in self.modules}

    @cached_property
    def templates(self) -> list[Path]:
        return sorted(p for p in (self.root / "templates").rglob("*") if p.is_file())

    def template_name(self, path: Path) -> str:
        """Return the name by which Jinja knows the file."""
        return path.relative_to(self.root / "templates").as_posix()

    def _tuple(self, name: str) -> tuple[str, ...]:
        for node in self.by_name["regsys.rooms"].walk(ast.Assign, ast.AnnAssign):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == name for t in targets) and node.value:
                return tuple(ast.literal_eval(node.value))
        return ()

    @cached_property
    def floors(self) -> tuple[str, ...]:
        return self._tuple("FLOORS")

    @cached_property
    def apart(self) -> tuple[str, ...]:
        return self._tuple("APART")


def dotted(node: ast.AST) -> str:
    """Return "a.b.c" for a chain of names; calls inside the chain are skipped over."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    return node.id if isinstance(node, ast.Name) else ""
