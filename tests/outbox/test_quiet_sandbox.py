"""Sandbox mode without a mail server: letters stay on the machine."""

from datetime import datetime
from typing import Any

import pytest

from regsys.kernel.settings import Settings
from regsys.outbox import drawer
from regsys.outbox.states import MessageState
from tests.outbox.post import draft, put, read, send


def test_no_server_is_asked_and_the_letter_counts_as_sent(
    db: Any, settings: Settings, now: datetime
) -> None:
    letter = put(draft(), now=now)
    assert send(letter) is None
    assert read(letter).state is MessageState.SENT
    assert drawer.find(settings.DATA_DIR / "outbox", letter) is not None


@pytest.mark.once
def test_the_drawer_lists_the_newest_first_and_finds_words(
    db: Any, settings: Settings, now: datetime
) -> None:
    for n, name in enumerate(("alder", "birch", "cedar")):
        send(put(draft(f"k{n}", to_email=f"{name}@example.org", subject=f"To {name}"), now=now))
    folder = settings.DATA_DIR / "outbox"
    assert [one["subject"] for one in drawer.list_kept(folder)] == [
        "To cedar",
        "To birch",
        "To alder",
    ]
    assert [one["subject"] for one in drawer.list_kept(folder, words="BIRCH@")] == ["To birch"]
    assert drawer.find(folder, 99) is None
