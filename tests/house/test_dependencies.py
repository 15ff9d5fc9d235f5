"""What is imported is what is asked for."""

import tomllib
from collections.abc import Callable

from tests.house.laws.dependencies import list_undeclared, list_unused
from tests.house.tree import Tree


def declared(house: Tree) -> list[str]:
    project = tomllib.loads((house.root / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"])


def test_every_import_is_asked_for(house: Tree) -> None:
    assert list_undeclared(house, declared(house)) == []


def test_everything_asked_for_is_imported(house: Tree) -> None:
    assert list_unused(house, declared(house)) == []


def test_the_lock_holds_what_is_asked_for(house: Tree) -> None:
    lock = (house.root / "requirements" / "run.lock").read_text()
    names = [d.split("[")[0].split("~")[0].split(">")[0] for d in declared(house)]
    assert [n for n in names if f"\n{n}==" not in f"\n{lock}"] == []


def test_a_planted_import_of_a_test_library_is_caught(planted: Callable[..., Tree]) -> None:
    tree = planted({"regsys/events/rules.py": "import os\nimport jinja2\nimport hypothesis"})
    assert list_undeclared(tree, ["flask~=3.1"]) == [
        "regsys/events/rules.py:3 imports hypothesis, which pyproject.toml does not ask for"
    ]


def test_a_planted_leftover_is_caught(planted: Callable[..., Tree]) -> None:
    tree = planted({"regsys/events/rules.py": "import flask"})
    assert list_unused(tree, ["flask~=3.1", "stripe>=16", "tzdata"]) == [
        "pyproject.toml asks for stripe>=16, and nothing imports it"
    ]
