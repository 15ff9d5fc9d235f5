"""config.example.py shows every setting once, with its type, its default and its sentence."""

import ast
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

TYPES = {
    "str": "text",
    "str | None": "text or None",
    "bool": "True or False",
    "int": "whole number",
    "tuple[str, ...]": "texts",
    "Path": "path",
}
ENTRY = re.compile(r"^# ([A-Z][A-Z0-9_]*) = (.+?)  # (.+)$")


@dataclass(frozen=True)
class Entry:
    """One setting, as documented or as declared."""

    name: str
    default: Any
    type: str
    sentence: str


def read_example(text: str) -> list[Entry]:
    """Read the commented-out assignments and the comment lines straight above each."""
    found: list[Entry] = []
    above: list[str] = []
    for line in text.splitlines():
        if match := ENTRY.match(line):
            name, default, kind = match.groups()
            found.append(Entry(name, ast.literal_eval(default), kind, " ".join(above)))
            above = []
        else:
            above = [*above, line.removeprefix("# ")] if line.startswith("# ") else []
    return found


def read_settings(settings: type) -> list[Entry]:
    """Read the fields of the settings class."""
    found = []
    for f in fields(settings):
        kind = f.type if isinstance(f.type, str) else _annotation(f.type)
        default = str(f.default) if isinstance(f.default, Path) else f.default
        found.append(Entry(f.name, default, TYPES[kind], f.metadata["help"]))
    return found


def _annotation(kind: Any) -> str:
    return kind.__name__ if type(kind) is type else str(kind)


def list_undocumented(text: str, settings: type) -> list[str]:
    """List settings that the example lacks, has too many, has twice or describes differently."""
    shown = read_example(text)
    names = [e.name for e in shown]
    known = {e.name: e for e in read_settings(settings)}
    found = [f"config.example.py lacks {name}" for name in known if name not in names]
    found += [
        f"config.example.py has {n}, and there is no such setting" for n in names if n not in known
    ]
    found += [
        f"config.example.py has {n} twice" for n in sorted({n for n in names if names.count(n) > 1})
    ]
    for entry in shown:
        declared = known.get(entry.name, entry)
        if entry != declared:
            found.append(f"config.example.py says {entry}, the settings say {declared}")
    return found


def render(settings: type) -> str:
    """Write the entries, to begin an example with or to add to it."""
    return "\n".join(
        f"# {e.sentence}\n# {e.name} = {_literal(e.default)}  # {e.type}\n"
        for e in read_settings(settings)
    )


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
