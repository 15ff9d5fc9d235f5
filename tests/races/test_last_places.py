"""Three hundred people want the last places at the same moment, over HTTP, from eight processes.

What became of it is counted by plain SQL. Nobody may see an error: a crowd is answered by a place, by a page that says
that there is none, or (rarely) by a 503 that asks them to send again in a moment.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from regsys.kernel import clock
from regsys.kernel.db import db as product_db
from regsys.kernel.settings import Settings
from tests.conftest import Database
from tests.sandbox.control import running_sandbox
from tests.support import rawsql
from tests.support.books import reconciled, verified
from tests.support.buyer import Outcome
from tests.support.crowd import Crowd, kinds, tally
from tests.support.fair import Fair, environment_of, open_fair
from tests.support.ports import free_port
from tests.support.servers import Server, running

PLACES = 32
PROCESSES = 8


@pytest.fixture
def port() -> int:
    return free_port(span=2)


@pytest.fixture
def settings(data: Path, database: Database, port: int) -> Settings:
    return Settings.for_tests(
        data,
        DATABASE_URL=database.url,
        BASE_URL=f"http://127.0.0.1:{port}",
        STRIPE_API_BASE=f"http://127.0.0.1:{port + 1}",
        LOG_LEVEL="WARNING",
    )


@contextmanager
def _serving(settings: Settings, port: int, tmp_path: Path) -> Iterator[Server]:
    """Run the product as in production, and Stripe's stand-in beside it."""
    known = {
        "api_key": settings.STRIPE_SECRET_KEY,
        "webhook_secret": settings.STRIPE_WEBHOOK_SECRET[0],
    }
    webhook = f"{settings.BASE_URL}/webhooks/stripe"
    with running_sandbox(settings.DATA_DIR, webhook, port=port + 1, **known):
        with running("serve", tmp_path, port=port, **environment_of(settings)) as server:
            yield server


def _open(app: Flask, *, price: int = 0) -> Fair:
    with app.app_context():
        fair = open_fair(places=PLACES, price=price, now=clock.now())
        product_db.session.remove()
        product_db.engine.dispose()
    return fair


def _assert_polite(outcomes: Sequence[Outcome], server: Server, buyers: int) -> None:
    """Nobody saw an error, nobody was left without an answer, and few were asked to send again."""
    lost = [o.said for o in outcomes if o.kind not in ("placed", "refused")]
    problems = [p for o in outcomes for p in o.problems]
    assert (lost[:5], problems[:5]) == ([], []), server.log()[-3000:]
    assert len(outcomes) == buyers
    seen = tally(outcomes)
    assert seen["cut"] == 0
    assert seen["503"] <= seen["requests"] / 100, seen


@pytest.mark.parametrize(
    ("buyers", "price"),
    [
        pytest.param(300, 0, id="free"),
        pytest.param(64, 4500, id="paid"),
        pytest.param(300, 4500, id="paid-by-all", marks=pytest.mark.long),
    ],
)
def test_the_last_places_are_sold_exactly_once(
    app: Flask,
    settings: Settings,
    database: Database,
    port: int,
    tmp_path: Path,
    buyers: int,
    price: int,
) -> None:
    fair = _open(app, price=price)
    with _serving(settings, port, tmp_path) as server:
        crowd = Crowd(server.url, [fair.slug], buyers=buyers, processes=PROCESSES)
        outcomes = crowd.wait(120)
        _assert_polite(outcomes, server, buyers)
        with app.app_context():
            assert verified() == []
            assert reconciled() == []
    assert kinds(outcomes) == {"placed": PLACES, "refused": buyers - PLACES}
    _assert_sold_once(database.url, fair, price)


def _assert_sold_once(url: str, fair: Fair, price: int) -> None:
    assert rawsql.live_places(url, fair.event_id) == list(range(1, PLACES + 1))
    assert rawsql.states(url, fair.event_id) == {"confirmed": PLACES}
    letters = rawsql.number(url, "SELECT count(*) FROM message WHERE key LIKE 'confirm:%'")
    paid = rawsql.rows(url, "SELECT count(*), coalesce(sum(amount), 0) FROM payment")
    assert letters == PLACES
    assert [tuple(map(int, row)) for row in paid] == [(PLACES, PLACES * price) if price else (0, 0)]
