"""Files of tests in memory, where there is plenty: each commit otherwise waits for a disk that nobody asks about."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 3_000_000_000  # bytes; a whole run needs less than a third of it


def use_memory_for_files() -> None:
    """Let temporary folders lie in memory; whoever names a folder by TMPDIR is obeyed."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ENOUGH:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
