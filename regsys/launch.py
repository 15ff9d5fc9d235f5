"""What has to be true before the children start: settings, secrets, a free port, a database.

Imports nothing heavy: `in_child` does the heavy steps in a process that ends again.
"""

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PREFIX = "REGSYS_"
DEMO_FILE = "demo.json"
SIGN_INS = "sign-ins.json"
# What a full disk, or a quota that is used up, calls itself: the system, SQLite and PostgreSQL.
FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_WORDS = ("database or disk is full", "No space left on device")
DEMO_NAME = "Evergreen Balint Circle (demo)"
DEMO_TAGLINE = "Clinicians thinking together about the people they care for"


class CannotStart(Exception):
    """Something stands in the way; the text is a sentence with the next step."""


# ---- settings


def environment(data_dir: Path | None = None) -> dict[str, str]:
    """Return the environment; beneath it the settings of a demo, where the data folder holds one.

    Whoever names a file of settings in REGSYS_CONFIG means no demo.
    """
    folder = data_dir or Path(os.environ.get(PREFIX + "DATA_DIR", "data"))
    file = folder / DEMO_FILE
    is_demo = file.is_file() and not os.environ.get(PREFIX + "CONFIG")
    demo: dict[str, str] = json.loads(file.read_text()) if is_demo else {}
    here = {PREFIX + "DATA_DIR": str(data_dir)} if data_dir else {}
    return {**demo, **os.environ, **here}


def service_environment(data_dir: Path | None) -> dict[str, str]:
    """Return the environment for real work; raise CannotStart in the folder of a demo."""
    here = {PREFIX + "DATA_DIR": str(data_dir.absolute())} if data_dir else {}
    env = {**os.environ, **here}
    folder = Path(env.get(PREFIX + "DATA_DIR", "data"))
    if (folder / DEMO_FILE).exists() and not env.get(PREFIX + "CONFIG"):
        raise CannotStart(
            f"{folder} holds the demo. Name another folder with --data, or start the demo: regsys run"
        )
    return env


def demo_environment(data_dir: Path, port: int) -> dict[str, str]:
    """Make the settings of a demo once, with secrets of its own, and return the environment for its processes."""
    file = data_dir / DEMO_FILE
    if not file.is_file() and (data_dir / "regsys.sqlite").exists():
        raise CannotStart(
            f"{data_dir} holds a database that is not the demo's. Name another folder: make run DATA=demo-data"
        )
    data_dir.mkdir(parents=True, exist_ok=True)
    known: dict[str, str] = json.loads(file.read_text()) if file.is_file() else _new_demo()
    known |= {
        PREFIX + "BASE_URL": f"http://127.0.0.1:{port}",
        PREFIX + "STRIPE_API_BASE": f"http://127.0.0.1:{port + 1}",
    }
    _write_secret(file, json.dumps(known, indent=1))
    return {**environment(data_dir), PREFIX + "SANDBOX": "1"}


