"""After every race all is counted again."""

from collections.abc import Iterator

import pytest
from flask import Flask

from regsys.kernel.db import db
from tests.support.books import verified


@pytest.fixture(autouse=True)
def proven(app: Flask) -> Iterator[None]:
    """Let `regsys verify` count places, money and mail from the rows when the crowd has gone."""
    yield
    with app.app_context():
        db.session.remove()
        assert verified() == []
