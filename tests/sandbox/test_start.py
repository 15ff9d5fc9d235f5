"""The stand-in starts with keys of its own only, and ends when told."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from regsys.sandbox.app import NotASandbox, create_sandbox
from tests.sandbox.control import ROOT, running_sandbox


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("", "whsec_0123456789abcdef"),
        ("sk_test_0123456789abcdef", "whsec_0123456789abcdef"),
        ("sk_live_sandbox_0123456789", "whsec_0123456789abcdef"),
        ("sk_test_sandbox_", "whsec_0123456789abcdef"),
        ("sk_test_sandbox_0123456789", ""),
        ("sk_test_sandbox_0123456789", "whsec_"),
    ],
)
def test_other_keys_are_refused(tmp_path: Path, key: str, secret: str) -> None:
    with pytest.raises(NotASandbox):
        create_sandbox(
            tmp_path,
            api_key=key,
            webhook_secret=secret,
            webhook_url="http://127.0.0.1:1/",
            base_url="http://x",
        )
    assert list(tmp_path.iterdir()) == []


def test_process_with_another_key_says_so_and_ends(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "regsys.sandbox",
        "--data",
        str(tmp_path),
        "--webhook-url",
        "http://127.0.0.1:1/",
    ]
    keys = {
        "REGSYS_STRIPE_SECRET_KEY": "sk_live_0123456789abcdef",
        "REGSYS_STRIPE_WEBHOOK_SECRET": "whsec_0123456789",
    }
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | keys, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "The sandbox does not start" in done.stderr
    assert "sk_live" not in done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_and_listens_on_the_loopback_only(tmp_path: Path, how: signal.Signals) -> None:
    with running_sandbox(tmp_path, "http://127.0.0.1:1/") as sandbox:
        addresses = {
            a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        }
        for address in addresses - {"127.0.0.1", "127.0.1.1"}:
            with socket.socket() as s:
                assert s.connect_ex((str(address), sandbox.port)) != 0
        assert sandbox.stop(how) == 0
