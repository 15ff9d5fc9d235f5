"""Every setting is documented, and what is documented can be loaded."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from regsys.kernel import crypt
from regsys.kernel.settings import Settings
from tests.house.laws.settings import ENTRY, list_undocumented, render
from tests.house.tree import Tree


def test_config_example_shows_every_setting_once(house: Tree) -> None:
    text = (house.root / "config.example.py").read_text()
    assert list_undocumented(text, Settings) == []


def test_the_example_loads_when_all_of_it_is_uncommented(house: Tree, tmp_path: Path) -> None:
    text = (house.root / "config.example.py").read_text()
    copy = tmp_path / "config.py"
    copy.write_text(re.sub(r"^# (?=[A-Z][A-Z0-9_]* = )", "", text, flags=re.MULTILINE))
    required = {
        "REGSYS_CONFIG": str(copy),
        "REGSYS_SECRET_KEY": "x" * 32,
        "REGSYS_FIELD_KEYS": crypt.new_key(),
        "REGSYS_MAIL_DEFAULT_SENDER": "circle@example.org",
    }
    bare = {k: v for k, v in required.items() if k != "REGSYS_CONFIG"}
    assert Settings.load(required) == Settings.load(bare)


@dataclass(frozen=True)
class Planted:
    """Settings of a small house."""

    HOLD_MINUTES: int = field(default=30, metadata={"help": "Minutes of a hold."})
    LOGO: str | None = field(default=None, metadata={"help": "A file."})


GOOD = """
# Minutes of a hold.
# HOLD_MINUTES = 30  # whole number

# A file.
# LOGO = None  # text or None
"""


def test_a_complete_example_passes() -> None:
    assert list_undocumented(GOOD, Planted) == []
    assert list_undocumented(render(Planted), Planted) == []
    assert len([line for line in GOOD.splitlines() if ENTRY.match(line)]) == 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# LOGO = None  # text or None", "", "lacks LOGO"),
        ("# LOGO", "# LOGOS", "there is no such setting"),
        ("HOLD_MINUTES = 30", "HOLD_MINUTES = 20", "says"),
        ("whole number", "text", "says"),
        ("Minutes of a hold", "Hours of a hold", "says"),
        ("# A file.", "# HOLD_MINUTES = 30  # whole number", "HOLD_MINUTES twice"),
    ],
)
def test_a_planted_difference_is_caught(old: str, new: str, says: str) -> None:
    found = list_undocumented(GOOD.replace(old, new), Planted)
    assert any(says in line for line in found)
