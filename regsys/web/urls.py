"""Addresses for letters and for Stripe: absolute, and known without a request."""

from typing import Any

from flask import current_app

from regsys.kernel.settings import Settings


def settings() -> Settings:
    """Return the settings of the current app."""
    found: Settings = current_app.extensions["regsys.settings"]
    return found


def absolute(endpoint: str, **values: Any) -> str:
    """Return the full public address of an endpoint, from BASE_URL."""
    path = current_app.url_map.bind("").build(endpoint, values)
    return settings().BASE_URL + path
