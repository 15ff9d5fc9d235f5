"""The schedule of retries."""

from datetime import UTC, datetime, timedelta

from regsys.outbox.rules import next_try

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


def test_a_letter_is_tried_ten_times_over_ten_hours_and_then_no_more() -> None:
    waits = [next_try(n, now=NOW) for n in range(1, 12)]
    minutes = [None if w is None else (w - NOW) / timedelta(minutes=1) for w in waits]
    assert minutes == [0.5, 1, 2, 5, 10, 30, 60, 120, 360, None, None]
