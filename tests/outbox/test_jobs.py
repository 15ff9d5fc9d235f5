"""The life of a letter: queued, sending, sent, uncertain, failed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from regsys.jobs import services as jobs
from regsys.kernel import clock as kernel_clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.errors import IllegalMove
from regsys.kernel.settings import Settings
from regsys.outbox import drawer, queries, services
from regsys.outbox.states import MessageState
from tests.conftest import Database
from tests.outbox.post import at, draft, put, read, send
from tests.support.smtp import CUT, SmtpServer


@pytest.fixture
def settings(data: Any, database: Database, smtp: SmtpServer) -> Settings:
    return at(smtp, Settings.for_tests(data, DATABASE_URL=database.url))


def test_a_letter_is_sent_once_with_its_links_and_forgets_them(
    db: Any, smtp: SmtpServer, now: datetime
) -> None:
    letter = put(draft(), now=now)
    assert send(letter) is None
    assert send(letter) is None
    (came,) = smtp.spool
    assert "https://circle.example.org/r/7Hq2mXw9?a=1&b=2" in came.text()
    assert "r/7Hq2mXw9?a=1&amp;b=2" in came.html()
    found = read(letter)
    assert (found.state, found.links, found.error, found.attempts) == ("sent", None, None, 1)


def test_the_same_key_is_one_letter_and_one_job(db: Any, now: datetime) -> None:
    first, second = put(draft(), now=now), put(draft(subject="Another"), now=now)
    assert first == second
    with transaction():
        due = jobs.claim_due("w", now=now, real_now=kernel_clock.real_now())
    assert [(j.kind, j.payload) for j in due] == [("outbox.send", {"message": first})]


def test_a_letter_that_is_rolled_back_was_never_written(db: Any, now: datetime) -> None:
    def fail() -> None:
        with transaction():
            letter = services.enqueue(draft(), now=now)
            services.settle_as_sent(letter.id, actor=SYSTEM, now=now)

    with pytest.raises(IllegalMove):
        fail()
    assert sum(queries.count_by_state().values()) == 0


def test_4xx_is_tried_again_on_schedule_and_fails_after_the_tenth_time(
    db: Any, smtp: SmtpServer, clock: Any
) -> None:
    letter = put(draft(), now=clock.now)
    smtp.answer("rcpt", *["451 later"] * 10)
    for tries in range(1, 10):
        again_at = send(letter)
        assert again_at is not None
        assert (read(letter).state, read(letter).attempts) == ("queued", tries)
        clock.to(again_at)
    assert send(letter) is None
    assert (read(letter).state, read(letter).error) == ("failed", "451 later")
    assert smtp.spool == []


def test_5xx_fails_at_once_and_says_what_the_server_said(
    db: Any, smtp: SmtpServer, now: datetime
) -> None:
    letter = put(draft(), now=now)
    smtp.answer("rcpt", "550 5.1.1 no such person")
    assert send(letter) is None
    assert (read(letter).state, read(letter).error) == ("failed", "550 5.1.1 no such person")


def test_a_cut_after_the_body_is_uncertain_and_never_resent_by_itself(
    db: Any, smtp: SmtpServer, now: datetime
) -> None:
    letter = put(draft(), now=now)
    smtp.answer("accepted", CUT)
    assert send(letter) is None
    assert read(letter).state is MessageState.UNCERTAIN
    assert send(letter) is None
    assert len(smtp.spool) == 1


def test_a_letter_that_a_dead_worker_had_in_hand_is_uncertain(
    db: Any, smtp: SmtpServer, now: datetime
) -> None:
    letter = put(draft(), now=now)
    with transaction():
        assert services.claim(letter, now=now) is not None
    assert send(letter) is None
    assert read(letter).state is MessageState.UNCERTAIN
    assert smtp.spool == []


def test_a_slow_worker_knows_better_than_the_one_that_called_it_uncertain(
    db: Any, now: datetime
) -> None:
    letter = put(draft(), now=now)
    for _ in range(2):
        with transaction():
            services.claim(letter, now=now)
    with transaction():
        services.mark_sent(letter, now=now)
    assert read(letter).state is MessageState.SENT


def test_a_letter_that_is_gone_is_no_error(db: Any) -> None:
    assert send(4711) is None


def test_retry_sends_a_failed_letter_again_by_a_new_job(
    db: Any, smtp: SmtpServer, now: datetime
) -> None:
    letter = put(draft(), now=now)
    smtp.answer("rcpt", "550 no")
    send(letter)
    with transaction():
        services.retry(letter, actor=SYSTEM, now=now)
    with transaction():
        due = jobs.claim_due("w", now=now, real_now=kernel_clock.real_now())
    assert sorted(j.key for j in due) == [f"send:{letter}:0", f"send:{letter}:1"]
    send(letter)
    assert read(letter).state is MessageState.SENT
    assert [r.message_id for r in smtp.spool] == [read(letter).message_id]


def test_only_an_uncertain_letter_can_be_believed_to_have_arrived(db: Any, now: datetime) -> None:
    letter = put(draft(), now=now)
    with transaction(), pytest.raises(IllegalMove):
        services.settle_as_sent(letter, actor=SYSTEM, now=now)
    for _ in range(2):
        with transaction():
            services.claim(letter, now=now)
    with transaction():
        services.settle_as_sent(letter, actor=SYSTEM, now=now)
    assert (read(letter).state, read(letter).links) == ("sent", None)


def test_a_sent_letter_is_not_sent_again(db: Any, now: datetime) -> None:
    letter = put(draft(), now=now)
    send(letter)
    with transaction(), pytest.raises(IllegalMove):
        services.retry(letter, actor=SYSTEM, now=now + timedelta(days=1))


def test_in_sandbox_mode_a_sent_letter_is_also_in_the_drawer(
    db: Any, settings: Settings, now: datetime
) -> None:
    letter = put(draft(), now=now)
    send(letter)
    kept = drawer.find(settings.DATA_DIR / "outbox", letter)
    assert kept is not None
    assert (kept["to_email"], kept["at"]) == ("lysander@example.org", now)
    assert "r/7Hq2mXw9" in kept["text"]
