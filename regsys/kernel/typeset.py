"""Documents as PDF, set by typst in a process of its own: what a font or a long list takes of memory goes back with it.

Data reach a template as JSON and are never part of its markup. Templates name each other from `templates/` on.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regsys.kernel.paths import root

SECONDS = 30
SETTER = Path(__file__).with_name("typesetter.py")


def typeset(template: str, data: Mapping[str, Any]) -> bytes:
    """Return the PDF that a template below `templates/` makes of these data; raise RuntimeError where it cannot."""
    job = {
        "root": str(root() / "templates"),
        "template": template,
        "fonts": str(root() / "static" / "fonts" / "pdf"),
        "data": json.dumps(data, ensure_ascii=False),
    }
    done = subprocess.run(
        [sys.executable, "-I", str(SETTER)],
        input=json.dumps(job).encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        # What typst says quotes the template, never the data.
        raise RuntimeError(
            f"{template} was not set: {done.stderr.decode(errors='replace')[-2000:]}"
        )
    return done.stdout
