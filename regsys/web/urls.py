"""Addresses: absolute ones for letters and for Stripe, known without a request; and ids as they stand in a path."""

from typing import Any

from flask import current_app
from werkzeug.routing import IntegerConverter, Map

from regsys.kernel.settings import Settings


class RowId(IntegerConverter):
    """A number in a path: ASCII digits, and no larger than an id can be, for PostgreSQL would fail at it."""

    regex = "[0-9]{1,10}"

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": 2**31 - 1, **kwargs})


def settings() -> Settings:
    """Return the settings of the current app."""
    found: Settings = current_app.extensions["regsys.settings"]
    return found


def absolute(endpoint: str, **values: Any) -> str:
    """Return the full public address of an endpoint, from BASE_URL."""
    path = current_app.url_map.bind("").build(endpoint, values)
    return settings().BASE_URL + path
