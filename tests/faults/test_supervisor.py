"""The supervisor over real processes: what dies comes back, and what is stopped is gone."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import RunningDemo
from tests.support import needs
from tests.support.ports import free_port
from tests.support.servers import (
    Server,
    clean_environment,
    run_command,
    running,
    status_of,
    wait_until,
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the demo once for the tests that leave it as they found it."""
    with running("run", tmp_path_factory.mktemp("demo")) as server:
        yield server


def until(server: Server, question: object, what: str, *, seconds: float = 20) -> None:
    assert callable(question)
    wait_until(question, seconds=seconds, what=what, of=server)


# ---- the demo starts


def test_the_demo_says_where_it_is_and_who_may_sign_in(demo: Server) -> None:
    until(demo, lambda: "Ctrl-C stops it" in demo.log(), "the welcome")
    assert f"The demo is ready:  {demo.url}\n" in demo.log()
    assert f"{demo.url}/outbox" in demo.log()
    assert demo.sandbox_url in demo.log()
    assert "philomena.birchgate@example.org" in demo.log()
    assert demo.log().count("The demo is loaded") == 1
    assert "Traceback" not in demo.log()


def test_the_site_the_sandbox_and_the_worker_are_up(demo: Server) -> None:
    assert status_of(f"{demo.url}/") == 200
    assert status_of(f"{demo.url}/healthz") == 200
    until(demo, lambda: status_of(demo.sandbox_url + "/") == 200, "the sandbox")
    until(demo, lambda: len(demo.find("gunicorn")) == 3, "a master and two web workers")
    until(demo, lambda: len(demo.find("worker")) == 1, "the worker")


def test_the_demos_secrets_are_its_owners_alone(demo: Server) -> None:
    file = demo.data / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(json.loads(file.read_text())["REGSYS_SECRET_KEY"]) >= 32


def test_other_commands_find_the_demo_by_its_folder(demo: Server) -> None:
    done = run_command("check", folder=demo.data.parent, check=False)
    assert "The database has schema" in done.stdout
    assert "Workers on this machine: 1." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_stand_in_knows_the_demos_money(demo: Server) -> None:
    until(demo, lambda: status_of(demo.sandbox_url + "/") == 200, "the sandbox")
    done = run_command("reconcile", folder=demo.data.parent)
    assert "; 0 on the account are not ours." in done.stdout
    assert "TO DO A refund for order" in done.stdout
    assert "Everything agrees to the cent." in done.stdout
    assert not (demo.data / "sandbox-past.json").exists()


def test_a_backup_is_whole_and_private(demo: Server) -> None:
    done = run_command("backup", folder=demo.data.parent)
    (copy,) = (demo.data / "backups").glob("*.sqlite")
    assert str(copy) in done.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.stat().st_size > 100_000


# ---- what dies comes back


@pytest.mark.parametrize("word", ["gunicorn", "regsys.sandbox", "worker"])
def test_a_child_that_is_killed_starts_again(demo: Server, word: str) -> None:
    until(demo, lambda: demo.find(word), word)
    before = demo.kill(word)
    until(demo, lambda: {p.pid for p in demo.find(word)} - set(before), f"a new {word}")
    demo.wait_ready()
    until(demo, lambda: status_of(demo.sandbox_url + "/") == 200, "the sandbox")


def test_visitors_wait_while_the_web_server_starts_again(demo: Server) -> None:
    demo.kill("gunicorn")
    with urllib.request.urlopen(f"{demo.url}/healthz", timeout=40) as answer:
        assert answer.status == 200


def test_a_web_worker_that_is_killed_is_replaced_by_its_master(demo: Server) -> None:
    demo.wait_ready()
    (master,) = [p for p in demo.find("gunicorn") if p.ppid() == demo.process.pid]  # type: ignore[union-attr]
    until(demo, lambda: len(demo.find("gunicorn")) == 3, "two web workers")
    victim = next(p for p in demo.find("gunicorn") if p != master)
    victim.kill()
    until(demo, lambda: len({*demo.find("gunicorn")} - {victim}) == 3, "a web worker")
    assert len(demo.find("worker")) == 1
    assert master.is_running()


