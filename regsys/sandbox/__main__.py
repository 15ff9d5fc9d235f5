"""Run the stand-in: `python -m regsys.sandbox --data DIR --port N --webhook-url URL`.

Key and secret come from REGSYS_STRIPE_SECRET_KEY and REGSYS_STRIPE_WEBHOOK_SECRET, never from the command line,
where every user of the machine could read them. The first line printed is the address.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from regsys.kernel import clock
from regsys.sandbox.app import NotASandbox, create_sandbox


class _Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the home page lists what matters."""


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    asked, ended = _asked(argv), _signals()
    logging.basicConfig(level=os.environ.get("REGSYS_LOG_LEVEL", "INFO"))
    clock.configure(asked.data)
    server = ThreadedWSGIServer("127.0.0.1", asked.port, _not_yet, _Handler)
    base_url = asked.base_url or f"http://127.0.0.1:{server.server_port}"
    try:
        app = create_sandbox(
            asked.data,
            api_key=os.environ.get("REGSYS_STRIPE_SECRET_KEY", ""),
            webhook_secret=os.environ.get("REGSYS_STRIPE_WEBHOOK_SECRET", "").split(",")[0].strip(),
            webhook_url=asked.webhook_url,
            base_url=base_url,
            organisation=os.environ.get("REGSYS_ORGANISATION_NAME", "Balint Circle"),
            zone=os.environ.get("REGSYS_TIME_ZONE", "America/Los_Angeles"),
        )
    except NotASandbox as e:
        server.server_close()
        print(f"The sandbox does not start: {e}.", file=sys.stderr)
        return 2
    server.app = app
    box = app.extensions["sandbox"]
    box.start()
    print(f"sandbox: {base_url}", flush=True)
    _serve(server, ended)
    box.stop()
    return 0


def _asked(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m regsys.sandbox", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for sandbox.sqlite")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--webhook-url", required=True, help="where events are posted")
    parser.add_argument("--base-url", help="the stand-in's own address, as a browser reaches it")
    return parser.parse_args(argv)


def _signals() -> threading.Event:
    """Return what is set when someone asks the process to end."""
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    return ended


def _serve(server: ThreadedWSGIServer, ended: threading.Event) -> None:
    """Answer requests until told to end; the server's loop must not be stopped from its own thread."""
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="server")
    thread.start()
    ended.wait()
    server.shutdown()
    thread.join()
    server.server_close()


def _not_yet(environ: object, start_response: object) -> list[bytes]:
    raise RuntimeError("the server was asked before it was ready")


if __name__ == "__main__":
    sys.exit(main())
