"""Every setting once: type, default and one sentence; `config.example.py` says the same and a test compares them."""

import os
import runpy
import secrets
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.numbers import list_currencies
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "REGSYS_"


class BadSetting(Exception):
    """A setting is missing or impossible; the text is one sentence that names it."""


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("must be yes or no")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _several_lines(text: str) -> str:
    return text.replace("\\n", "\n")


def _optional(text: str) -> str | None:
    return text or None


def _setting(default: Any, help: str, parse: Callable[[str], Any] = str) -> Any:
    return field(default=default, metadata={"help": help, "parse": parse})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator decides; read once at the start, never written."""

    DATA_DIR: Path = _setting(Path("data"), "Folder for the SQLite file, backups and locks.", Path)
    SANDBOX: bool = _setting(
        False, "Play money, mail kept in the data folder, a clock that can be shifted.", _flag
    )
    SECRET_KEY: str = _setting("", "Signs cookies; at least 32 random characters.")
    FIELD_KEYS: tuple[str, ...] = _setting(
        (), "Fernet keys for sensitive answers, newest first, comma-separated.", _list
    )
    BASE_URL: str = _setting(
        "http://127.0.0.1:5000", "The public address of the site, without a slash at the end."
    )
    TRUSTED_PROXIES: int = _setting(
        0, "How many proxies stand before the server and set X-Forwarded-* headers.", int
    )
    DATABASE_URL: str = _setting(
        "", "SQLAlchemy URL; empty means regsys.sqlite in the data folder."
    )
    STRIPE_SECRET_KEY: str = _setting("", "Stripe's secret or restricted key (sk_ or rk_).")
    STRIPE_PUBLISHABLE_KEY: str | None = _setting(
        None, "Accepted and unused: payment happens on Stripe's page.", _optional
    )
    STRIPE_WEBHOOK_SECRET: tuple[str, ...] = _setting(
        (), "Signing secrets of the webhook endpoint, comma-separated.", _list
    )
    STRIPE_DELAYED_METHODS: tuple[str, ...] = _setting(
        (),
        "Payments that take days: us_bank_account, sepa_debit, comma-separated; none is by card only.",
        _list,
    )
    STRIPE_API_BASE: str | None = _setting(
        None, "Address of the stand-in Stripe; sandbox mode only.", _optional
    )
    MAIL_SERVER: str = _setting("localhost", "Name of the SMTP server.")
    MAIL_PORT: int = _setting(25, "Port of the SMTP server.", int)
    MAIL_USE_TLS: bool = _setting(False, "Use STARTTLS; the certificate is verified.", _flag)
    MAIL_USE_SSL: bool = _setting(
        False, "Use TLS from the first byte; the certificate is verified.", _flag
    )
    MAIL_USERNAME: str | None = _setting(None, "User name at the SMTP server.", _optional)
    MAIL_PASSWORD: str | None = _setting(None, "Password at the SMTP server.", _optional)
    MAIL_DEFAULT_SENDER: str = _setting("", "Address from which letters come.")
    MAIL_CA_FILE: str | None = _setting(
        None, "File with the authority that signed the SMTP server's certificate.", _optional
    )
    ORGANISATION_NAME: str = _setting(
        "Balint Circle", "Name of the society, as it stands on pages and letters."
    )
    ORGANISATION_TAGLINE: str = _setting("", "One line under the name.")
    ORGANISATION_LOGO: str | None = _setting(
        None, "File (SVG or PNG) shown in place of the ring.", _optional
    )
    ORGANISATION_EMAIL: str = _setting(
        "", "Address to which people write; replies to letters go there."
    )
    ORGANISATION_ADDRESS: str = _setting(
        "",
        "Postal address for receipts and invoices; lines are parted by \\n.",
        _several_lines,
    )
    ORGANISATION_REGISTRATION: str = _setting(
        "", "Tax number or registration, one line at the foot of receipts and invoices."
    )
    DOCUMENT_FOOTER: str = _setting("", "One more line at the foot of receipts and invoices.")
    BANK_DETAILS: str = _setting(
        "",
        "How to pay an invoice by bank transfer: account and bank, lines parted by \\n.",
        _several_lines,
    )
    CHEQUE_DETAILS: str = _setting(
        "",
        "How to pay an invoice by cheque: to whom and where to, lines parted by \\n.",
        _several_lines,
    )
    TIME_ZONE: str = _setting("America/Los_Angeles", "IANA zone of the society.")
    CURRENCY: str = _setting("USD", "ISO 4217 code for new events.")
    HOLD_MINUTES: int = _setting(30, "Minutes for which places in a cart are held.", int)
    WEB_WORKERS: int = _setting(2, "Web server processes.", int)
    WEB_THREADS: int = _setting(4, "Threads in each web server process.", int)
    LOG_LEVEL: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **known: Any) -> "Settings":
        """Read the file named by REGSYS_CONFIG, then the environment, then `known`; raise BadSetting."""
        environ = os.environ if environ is None else environ
        values = _from_file(environ.get(PREFIX + "CONFIG"))
        for f in fields(cls):
            if PREFIX + f.name in environ:
                values[f.name] = _parsed(f, environ[PREFIX + f.name])
        return cls(**{**values, **known}).checked()

    @classmethod
    def for_tests(cls, data: Path, **changes: Any) -> "Settings":
        """Return settings that need nothing outside `data`."""
        known: dict[str, Any] = {
            "DATA_DIR": data,
            "SANDBOX": True,
            "SECRET_KEY": secrets.token_urlsafe(32),
            "FIELD_KEYS": (Fernet.generate_key().decode(),),
            "STRIPE_SECRET_KEY": "sk_test_sandbox_" + secrets.token_hex(12),
            "STRIPE_WEBHOOK_SECRET": ("whsec_" + secrets.token_hex(16),),
            "MAIL_DEFAULT_SENDER": "circle@example.org",
            "ORGANISATION_NAME": "Evergreen Balint Circle",
            "ORGANISATION_EMAIL": "circle@example.org",
        }
        return cls(**{**known, **changes}).checked()

    def replace(self, **changes: Any) -> "Settings":
        """Return a checked copy with some settings changed."""
        return replace(self, **changes).checked()

    @property
    def database_url(self) -> str:
        """Return the URL that SQLAlchemy takes, with the driver named and SQLite's path absolute."""
        url = self.DATABASE_URL or f"sqlite:///{(self.DATA_DIR / 'regsys.sqlite').resolve()}"
        for old in ("postgres://", "postgresql://"):
            if url.startswith(old):
                return "postgresql+psycopg://" + url.removeprefix(old)
        return url

    @property
    def livemode(self) -> bool:
        """Tell whether the key moves real money."""
        return "_live_" in self.STRIPE_SECRET_KEY

    @property
    def secure(self) -> bool:
        """Tell whether the site is served over TLS: cookies are marked Secure then."""
        return self.BASE_URL.startswith("https://")

    def checked(self) -> "Settings":
        """Raise BadSetting with one sentence for the first impossible setting."""
        for name, problem in _kinds(self) or _problems(self):
            raise BadSetting(f"{PREFIX}{name} {problem}.")
        return self


