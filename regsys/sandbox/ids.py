"""Names of Stripe's objects."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits

# Lengths as seen at Stripe; a session id is 66 characters in all.
_LENGTHS = {"cs_test": 58, "pi": 24, "ch": 24, "re": 24, "txn": 24, "evt": 24, "req": 14}


def new_id(prefix: str) -> str:
    """Return a fresh id such as `pi_3k…`."""
    size = _LENGTHS.get(prefix, 24)
    return prefix + "_" + "".join(secrets.choice(_ALPHABET) for _ in range(size))
