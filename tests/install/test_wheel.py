"""What `pip install` gives works from any folder: templates, static files and migrations are inside."""

import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from regsys.kernel import crypt
from tests.support.needs import ROOT
from tests.support.ports import free_port
from tests.support.servers import Server, clean_environment


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run to the end and return what was printed; fail with it."""
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_what_the_app_reads_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "static", "migrations"):
        here = {p.relative_to(ROOT).as_posix() for p in (ROOT / folder).rglob("*") if p.is_file()}
        wanted = {f"regsys/{name}" for name in here if "__pycache__" not in name}
        assert wanted - names == set()
    assert "regsys/config.example.py" in names
    assert {n.split("/")[0].split("-")[0] for n in names} == {"regsys"}


def install(wheel: Path, folder: Path) -> Path:
    """Install the lock and the wheel into a fresh environment, and return its bin folder."""
    env = folder / "venv"
    python = env / "bin" / "python"
    lock = ROOT / "requirements" / "run.lock"
    if has_uv():
        run(sys.executable, "-m", "venv", "--without-pip", env, cwd=folder)
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "install",
            "-q",
            "--python",
            python,
        ]
    else:
        run(sys.executable, "-m", "venv", env, cwd=folder)
        pip = [python, "-m", "pip", "install", "-q"]
    run(*pip, "--require-hashes", "-r", lock, cwd=folder)
    run(*pip, "--no-deps", wheel, cwd=folder)
    return env / "bin"


def has_uv() -> bool:
    done = subprocess.run([sys.executable, "-m", "uv", "--version"], capture_output=True)
    return done.returncode == 0


def test_an_installed_regsys_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    program = install(wheel, tmp_path) / "regsys"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = clean_environment(
        tmp_path / "home",
        REGSYS_SECRET_KEY="x" * 40,
        REGSYS_FIELD_KEYS=crypt.new_key(),
        REGSYS_MAIL_DEFAULT_SENDER="circle@example.org",
        REGSYS_DATA_DIR=str(tmp_path / "data"),
        REGSYS_WEB_WORKERS="1",
    )
    assert "upgrade" in run(program, "--help", cwd=elsewhere, env=env)
    run(program, "upgrade", cwd=elsewhere, env=env)
    assert (tmp_path / "data" / "regsys.sqlite").exists()
    server = Server(
        "serve", tmp_path / "data", free_port(span=2), env, program=[str(program)], cwd=elsewhere
    )
    try:
        server.start()
        page = fetch(f"{server.url}/")
        assert "<main" in page
        assert fetch(server.url + first_style(page)) != ""
        server.stop()
    finally:
        server.kill_all()
    shutil.rmtree(tmp_path / "venv")


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def first_style(page: str) -> str:
    """Return the address of the first style sheet of a page."""
    return page.split('rel="stylesheet" href="')[1].split('"')[0]
