"""Secrets in links, and the short codes that people read aloud."""

import hashlib
import hmac
import secrets

# No 0 O 1 I: codes are read from paper and spelled on the phone.
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_token() -> str:
    """Return a secret for a link: 160 bits, safe in a URL."""
    return secrets.token_urlsafe(20)


def hash_token(token: str) -> str:
    """Return what is stored of a token: SHA-256 in hex; enough for 160 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(a: str, b: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(a.encode(), b.encode())


def new_code(length: int = 6) -> str:
    """Return a code of `length` characters without look-alikes."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))
