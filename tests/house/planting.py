"""Small source trees with one thing wrong."""

from pathlib import Path

from tests.house.tree import Tree

ROOMS = """
FLOORS = ("kernel", "web", "capacity", "events", "registration")
APART = ("sandbox",)
"""


def plant(root: Path, files: dict[str, str]) -> Tree:
    """Write a tree of rooms that is in order but for `files`."""
    for name in ("kernel", "web", "capacity", "events", "registration", "sandbox"):
        _write(root / "regsys" / name / "__init__.py", '"""A room."""\n')
    _write(root / "regsys" / "__init__.py", "")
    _write(root / "regsys" / "rooms.py", ROOMS)
    for name, content in files.items():
        _write(root / name, content)
    return Tree(root)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
