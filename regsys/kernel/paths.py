"""Where templates, static files and migrations are, in a checkout and in a wheel."""

from functools import cache
from pathlib import Path


@cache
def root() -> Path:
    """Return the folder that holds `templates`, `static` and `migrations`."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package, package.parent):
        if (folder / "templates").is_dir() and (folder / "migrations").is_dir():
            return folder
    raise RuntimeError("templates/ and migrations/ are missing: the installation is incomplete")
