"""The documents say what is true."""

import subprocess
from pathlib import Path

import pytest
from flask import Flask

from tests.house.laws import docs
from tests.house.tree import Tree


@pytest.mark.once
def test_states_md_is_what_the_tables_say(app: Flask, house: Tree) -> None:
    assert (house.root / "docs" / "states.md").read_text() == docs.states_page()


@pytest.mark.once
def test_every_state_can_be_reached(app: Flask) -> None:
    assert docs.list_unreachable_states() == []


def test_links_in_the_documents_lead_somewhere(house: Tree) -> None:
    assert docs.list_broken_links(house.root) == []


def test_readme_shows_the_two_commands(house: Tree) -> None:
    readme, makefile = (house.root / n for n in ("README.md", "Makefile"))
    assert docs.list_missing_commands(readme.read_text(), makefile.read_text()) == []


def test_no_file_names_a_folder_of_this_machine(house: Tree) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=house.root, capture_output=True, text=True, check=True
    )
    files = [name for name in listed.stdout.splitlines() if (house.root / name).is_file()]
    assert docs.list_machine_paths(house.root, files) == []


def test_each_of_the_forty_failures_has_a_test_that_names_it(house: Tree) -> None:
    table = (house.root / "docs" / "payments.md").read_text()
    files = (house.root / "tests" / "payments").glob("test_*.py")
    assert docs.list_unshown_failures(table, {f.stem: f.read_text() for f in files}) == []


def test_a_planted_failure_without_a_test_is_caught() -> None:
    table = "| 1, 3–40 | all but one | test_a |\n| 2 | this one | test_b |\n"
    tests = {"test_a": "".join(f"def test_rule_{n:02}_x" for n in range(1, 41)), "test_b": ""}
    assert docs.list_unshown_failures(table, tests) == ["rule 2"]


def test_a_planted_broken_link_is_caught(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("[here](docs/a.md#part) [there](https://example.org)")
    assert docs.list_broken_links(tmp_path) == ["README.md: docs/a.md is not there"]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("![picture](a.png)")
    assert docs.list_broken_links(tmp_path) == ["docs/a.md: a.png is not there"]


def test_a_planted_lost_command_is_caught() -> None:
    makefile = "run: x\n\ntest: y\n"
    assert docs.list_missing_commands("    make run\n    make test\n", makefile) == []
    assert docs.list_missing_commands("    make run\n`make tests`\n", makefile) == [
        "README.md does not show `make test` on a line of its own",
        "the Makefile has no target tests",
    ]


def test_a_planted_machine_path_is_caught(tmp_path: Path) -> None:
    planted = "/".join(["", "home", "ada", "regsys"])
    (tmp_path / "a.md").write_text(f"see {planted} and https://example.org/home/page")
    assert docs.list_machine_paths(tmp_path, ["a.md"]) == [
        f"a.md: {planted.removesuffix('/regsys')}"
    ]
