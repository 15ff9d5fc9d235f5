"""The table that is printed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure, and what was aimed at (`sense` is ≥ or ≤)."""

    what: str
    value: float
    unit: str
    aim: float | None = None
    sense: str = ""
    note: str = ""

    @property
    def missed(self) -> bool:
        """Tell whether an aim was not reached."""
        if self.aim is None:
            return False
        return self.value < self.aim if self.sense == "≥" else self.value > self.aim

    def line(self) -> str:
        """Return the row in Markdown."""
        aim = "" if self.aim is None else f"{self.sense} {self.aim:g}{' MISSED' * self.missed}"
        return f"| {self.what} | {_short(self.value)} {self.unit} | {aim} | {self.note} |"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def show(title: str, rows: Sequence[Row]) -> str:
    """Return a titled Markdown table."""
    head = ["", f"## {title}", "", "| what | measured | aim | |", "|---|---:|---:|---|"]
    return "\n".join([*head, *(row.line() for row in rows)])