def _parsed(f: "Field[Any]", text: str) -> Any:
    try:
        return f.metadata["parse"](text)
    except ValueError as e:
        raise BadSetting(f"{PREFIX}{f.name} cannot be read: {e}.") from None


def _from_file(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    if not Path(path).is_file():
        raise BadSetting(f"{PREFIX}CONFIG names {path}, and there is no such file.")
    names = {f.name: f for f in fields(Settings)}
    read = {k: v for k, v in _run(path).items() if k.isupper()}
    for name in read:
        if name not in names:
            raise BadSetting(f"{name} in {path} is no setting; see config.example.py.")
    return {k: _parsed(names[k], v) if isinstance(v, str) else v for k, v in read.items()}


def _run(path: str) -> dict[str, Any]:
    try:
        return runpy.run_path(path)
    except (
        Exception,
        SystemExit,
    ) as e:  # it is a program of the operator's, so anything may be wrong with it
        said = " ".join(f"{type(e).__name__}: {e}".split())
        raise BadSetting(f"{PREFIX}CONFIG names {path}, which cannot be read: {said}.") from None


def _kinds(s: Settings) -> list[tuple[str, str]]:
    """List what is of the wrong kind: a file of settings is Python, and takes any value."""
    hints = get_type_hints(Settings)
    values = ((f.name, getattr(s, f.name), hints[f.name]) for f in fields(s))
    return [
        (name, f"must be {_KINDS.get(kind, 'text')}, and is {type(value).__name__}")
        for name, value, kind in values
        if not _is_of(value, kind)
    ]


_ONE_LINE = (
    "ORGANISATION_NAME",
    "ORGANISATION_TAGLINE",
    "ORGANISATION_REGISTRATION",
    "DOCUMENT_FOOTER",
    "MAIL_SERVER",
)
_KINDS = {int: "a whole number", bool: "True or False", tuple[str, ...]: "a list of texts"}


def _is_of(value: Any, kind: Any) -> bool:
    if kind == tuple[str, ...]:
        return isinstance(value, tuple | list) and all(isinstance(one, str) for one in value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _problems(s: Settings) -> list[tuple[str, str]]:
    """List (setting, what is wrong) in the order of the fields."""
    found = []
    if not _may_be_folder(s.DATA_DIR):
        found.append(("DATA_DIR", "must be a folder that can be written to"))
    if len(s.SECRET_KEY) < 32:
        found.append(("SECRET_KEY", "must have at least 32 random characters"))
    if not s.FIELD_KEYS or not all(_is_fernet(k) for k in s.FIELD_KEYS):
        found.append(("FIELD_KEYS", "must hold at least one key made by `regsys new-key`"))
    if not _is_address(s.BASE_URL) or s.BASE_URL.endswith("/"):
        found.append(("BASE_URL", "must begin with https:// and have no slash at the end"))
    if s.DATABASE_URL and not _is_database(s.database_url):
        found.append(("DATABASE_URL", "must be a SQLite or PostgreSQL URL"))
    return found + _stripe_problems(s) + _other_problems(s)


def _stripe_problems(s: Settings) -> list[tuple[str, str]]:
    found = []
    if s.STRIPE_SECRET_KEY and not s.STRIPE_SECRET_KEY.startswith(
        ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
    ):
        found.append(("STRIPE_SECRET_KEY", "must begin with sk_ or rk_, then test_ or live_"))
    if s.STRIPE_API_BASE and not (s.SANDBOX and "_test_sandbox_" in s.STRIPE_SECRET_KEY):
        found.append(("STRIPE_API_BASE", "may be set in sandbox mode with a sandbox key only"))
    if s.STRIPE_SECRET_KEY and not s.STRIPE_WEBHOOK_SECRET:
        found.append(
            (
                "STRIPE_WEBHOOK_SECRET",
                "must be set where STRIPE_SECRET_KEY is: without it no payment could be trusted",
            )
        )
    if s.STRIPE_API_BASE and not _is_address(s.STRIPE_API_BASE):
        found.append(("STRIPE_API_BASE", "must begin with http:// or https://"))
    if not set(s.STRIPE_DELAYED_METHODS) <= {"us_bank_account", "sepa_debit"}:
        found.append(("STRIPE_DELAYED_METHODS", "may name us_bank_account and sepa_debit only"))
    if s.SANDBOX and s.livemode:
        found.append(("SANDBOX", "cannot be on with a live Stripe key"))
    return found


def _other_problems(s: Settings) -> list[tuple[str, str]]:
    found = [
        (name, "must stand on one line") for name in _ONE_LINE if not getattr(s, name).isprintable()
    ]
    if not s.ORGANISATION_NAME.strip():
        found.append(("ORGANISATION_NAME", "must not be empty: it stands on every page"))
    if not _is_mailbox(s.MAIL_DEFAULT_SENDER):
        found.append(("MAIL_DEFAULT_SENDER", "must be an e-mail address"))
    if s.ORGANISATION_EMAIL and not _is_mailbox(s.ORGANISATION_EMAIL):
        found.append(("ORGANISATION_EMAIL", "must be an e-mail address"))
    if s.MAIL_CA_FILE and not os.path.isfile(s.MAIL_CA_FILE):
        found.append(("MAIL_CA_FILE", "names a file that is not there"))
    if s.MAIL_USE_TLS and s.MAIL_USE_SSL:
        found.append(("MAIL_USE_TLS", "and MAIL_USE_SSL exclude each other"))
    if s.ORGANISATION_LOGO and not os.path.isfile(s.ORGANISATION_LOGO):
        found.append(("ORGANISATION_LOGO", "names a file that is not there"))
    try:
        ZoneInfo(s.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        found.append(("TIME_ZONE", "is no IANA time zone; try America/Los_Angeles"))
    if s.CURRENCY not in list_currencies():
        found.append(("CURRENCY", "is no ISO 4217 code; try USD"))
    for name, low, high in (
        ("HOLD_MINUTES", 5, 240),
        ("WEB_WORKERS", 1, 64),
        ("WEB_THREADS", 1, 64),
        ("TRUSTED_PROXIES", 0, 9),
        ("MAIL_PORT", 1, 65535),
    ):
        if not low <= getattr(s, name) <= high:
            found.append((name, f"must be between {low} and {high}"))
    if s.LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        found.append(("LOG_LEVEL", "must be DEBUG, INFO, WARNING or ERROR"))
    return found


def _may_be_folder(path: Path) -> bool:
    """Tell whether it is a folder to write to, or could be made."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        path = next((p for p in path.absolute().parents if os.path.lexists(p)), path)
    except (OSError, ValueError):
        return False  # no name of a file can be that long
    return os.path.isdir(path) and os.access(path, os.W_OK)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    good = parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
    return good and text.isprintable() and not set(text) & set(" <>\"'?#")


def _is_database(url: str) -> bool:
    try:
        made = make_url(url)
    except (ArgumentError, ValueError):
        return False
    if made.drivername == "sqlite":
        return made.host is None and made.database not in (None, "", ":memory:")
    return made.drivername == "postgresql+psycopg"


def _is_mailbox(text: str) -> bool:
    """Tell whether it is an address, with or without a name before it."""
    _name, address = parseaddr(text)
    before, at, after = address.rpartition("@")
    return bool(before and at and after) and text.isprintable() and not set(address) & set(" <>,;")


def _is_fernet(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
