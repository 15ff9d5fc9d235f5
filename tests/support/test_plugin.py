"""Skips are loud, and failures where everything is required."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.needs import ROOT

LACKING = """
from tests.support import needs

def test_with_a_thing():
    needs.require(needs.Need("a lighthouse", lambda: None, "build one"))

def test_with_the_judge(monkeypatch):
    monkeypatch.setenv("REGSYS_STRIPE_JUDGE", "nowhere")
    needs.require(needs.STRIPE_JUDGE)
"""


def run(folder: Path, source: str, *options: str, **env: str) -> str:
    """Run pytest on one file, with our plugin and none of our settings."""
    path = folder / "test_planted.py"
    path.write_text(source)
    plugin = ["-p", "tests.support.plugin", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, *plugin, *options, str(path)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("REGSYS_", "PYTEST_"))}
    clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        command, cwd=ROOT, env={**clean, **env}, capture_output=True, text=True, check=False
    )
    return done.stdout


def test_a_skip_is_told_at_the_end_with_its_reason(tmp_path: Path) -> None:
    said = run(tmp_path, LACKING)
    assert "NOT TESTED" in said
    assert "1 test skipped: this machine lacks a lighthouse: build one" in said
    assert "1 test skipped: this machine lacks the Stripe judge" in said
    assert "2 skipped" in said


def test_a_skip_fails_where_everything_is_required_but_for_the_judge(tmp_path: Path) -> None:
    said = run(tmp_path, LACKING, REGSYS_REQUIRE_ALL="1")
    assert "a skip is a failure where REGSYS_REQUIRE_ALL=1" in said
    assert "1 failed, 1 skipped" in said


def test_a_file_that_skips_itself_fails_too_where_everything_is_required(tmp_path: Path) -> None:
    source = "import pytest\npytest.skip('no', allow_module_level=True)"
    assert "1 skipped" in run(tmp_path, source)
    said = run(tmp_path, source, REGSYS_REQUIRE_ALL="1")
    assert "a skip is a failure" in said
    assert "1 error" in said


def test_long_tests_wait_to_be_asked_for(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.long\ndef test_a(): pass\ndef test_b(): pass"
    assert "1 passed, 1 deselected" in run(tmp_path, source)
    assert "2 passed" in run(tmp_path, source, "--long")


def test_a_database_test_runs_once_for_each_chosen_database(tmp_path: Path) -> None:
    source = """
import pytest
@pytest.fixture
def database(request): return request.param
def test_a(database): pass
@pytest.mark.once
def test_b(database): pass
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_c(database): pass
"""
    assert "3 passed" in run(tmp_path, source)
    said = run(tmp_path, source, "--database", "both", "-vv")
    assert "4 passed" in said
    for name in ("test_a[sqlite]", "test_a[postgresql]", "test_b[sqlite]", "test_c[postgresql]"):
        assert name in said


def test_cases_in_turn_are_shared_out_between_the_databases(tmp_path: Path) -> None:
    source = """
import pytest
@pytest.fixture
def database(request): return request.param
@pytest.mark.in_turn
@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_one(database, case): pass
"""
    assert "3 passed" in run(tmp_path, source)
    assert "3 passed" in run(tmp_path, source, "--database", "postgresql")
    assert "6 passed" in run(tmp_path, source, "--database", "both", "--long")
    said = run(tmp_path, source, "--database", "both", "-vv")
    assert "3 passed, 3 deselected" in said
    for name in ("test_one[postgresql-a]", "test_one[sqlite-b]", "test_one[postgresql-c]"):
        assert name in said


def test_a_warning_of_a_budget_is_told_at_the_end(tmp_path: Path) -> None:
    source = "def test_a(record_property): record_property('warns', 'functions: p95 36 > 35')"
    said = run(tmp_path, source)
    assert "NEAR A BUDGET" in said
    assert "functions: p95 36 > 35" in said
