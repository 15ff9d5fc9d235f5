"""A Flask page of given bytes and nothing else, for gunicorn with the product's own numbers of workers and threads."""

import os
from pathlib import Path

from flask import Flask


def make() -> Flask:
    """Make an app that answers `/` with the bytes of the file named by BENCH_PAGE."""
    page = Path(os.environ["BENCH_PAGE"]).read_text()
    app = Flask("bare")

    @app.get("/")
    def show() -> str:
        return page

    return app
