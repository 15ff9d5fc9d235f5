"""Static files before the app: compressed, cached, and never a door to anything else."""

import gzip
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask import Flask
from werkzeug.test import Client

from regsys.kernel.paths import root
from regsys.static_files import compressed_copy, serve_static

CSS = "/static/css/base.css"


class Visitor(Client):
    """A visitor who reads every answer to its end, and closes it."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return super().open(*args, buffered=True, **kwargs)


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    """Return a visitor of an app that knows no page."""
    return Visitor(serve_static(Flask("x", static_folder=None), tmp_path))


def content() -> bytes:
    return (root() / "static" / "css" / "base.css").read_bytes()


def test_an_address_with_a_version_may_be_kept_for_ever(visitor: Visitor) -> None:
    kept = visitor.get(f"{CSS}?v=0123456789").headers["Cache-Control"]
    assert "immutable" in kept
    assert int(kept.partition("max-age=")[2].split(",")[0]) >= 365 * 24 * 3600


def test_an_address_without_one_is_asked_for_again_soon(visitor: Visitor) -> None:
    assert visitor.get(CSS).headers["Cache-Control"] == "max-age=600, public"


def test_fonts_are_kept_under_their_plain_address(visitor: Visitor) -> None:
    font = "/static/fonts/source-serif-4-latin-wght-normal.woff2"
    answer = visitor.get(font)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"] == "font/woff2"


@pytest.mark.parametrize(
    ("accepted", "open_"), [("br, gzip", brotli.decompress), ("gzip", gzip.decompress)]
)
def test_texts_come_compressed(visitor: Visitor, accepted: str, open_: Any) -> None:
    answer = visitor.get(CSS, headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == accepted.split(",")[0]
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert open_(answer.data) == content()
    assert len(answer.data) < len(content()) / 2


def test_whoever_has_it_already_is_told_so(visitor: Visitor) -> None:
    tag = visitor.get(CSS).headers["ETag"]
    again = visitor.get(CSS, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static//etc/passwd",
        "/static/css/",
        "/static/",
    ],
)
def test_nothing_but_the_files_is_given_out(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_the_copy_is_made_once_for_each_content(tmp_path: Path) -> None:
    static = tmp_path / "static"
    static.mkdir()
    (static / "a.css").write_text("a { color: red }\n" * 40)
    first = compressed_copy(static, tmp_path / "cache")
    made = (first / "a.css.br").stat().st_mtime_ns
    assert compressed_copy(static, tmp_path / "cache") == first
    assert (first / "a.css.br").stat().st_mtime_ns == made
    (static / "a.css").write_text("a { color: blue }\n" * 40)
    second = compressed_copy(static, tmp_path / "cache")
    assert second != first
    assert brotli.decompress((second / "a.css.br").read_bytes()) == (static / "a.css").read_bytes()
