"""Serves `static/` before the app is asked: compressed, and for ever where the address names the content."""

import gzip
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import brotli
from flask import Flask
from whitenoise import WhiteNoise

from regsys.kernel.paths import root

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

COMPRESSED = {".css", ".js", ".svg", ".json", ".txt"}
A_YEAR = 365 * 24 * 3600
TEN_MINUTES = 600
KEEP_SECONDS = 30 * 24 * 3600


def serve_static(app: Flask, data_dir: Path) -> Wsgi:
    """Return the app with its static files in front."""
    folder = compressed_copy(root() / "static", data_dir / "static")
    inner: Wsgi = app.wsgi_app
    # Fonts are named by the style sheets, without a version, and never change under their name.
    passing = _whitenoise(inner, folder, TEN_MINUTES, lambda path, url: "/fonts/" in url)
    lasting = _whitenoise(inner, folder, A_YEAR, lambda path, url: True)

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        versioned = environ.get("QUERY_STRING", "").startswith("v=")
        chosen = lasting if versioned else passing
        answer: Iterable[bytes] = chosen(environ, start_response)
        return answer

    return serve


def _whitenoise(
    inner: Wsgi, folder: Path, max_age: int, immutable: Callable[[str, str], bool]
) -> WhiteNoise:
    return WhiteNoise(
        inner,
        root=str(folder),
        prefix="/static/",
        max_age=max_age,
        immutable_file_test=immutable,
        add_headers_function=_safe_headers,
        allow_all_origins=False,
    )


def _safe_headers(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


def compressed_copy(static: Path, cache: Path) -> Path:
    """Return a copy of the folder with `.br` and `.gz` beside each text; made once for each content."""
    folder = cache / _digest(static)
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=cache))
        half.chmod(0o755)
        shutil.copytree(static, half, dirs_exist_ok=True)
        for file in _files(half):
            if file.suffix in COMPRESSED:
                _compress(file)
        _put_in_place(half, folder)
    _forget_old(cache, but=folder)
    return folder


def _forget_old(cache: Path, *, but: Path) -> None:
    """Delete copies of a month ago; a younger one may still be served by the process that we replace."""
    for old in cache.iterdir():
        if old != but and time.time() - old.stat().st_mtime > KEEP_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _put_in_place(half: Path, folder: Path) -> None:
    try:
        os.rename(half, folder)
    except OSError:  # another process was faster
        shutil.rmtree(half, ignore_errors=True)


def _compress(file: Path) -> None:
    content = file.read_bytes()
    for suffix, packed in (
        (".br", brotli.compress(content, quality=11)),
        (".gz", gzip.compress(content, 9, mtime=0)),
    ):
        if len(packed) < len(content):
            file.with_name(file.name + suffix).write_bytes(packed)


def _digest(folder: Path) -> str:
    made = hashlib.sha256()
    for file in _files(folder):
        made.update(str(file.relative_to(folder)).encode())
        made.update(file.read_bytes())
    return made.hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())
