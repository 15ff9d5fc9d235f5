"""What the forms about events have in common beside the fields of `web`."""

from enum import StrEnum

from regsys.events.words import named


def options(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the choices of an enum in the reader's words."""
    return [(member.value, named(member)) for member in enum]
