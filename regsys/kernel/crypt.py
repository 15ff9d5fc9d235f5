"""Encryption of single fields, with key rotation: the first key seals, every key opens."""

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_cipher: MultiFernet | None = None


def configure(keys: tuple[str, ...]) -> None:
    """Use these Fernet keys, newest first; raise ValueError if one is malformed."""
    global _cipher
    _cipher = MultiFernet([Fernet(key) for key in keys])


def new_key() -> str:
    """Return a fresh key for FIELD_KEYS."""
    return Fernet.generate_key().decode()


def seal(text: str) -> str:
    """Encrypt with the newest key."""
    if _cipher is None:
        raise RuntimeError("crypt is not configured: FIELD_KEYS is read by create_app()")
    return _cipher.encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt with whichever key fits; raise ValueError if none does."""
    if _cipher is None:
        raise RuntimeError("crypt is not configured: FIELD_KEYS is read by create_app()")
    try:
        return _cipher.decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ValueError(
            "a sealed field cannot be opened: was a key removed from FIELD_KEYS?"
        ) from None


class SealedText(TypeDecorator[str]):
    """Text that is encrypted at rest; it can be neither searched nor sorted."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else unseal(value)


class SealedJSON(TypeDecorator[Any]):
    """A JSON value that is encrypted at rest."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else seal(json.dumps(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(unseal(value))
