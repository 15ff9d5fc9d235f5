"""A named point kills once, and only in sandbox mode."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from regsys.kernel import killpoints
killpoints.configure(Path(sys.argv[1]) if sys.argv[1] else None)
killpoints.reach("session-created")
killpoints.reach("attempt-committed")
"""


def run(data: str, point: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, data],
        env={"REGSYS_KILL_AT": point, "PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    return done.returncode


def test_the_named_point_kills_once(tmp_path: Path) -> None:
    assert run(str(tmp_path), "attempt-committed") == -signal.SIGKILL
    assert [p.name for p in tmp_path.iterdir()] == ["killed-at-attempt-committed"]
    assert run(str(tmp_path), "attempt-committed") == 0


@pytest.mark.parametrize("point", ["", "event-committed"])
def test_other_points_are_passed(tmp_path: Path, point: str) -> None:
    assert run(str(tmp_path), point) == 0
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_killed_outside_of_sandbox_mode() -> None:
    assert run("", "attempt-committed") == 0
