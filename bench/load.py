"""A client that costs next to nothing, so that what is measured is the server."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """Head and body as they came."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Asker:
    """Asks one address over kept connections, again and again; `before` is done before each question."""

    url: str
    headers: Sequence[tuple[str, str]] = ()
    connections: int = 8
    before: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        lines = [f"GET {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._sockets: list[socket.socket] = []

    def once(self) -> Answer:
        """Ask once, and read the answer with care."""
        self._connect(1)
        s = self._sockets[0]
        s.sendall(self._request)
        head, body = _read(s)
        lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        return Answer(int(lines[0].split()[1]), headers, body)

    def rate(self, seconds: float) -> float:
        """Return answers a second: each connection has one question under way at a time."""
        self._connect(self.connections)
        begin = time.perf_counter()
        count = 0
        while time.perf_counter() - begin < seconds:
            for s in self._sockets:
                if self.before:
                    self.before()
                s.sendall(self._request)
            for s in self._sockets:
                _read(s)
            count += len(self._sockets)
        return count / (time.perf_counter() - begin)

    def close(self) -> None:
        """Hang up."""
        for s in self._sockets:
            s.close()
        self._sockets.clear()

    def _connect(self, how_many: int) -> None:
        while len(self._sockets) < how_many:
            s = socket.create_connection(self._address, timeout=20)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(s)


def _read(s: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(s)
    head, body = data[:end], data[end + 4 :]
    length = _length(head)
    while len(body) < length:
        body += _more(s)
    return head, body


def _more(s: socket.socket) -> bytes:
    data = s.recv(1 << 17)
    if not data:
        raise ConnectionError("the server hung up")
    return data


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    return int(lower[at + 17 :].split(b"\r\n", 1)[0])


def side_by_side(
    askers: dict[str, Asker], *, rounds: int, seconds: float
) -> dict[str, tuple[float, float]]:
    """Ask all in turn, round by round; return for each the median rate, and its spread as a share of it."""
    seen: dict[str, list[float]] = {name: [] for name in askers}
    for asker in askers.values():
        asker.rate(min(1.0, seconds))
        asker.close()  # a server hangs up on those who are quiet for some seconds
    for _ in range(rounds):
        for name, asker in askers.items():
            seen[name].append(asker.rate(seconds))
            asker.close()
    return {name: (median(r), (max(r) - min(r)) / median(r)) for name, r in seen.items()}