def _new_demo() -> dict[str, str]:
    import base64  # slow import
    import secrets  # slow import

    made = {
        "SANDBOX": "1",
        "SECRET_KEY": secrets.token_urlsafe(32),
        "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "STRIPE_SECRET_KEY": f"sk_test_sandbox_{secrets.token_hex(16)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "MAIL_DEFAULT_SENDER": "circle@example.org",
        "ORGANISATION_NAME": DEMO_NAME,
        "ORGANISATION_TAGLINE": DEMO_TAGLINE,
        "ORGANISATION_EMAIL": "circle@example.org",
        "ORGANISATION_ADDRESS": "1420 Alder Court\\nSeattle, WA 98101",
        "ORGANISATION_REGISTRATION": "Invented nonprofit, tax number 00-0000000",
        "BANK_DETAILS": "Evergreen Balint Circle\\nAccount 000123456789\\nRouting 110000000",
        "CHEQUE_DETAILS": "Payable to Evergreen Balint Circle\\n1420 Alder Court\\nSeattle, WA 98101",
    }
    return {PREFIX + name: value for name, value in made.items()}


def _write_secret(file: Path, text: str) -> None:
    """Write a file that only its owner can read, never half."""
    half = file.with_suffix(".part")
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(text)
    os.replace(half, file)


# ---- ports


def listen(host: str, port: int, *, advice: str) -> socket.socket:
    """Return a socket that listens; raise CannotStart if the port is taken.

    It is the supervisor's: visitors wait in its queue while the web server starts again.
    """
    end = time.monotonic() + 1.0
    while True:
        made = _bound(host, port)
        if isinstance(made, socket.socket):
            made.listen(1024)
            return made
        if time.monotonic() > end:
            raise CannotStart(f"{host}:{port} cannot be used ({made}). {advice}")
        time.sleep(0.1)


def _bound(host: str, port: int) -> socket.socket | str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except (OSError, OverflowError) as e:
        made.close()
        return getattr(e, "strerror", None) or str(e)
    return made


def is_ready(address: tuple[str, int]) -> bool:
    """Ask /readyz; an unanswered question counts as no."""
    host, port = address
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with socket.create_connection((here, port), timeout=0.5) as s:
            s.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b" 200 " in s.recv(64)
    except OSError:
        return False


def sign_ins(data_dir: Path) -> list[dict[str, str]]:
    """List who may sign in to the demo: who, email, and a password or None."""
    file = data_dir / SIGN_INS
    found: list[dict[str, str]] = json.loads(file.read_text()) if file.is_file() else []
    return found


# ---- the heavy steps


def in_child(step: Callable[[Mapping[str, str]], None], env: Mapping[str, str]) -> None:
    """Run a step in a process of its own; exit with its code if that is not 0."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os._exit(_guarded(step, env))
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        sys.exit(code if code > 0 else 1)


def _guarded(step: Callable[[Mapping[str, str]], None], env: Mapping[str, str]) -> int:
    """Return the exit code of a step; what went wrong is one sentence."""
    code = 1
    try:
        step(env)
        code = 0
    except KeyboardInterrupt:
        code = 130
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 1
    except Exception as e:
        code = 2 if type(e).__name__ in ("BadSetting", "CannotStart") else 1
        print("regsys:", sentence(e), file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def sentence(e: Exception) -> str:
    """Return one line; an error that nobody expected names its class and how to see more."""
    names = {kind.__name__ for kind in type(e).__mro__}
    text = " ".join(str(getattr(e, "orig", None) or e).split())
    if names & {"BadSetting", "CannotStart", "RegsysError"}:
        return text
    if getattr(e, "errno", None) in FULL or any(words in text for words in FULL_WORDS):
        return "The disk is full, so this was not finished. Free some space, then try again."
    return f"{type(e).__name__}: {text} (REGSYS_LOG_LEVEL=DEBUG shows where)"


def prepare_demo(env: Mapping[str, str]) -> None:
    """Check the settings, bring the database up to date, and load the demo once."""
    from regsys.kernel import revisions  # slow import
    from regsys.kernel.settings import Settings  # slow import

    settings = Settings.load(env)
    if revisions.is_behind(settings):
        from regsys.kernel import migrate  # slow import

        migrate.upgrade(settings)
    sign_ins = settings.DATA_DIR / SIGN_INS
    if not sign_ins.exists():
        from regsys import demo_start  # slow import

        demo_start.load(settings, sign_ins)


def prepare_service(env: Mapping[str, str]) -> None:
    """Check the settings and the database: an empty one is set up, an old one waits for `regsys upgrade`."""
    from regsys.kernel import revisions  # slow import
    from regsys.kernel.settings import Settings  # slow import

    settings = Settings.load(env)
    found = revisions.stored(settings)
    if found is None:
        from regsys.kernel import migrate  # slow import

        migrate.upgrade(settings)
    elif revisions.is_behind(settings):
        raise CannotStart(
            "The database is older than this version. Run `regsys upgrade`, then start again."
        )
