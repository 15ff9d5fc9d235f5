"""What takes long to make, and is made once for all workers of a run."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.servers import clean_environment

PREPARE = """
import sys
from pathlib import Path
from regsys import launch
launch.prepare_demo(launch.demo_environment(Path(sys.argv[1]), 5000))
"""


def common_folder_of(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Let the first worker who asks make what belongs into a folder, while the others wait for it."""
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            make(half)
            half.rename(folder)
    return folder


def lay_demo(common: Path, data: Path) -> None:
    """Put into a data folder what `regsys run` makes at its first start: that takes twice as long as the start.

    Where the clock of the folder is shifted, the demo is loaded with that shift, to the hour.
    """
    offset = data / "clock_offset"
    shift = offset.read_text() if offset.exists() else "0"

    def make(half: Path) -> None:
        if offset.exists():
            shutil.copy(offset, half)
        command = [sys.executable, "-c", PREPARE, str(half)]
        home = clean_environment(common / "home")
        subprocess.run(command, cwd=needs.ROOT, env=home, check=True, stdout=subprocess.DEVNULL)
        (half / "clock_offset").unlink(missing_ok=True)

    made = made_once(common / f"demo-{round(float(shift) / 3600)}", make)
    shutil.copytree(made, data, dirs_exist_ok=True)
