"""Statements that are compiled once: each test's engine would compile them all again, which is half of its time."""

from typing import Any

from sqlalchemy import Dialect, Engine
from sqlalchemy.util import LRUCache

_SHARED: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}


def share_statements(engine: Engine) -> None:
    """Let engines of one kind keep what they compiled in one place; its keys hold the dialect: it is shared too."""
    name = engine.dialect.name
    if name not in _SHARED:
        engine.connect().close()  # a dialect learns about its server at its first connection
        _SHARED[name] = (engine.dialect, LRUCache(5000))
    engine.dialect, engine._compiled_cache = _SHARED[name]