# ---- what is stopped is gone


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_within_ten_seconds(
    tmp_path: Path, running_demo: RunningDemo, by: signal.Signals
) -> None:
    with running_demo(tmp_path) as server:
        began = time.monotonic()
        assert server.stop(by=by) == 0
        assert time.monotonic() - began < 10
        assert status_of(f"{server.url}/healthz") == 0
        assert "Traceback" not in server.log()
        server.start()
        assert "The demo is loaded" not in server.log()


def test_children_do_not_outlive_a_supervisor_that_is_killed(
    tmp_path: Path, running_demo: RunningDemo
) -> None:
    with running_demo(tmp_path) as server:
        assert server.process is not None
        until(server, lambda: len(server.processes()) == 5, "three web, a worker and the sandbox")
        below = server.processes()
        server.process.kill()
        server.process.wait()
        _, left = psutil.wait_procs(below, 10)
        assert left == []


# ---- what stands in the way is one sentence


def run_once(*arguments: str, folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "regsys", *arguments],
        cwd=needs.ROOT,
        env=clean_environment(folder / "home", **env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("offset", [0, 1])
def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path, offset: int) -> None:
    port = free_port(span=2)
    with socket.create_server(("127.0.0.1", port + offset)):
        done = run_once("run", "--port", str(port), "--data", str(tmp_path / "d"), folder=tmp_path)
    assert done.returncode == 2
    assert f"127.0.0.1:{port + offset} cannot be used" in done.stderr
    assert f"make run PORT={port + 10}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("command", "setting", "says"),
    [
        ("run", {"REGSYS_HOLD_MINUTES": "soon"}, "REGSYS_HOLD_MINUTES cannot be read"),
        ("run", {"REGSYS_TIME_ZONE": "Mars/Olympus"}, "REGSYS_TIME_ZONE is no IANA time zone"),
        ("serve", {}, "REGSYS_SECRET_KEY must have at least 32 random characters"),
        ("worker", {}, "REGSYS_SECRET_KEY must have at least 32 random characters"),
        ("check", {"REGSYS_CONFIG": "/nowhere.py"}, "there is no such file"),
    ],
)
def test_an_impossible_setting_is_one_sentence(
    tmp_path: Path, command: str, setting: dict[str, str], says: str
) -> None:
    arguments = [command]
    if command in ("run", "serve"):
        arguments += ["--port", str(free_port(span=2)), "--data", str(tmp_path / "data")]
    done = run_once(*arguments, folder=tmp_path, REGSYS_DATA_DIR=str(tmp_path / "data"), **setting)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_demo_does_not_move_into_a_folder_with_real_data(tmp_path: Path) -> None:
    (tmp_path / "regsys.sqlite").write_bytes(b"real people")
    port = str(free_port(span=2))
    done = run_once("run", "--port", port, "--data", str(tmp_path), folder=tmp_path / "x")
    assert done.returncode == 2
    assert "holds a database that is not the demo's" in done.stderr


def test_serve_does_not_take_a_demo_for_real(demo: Server) -> None:
    port = str(free_port())
    done = run_once("serve", "--port", port, "--data", str(demo.data), folder=demo.data.parent)
    assert done.returncode == 2
    assert "holds the demo" in done.stderr


def test_a_file_of_settings_names_the_data_folder(tmp_path: Path) -> None:
    key = run_once("new-key", folder=tmp_path).stdout.strip()
    folder = tmp_path / "chosen"
    config = tmp_path / "regsys.py"
    config.write_text(
        f"DATA_DIR = {str(folder)!r}\nSECRET_KEY = {'x' * 40!r}\nFIELD_KEYS = {key!r}\n"
        "MAIL_DEFAULT_SENDER = 'circle@example.org'\n"
    )
    done = run_once("upgrade", folder=tmp_path, REGSYS_CONFIG=str(config))
    assert done.returncode == 0, done.stderr
    assert "The database went from nothing to" in done.stdout
    assert (folder / "regsys.sqlite").exists()


def test_serve_sets_an_empty_database_up_and_answers(tmp_path: Path) -> None:
    settings = {
        "SECRET_KEY": "x" * 40,
        "FIELD_KEYS": run_once("new-key", folder=tmp_path).stdout.strip(),
        "MAIL_DEFAULT_SENDER": "circle@example.org",
        "BASE_URL": "https://circle.example.org",
    }
    with running("serve", tmp_path, **settings) as server:
        assert status_of(f"{server.url}/") == 200
        assert server.find("regsys.sandbox") == []
        assert os.listdir(server.data) != []
        assert status_of(f"{server.url}/outbox") == 404
