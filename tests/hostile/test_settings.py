"""Each setting with an impossible value: the start stops with one sentence that names it."""

import dataclasses
from pathlib import Path

import pytest

from regsys.kernel import crypt
from regsys.kernel.settings import BadSetting, Settings
from tests.support.hostile import TEXTS

ANY_TEXT = {
    "STRIPE_PUBLISHABLE_KEY": "accepted and unused",
    "STRIPE_WEBHOOK_SECRET": "Stripe makes it, and only Stripe knows whether it is one",
    "MAIL_USERNAME": "any text may be a name",
    "MAIL_PASSWORD": "any text may be a password",
    "ORGANISATION_ADDRESS": "any lines may be an address",
    "BANK_DETAILS": "any lines may say how to pay",
    "CHEQUE_DETAILS": "any lines may say how to pay",
}
IMPOSSIBLE = {
    "DATA_DIR": ["/dev/null", "/dev/null/below"],
    "SANDBOX": ["maybe", "2"],
    "SECRET_KEY": ["", "short", "x" * 31],
    "FIELD_KEYS": ["", "nonsense", "x" * 44 + ",", "ключ"],
    "BASE_URL": ["", "example.org", "https://", "https://example.org/", "http://[::1", "https://a b"],
    "TRUSTED_PROXIES": ["-1", "10", "one", "1.0"],
    "DATABASE_URL": ["mysql://x", "sqlite://", "sqlite:///:memory:", "postgresql://h:port/x", "nonsense"],
    "STRIPE_SECRET_KEY": ["sk", "pk_test_x", "whsec_x"],
    "STRIPE_DELAYED_METHODS": ["cheque", "sepa_debit,card"],
    "STRIPE_API_BASE": ["https://stripe.example"],
    "MAIL_SERVER": ["smtp\r\nX: y"],
    "MAIL_PORT": ["0", "65536", "-25", "smtp", ""],
    "MAIL_USE_TLS": ["maybe"],
    "MAIL_USE_SSL": ["perhaps"],
    "MAIL_DEFAULT_SENDER": ["", "circle", "@example.org", "circle@", "a@b.c\nBcc: d@e.f"],
    "MAIL_CA_FILE": ["/no/such/file"],
    "ORGANISATION_NAME": ["", "  ", "Circle\nBcc: d@e.f"],
    "ORGANISATION_TAGLINE": ["two\nlines"],
    "ORGANISATION_REGISTRATION": ["two\nlines"],
    "DOCUMENT_FOOTER": ["two\nlines", "a\x07bell"],
    "ORGANISATION_LOGO": ["/no/such/file.svg"],
    "ORGANISATION_EMAIL": ["circle", "circle@", "a@b.c\nBcc: d@e.f"],
    "TIME_ZONE": ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "America"],
    "CURRENCY": ["", "usd", "XXXX", "$"],
    "HOLD_MINUTES": ["0", "4", "241", "soon", "٣0.5"],
    "WEB_WORKERS": ["0", "65", "two"],
    "WEB_THREADS": ["0", "65", ""],
    "LOG_LEVEL": ["", "info", "LOUD"],
}  # fmt: skip
NAMES = [f.name for f in dataclasses.fields(Settings)]


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    """Return an environment with which everything starts."""
    return {
        "REGSYS_DATA_DIR": str(tmp_path),
        "REGSYS_SECRET_KEY": "x" * 32,
        "REGSYS_FIELD_KEYS": crypt.new_key(),
        "REGSYS_MAIL_DEFAULT_SENDER": "Circle <circle@example.org>",
    }


def sentence_of(environ: dict[str, str]) -> str:
    """Return why it does not start, or nothing; any other error is the test's failure."""
    try:
        Settings.load(environ)
    except BadSetting as e:
        return str(e)
    return ""


def test_every_setting_has_impossible_values_or_a_reason_why_not() -> None:
    assert sorted([*IMPOSSIBLE, *ANY_TEXT]) == sorted(NAMES)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in IMPOSSIBLE.items() for v in vs])
def test_an_impossible_value_is_named_in_one_sentence(
    good: dict[str, str], name: str, value: str
) -> None:
    assert sentence_of(good) == ""
    said = sentence_of({**good, f"REGSYS_{name}": value})
    assert said.startswith(f"REGSYS_{name} ")
    assert said.endswith(".")
    assert "\n" not in said


@pytest.mark.parametrize("name", NAMES)
def test_nonsense_never_ends_in_another_error(good: dict[str, str], name: str) -> None:
    said = {sentence_of({**good, f"REGSYS_{name}": text}) for text in TEXTS if "\0" not in text}
    assert all(s == "" or s.startswith("REGSYS_") for s in said)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["None", "3.5", "object()", "b'x'", "{}", "[1]"])
def test_a_file_of_settings_may_hold_anything_but_not_start(
    good: dict[str, str], tmp_path: Path, name: str, value: str
) -> None:
    hints = str(Settings.__annotations__[name])
    file = tmp_path / "config.py"
    file.write_text(f"{name} = {value}\n")
    good.pop(f"REGSYS_{name}", None)
    said = sentence_of({**good, "REGSYS_CONFIG": str(file)})
    if value == "None" and "None" in hints:
        assert said == ""
    else:
        assert said.startswith(f"REGSYS_{name} must be ")


@pytest.mark.parametrize(
    "text", ["HOLD_MINUTES = ", "1 / 0", "import nothing_of_the_kind", "\0", "raise SystemExit", "é".encode("latin-1")]
)  # fmt: skip
def test_a_file_of_settings_that_is_broken_is_one_sentence(
    good: dict[str, str], tmp_path: Path, text: str | bytes
) -> None:
    file = tmp_path / "config.py"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    said = sentence_of({**good, "REGSYS_CONFIG": str(file)})
    assert said.startswith(f"REGSYS_CONFIG names {file}, which cannot be read: ")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"STRIPE_SECRET_KEY": "sk_test_x"}, "STRIPE_WEBHOOK_SECRET"),
        ({"SANDBOX": "1", "STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": "w"}, "SANDBOX"),
        ({"MAIL_USE_TLS": "1", "MAIL_USE_SSL": "1"}, "MAIL_USE_TLS"),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1", "SANDBOX": "1"}, "STRIPE_API_BASE"),
    ],
)  # fmt: skip
def test_settings_that_exclude_each_other_are_named(
    good: dict[str, str], settings: dict[str, str], named: str
) -> None:
    said = sentence_of({**good, **{f"REGSYS_{k}": v for k, v in settings.items()}})
    assert said.startswith(f"REGSYS_{named} ")
