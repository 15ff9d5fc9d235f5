"""The only wall clock.

In sandbox mode an offset in seconds is read from the file `clock_offset` in the data folder, so that journeys of
days run through real servers in seconds. Leases and signatures use `real_now()`, which never shifts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

_offset_file: Path | None = None
_frozen: datetime | None = None


def configure(data_dir: Path | None) -> None:
    """Read the offset from `data_dir` (sandbox mode), or from nowhere (None)."""
    global _offset_file
    _offset_file = data_dir / "clock_offset" if data_dir else None


def _offset() -> timedelta:
    if _offset_file is None:
        return timedelta()
    try:
        return timedelta(seconds=float(_offset_file.read_text()))
    except (FileNotFoundError, ValueError):
        return timedelta()


def real_now() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Return the product's time in UTC."""
    return _frozen or real_now() + _offset()


@contextmanager
def freeze(at: datetime) -> Iterator[None]:
    """Hold `now()` at one moment; for tests of this process only."""
    global _frozen
    before, _frozen = _frozen, at
    try:
        yield
    finally:
        _frozen = before
