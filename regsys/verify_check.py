"""What a question of `regsys verify` is made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A question whose every row is a difference: what is wrong, and what to do."""

    title: str
    sql: str
    sentence: str
    advice: str
