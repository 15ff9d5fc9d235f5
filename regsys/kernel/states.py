"""State machines: a StrEnum, a table of moves, and the only function that changes a state."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Enum

from regsys.kernel.errors import IllegalMove

Moves = Mapping[Any, frozenset[Any]]


class HasState(Protocol):
    """A row with a state, the time of its last move, and its table of moves."""

    MOVES: Any
    state: Any
    state_at: Any


def can_move(moves: Moves, frm: StrEnum, to: StrEnum) -> bool:
    """Tell whether the table allows the move: buttons ask this too."""
    return to in moves.get(frm, frozenset())


def check_move(moves: Moves, frm: StrEnum, to: StrEnum, *, what: str) -> None:
    """Raise IllegalMove unless the table allows the move."""
    if not can_move(moves, frm, to):
        raise IllegalMove(what, frm, to)


def move(row: HasState, to: StrEnum, *, now: datetime) -> None:
    """Check, set and stamp; raise IllegalMove."""
    check_move(row.MOVES, row.state, to, what=type(row).__name__)
    row.state = to
    row.state_at = now


def choice(enum: type[StrEnum], name: str) -> Enum:
    """Return a column type that stores the value and is CHECKed by the database."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=40,
        values_callable=lambda e: [m.value for m in e],
    )


def describe(name: str, moves: Moves) -> str:
    """Return the table as Markdown, for docs/states.md."""
    lines = [f"## {name}", "", "| from | to |", "|---|---|"]
    for frm, tos in moves.items():
        lines.append(f"| `{frm}` | {', '.join(f'`{t}`' for t in sorted(tos)) or 'the end'} |")
    return "\n".join(lines) + "\n"
