"""The real tree, and a gardener for planted ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house.planting import plant
from tests.house.tree import Tree
from tests.support.needs import ROOT

_HOUSE = Tree(ROOT)


@pytest.fixture
def house() -> Tree:
    """Return the project's own source tree."""
    return _HOUSE


@pytest.fixture
def planted(tmp_path: Path) -> Callable[..., Tree]:
    """Return a function that plants a tree: `planted({"regsys/events/rules.py": "import random"})`."""
    return lambda files: plant(tmp_path, files)
