"""Sandbox mode: letters as files in the data folder, which `/outbox` shows."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from regsys.outbox.compose import Letter


def keep(folder: Path, letter: Letter, *, sender: str, now: datetime) -> None:
    """Write a letter down as it was sent."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {**asdict(letter), "sender": sender, "at": now.isoformat()}
    file = folder / f"{letter.id:08d}.json"
    # A reader never sees half a file.
    half = file.with_suffix(".part")
    half.write_text(json.dumps(content, ensure_ascii=False, indent=1))
    os.replace(half, file)


def find(folder: Path, letter_id: int) -> dict[str, Any] | None:
    """Find a letter by its number."""
    file = folder / f"{letter_id:08d}.json"
    return _read(file) if file.is_file() else None


def list_kept(folder: Path, *, words: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """List letters, the newest first, whose address or subject holds the words."""
    found = []
    for letter in _newest_first(folder):
        if words.casefold() in f"{letter['to_email']} {letter['subject']}".casefold():
            found.append(letter)
        if len(found) == limit:
            break
    return found


def _newest_first(folder: Path) -> Iterator[dict[str, Any]]:
    files = sorted(folder.glob("*.json"), reverse=True) if folder.is_dir() else []
    return (_read(file) for file in files)


def _read(file: Path) -> dict[str, Any]:
    letter: dict[str, Any] = json.loads(file.read_text())
    return {**letter, "at": datetime.fromisoformat(letter["at"])}
