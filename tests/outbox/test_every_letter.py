"""What holds for every letter, whoever writes it."""

import re

import pytest

from tests.support.letters import list_letters, list_unseen
from tests.world import World

WIDE = 72


@pytest.mark.once
def test_every_letter_is_600_wide_dark_at_night_whole_without_pictures_and_says_the_same_in_text(
    world: World,
) -> None:
    letters = list_letters(world)
    wrong = [f"{name}: {what}" for name, html, text in letters for what in problems(html, text)]
    assert wrong == []
    assert list_unseen() == [], "add one of each to LETTERS in tests/support/letters.py"


def problems(html: str, text: str) -> list[str]:
    """List what is wrong with a letter."""
    buttons = re.findall(r'class="btn-link" href="([^"]+)"', html)
    long = [line for line in text.splitlines() if len(line) > WIDE and not line.startswith(" ")]
    found = {
        "not 600 px wide": 'width="600"' in html,
        "no dark colours": "@media (prefers-color-scheme: dark)" in html,
        "something is fetched": not re.search(r"<(img|link|script|iframe)\b|url\(", html),
        "more than one button": len(buttons) <= 1,
        "the button's address is not in the text": all(
            b.replace("&amp;", "&") in text for b in buttons
        ),
        f"long lines: {long}": not long,
        "a placeholder was not filled": "[[link" not in html + text,
        "a name of the program": not re.search(
            r"(&lt;|<)(Macro|Undefined|bound|function)|\bNone\b", html + text
        ),
        "no reason why": "You get this" in html and "You get this" in text,
    }
    return [what for what, right in found.items() if not right]
