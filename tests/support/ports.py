"""Free TCP ports on the loopback."""

import random
import socket

# Below the range from which the kernel hands out ports of its own.
LOW, HIGH = 20000, 32000


def free_port(*, span: int = 1) -> int:
    """Return a port that is free now, with the `span` - 1 ports after it."""
    for _ in range(1000):
        port = random.randrange(LOW, HIGH)
        if all(_is_free(port + i) for i in range(span)):
            return port
    raise RuntimeError("no free port found")


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
