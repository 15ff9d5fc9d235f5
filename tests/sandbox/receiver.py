"""A product in miniature: it takes webhooks and answers as told."""

import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Listens on a free port; `answers` holds the next status codes, then 200."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.bodies: list[tuple[bytes, str]] = []
        self.answers: deque[int] = deque()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append((body, self.headers["Stripe-Signature"]))
                code = receiver.answers.popleft() if receiver.answers else 200
                if code == 200:
                    receiver.events.append(json.loads(body))
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/stripe"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def wait(self, type: str, count: int = 1, seconds: float = 10) -> list[dict[str, Any]]:
        """Return the events of a type once there are that many."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [e for e in self.events if e["type"] == type]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{type} came {len(found)} times, not {count}")

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
