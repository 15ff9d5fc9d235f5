"""Stripe's stand-in in its own process, and a shop in front of it; every exchange is judged, where the judge is."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from regsys.kernel import clock as kernel_clock
from regsys.kernel.settings import Settings
from tests.conftest import TODAY, Clock, Database
from tests.payments.shop import Shop
from tests.sandbox.control import Sandbox, running_sandbox
from tests.stripe_judge import Recorder, find_judge
from tests.support import needs

# Nothing is delivered by itself: the tests carry the events.
NOWHERE = "http://127.0.0.1:9/webhooks/stripe"


def run_stripe(factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Run a stand-in to which no events are carried by itself."""
    with running_sandbox(factory.mktemp("stripe"), NOWHERE) as sandbox:
        sandbox.control.hold()
        yield sandbox


@pytest.fixture(scope="module")
def shared_stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Run one stand-in for each file; its tests find their own sessions in it, and the poller what others left."""
    yield from run_stripe(tmp_path_factory)


@pytest.fixture
def stripe(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Give the file's stand-in, or one of the test's own where it moves the clock far or reads all books."""
    if request.node.get_closest_marker("own_stripe"):
        yield from run_stripe(request.getfixturevalue("tmp_path_factory"))
    else:
        yield request.getfixturevalue("shared_stripe")


class SharedClock(Clock):
    """The frozen clock, followed by the stand-in."""

    follow: Callable[[datetime], None]

    def to(self, at: datetime) -> datetime:
        self.follow(at)
        return super().to(at)


@pytest.fixture
def clock(stripe: Sandbox) -> Iterator[Clock]:
    """Freeze the clock here, and set the stand-in's to the same time."""

    def follow(at: datetime) -> None:
        offset = (at - kernel_clock.real_now()).total_seconds()
        (stripe.data / "clock_offset").write_text(str(offset))

    SharedClock.follow = staticmethod(follow)
    clock = SharedClock(TODAY)
    follow(TODAY)
    yield clock
    clock.thaw()


@pytest.fixture
def settings(data: Any, database: Database, stripe: Sandbox) -> Settings:
    return Settings.for_tests(
        data,
        DATABASE_URL=database.url,
        STRIPE_SECRET_KEY=stripe.api_key,
        STRIPE_WEBHOOK_SECRET=(stripe.webhook_secret,),
        STRIPE_API_BASE=stripe.url,
    )


@pytest.fixture
def recorder(app: Flask) -> Iterator[Recorder]:
    """Write down what the product and Stripe say to each other, and let the judge read it."""
    recorder = Recorder()
    app.extensions["regsys.stripe_http"] = recorder
    yield recorder
    judge = find_judge() if needs.find_stripe_judge() else None
    if judge:
        assert judge.list_problems(recorder.exchanges) == []


@pytest.fixture
def shop(app: Flask, db: Any, stripe: Sandbox, clock: Clock, recorder: Recorder) -> Iterator[Shop]:
    """Return a shop with orders to pay, Stripe behind it, and somebody to carry the events."""
    yield Shop(app, stripe, clock)
    stripe.control.clear_faults()
