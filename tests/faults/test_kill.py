"""SIGKILL, as a power cut would: at each named point, and at random moments, while people register and pay.

After a last start every paid session must end confirmed, and every confirmed person must have exactly one confirmation
in the mail server's spool, unless the outbox lists that letter as uncertain. Stripe's stand-in and the mail server are
other machines: they live on. What became of it is counted in their books and by plain SQL.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from regsys.kernel import clock
from regsys.kernel.db import db as product_db
from regsys.kernel.settings import Settings
from tests.conftest import Database
from tests.sandbox.control import Sandbox, running_sandbox
from tests.support import rawsql
from tests.support.books import reconciled, verified
from tests.support.buyer import Outcome
from tests.support.crowd import Crowd, kinds
from tests.support.fair import Fair, environment_of, open_fair
from tests.support.ports import free_port
from tests.support.servers import Server, running, wait_until
from tests.support.smtp import SmtpServer

PRICE = 4500
POINTS = ("attempt-committed", "session-created", "event-committed", "smtp-accepted")
TARGETS = ("a web worker", "web", "worker", "web and worker", "everything")
PATIENCE = 90.0
# Half of them never come back from Stripe's page; of the money of some not even a notice tells, only the poller.
PAYS = ("pay", "close", "pay", "close, never")


@dataclass
class Site:
    """The product as in production, with its database, Stripe and mail server."""

    server: Server
    sandbox: Sandbox
    smtp: SmtpServer
    url: str
    fair: Fair

    def restart(self, kill_at: str = "") -> None:
        """Cut the power of everything that is ours, and start again; the next process at `kill_at` dies there."""
        self.server.kill_all()
        self.server.env["REGSYS_KILL_AT"] = kill_at
        self.server.start()

    def has_died_at(self, point: str) -> bool:
        """Tell whether a process has died at a named point."""
        return (self.server.data / f"killed-at-{point}").exists()

    def kill(self, target: str, chance: random.Random) -> None:
        """Kill one of TARGETS; all but "everything" is started again by the supervisor."""
        if target == "everything":
            self.restart()
        if target == "a web worker" and (workers := self.server.find("gunicorn")[1:]):
            chance.choice(workers).kill()
        if target.startswith("web"):
            self.server.kill("gunicorn")
        if target.endswith("worker") and target != "a web worker":
            self.server.kill("worker")

    def paid_sessions(self) -> list[str]:
        """Return the sessions for which Stripe has taken money."""
        books = f"sqlite:///{self.sandbox.data / 'sandbox.sqlite'}"
        found = rawsql.rows(
            books,
            "SELECT id FROM object WHERE kind = 'checkout.session'"
            " AND json_extract(doc, '$.payment_status') = 'paid'",
        )
        return [i for (i,) in found]


@pytest.fixture
def port() -> int:
    return free_port(span=2)


@pytest.fixture
def settings(data: Path, database: Database, smtp: SmtpServer, port: int) -> Settings:
    return Settings.for_tests(
        data,
        DATABASE_URL=database.url,
        BASE_URL=f"http://127.0.0.1:{port}",
        STRIPE_API_BASE=f"http://127.0.0.1:{port + 1}",
        LOG_LEVEL="WARNING",
        **smtp.settings(),
    )


@contextmanager
def _serving(
    app: Flask, settings: Settings, smtp: SmtpServer, tmp_path: Path, port: int, places: int
) -> Iterator[Site]:
    with app.app_context():
        fair = open_fair(places=places, price=PRICE, now=clock.now())
        product_db.session.remove()
        product_db.engine.dispose()
    known = {
        "api_key": settings.STRIPE_SECRET_KEY,
        "webhook_secret": settings.STRIPE_WEBHOOK_SECRET[0],
        "port": port + 1,
    }
    webhook = f"{settings.BASE_URL}/webhooks/stripe"
    with running_sandbox(settings.DATA_DIR, webhook, **known) as sandbox:
        with running("serve", tmp_path, port=port, **environment_of(settings)) as server:
            yield Site(server, sandbox, smtp, app.extensions["regsys.settings"].DATABASE_URL, fair)


@pytest.mark.parametrize(
    ("buyers", "kills"),
    [
        pytest.param(24, 3, id="some"),
        pytest.param(200, 20, id="many", marks=pytest.mark.long),
    ],
)
def test_every_payment_survives_kills_at_any_moment(
    app: Flask,
    settings: Settings,
    smtp: SmtpServer,
    tmp_path: Path,
    port: int,
    buyers: int,
    kills: int,
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    with _serving(app, settings, smtp, tmp_path, port, places=buyers * 4) as site:
        crowd = Crowd(
            site.server.url,
            [site.fair.slug],
            buyers=buyers,
            processes=4,
            at_once=3,
            patience=PATIENCE,
            pays=PAYS,
        )
        try:
            _kill_at_each_point(site)
            _kill_at_random(site, crowd, kills, random.Random(seed))
            outcomes = crowd.wait(PATIENCE + buyers)
        finally:
            crowd.disperse()
        _come_to_rest(site)
        _assert_all_confirmed(site, outcomes, buyers, seed)
        with app.app_context():
            assert (verified(), reconciled()) == ([], []), f"seed {seed}"


def _kill_at_each_point(site: Site) -> None:
    for point in POINTS:
        site.restart(kill_at=point)
        wait_until(lambda p=point: site.has_died_at(p), seconds=40, what=f"a death at {point}")  # type: ignore[misc]
    site.restart()


def _kill_at_random(site: Site, crowd: Crowd, kills: int, chance: random.Random) -> None:
    done: Counter[str] = Counter()
    while sum(done.values()) < kills and crowd.is_under_way:
        time.sleep(chance.uniform(0.05, 0.8))
        target = TARGETS[sum(done.values()) % len(TARGETS)]
        site.kill(target, chance)
        done[target] += 1
    print(f"killed {dict(done)}")


def _come_to_rest(site: Site) -> None:
    """Start once more, ten minutes later, and wait until nothing is left to do."""
    site.sandbox.shift(600)
    site.restart()
    wait_until(
        lambda: _left_to_do(site) == {}, seconds=90, what="the end of all work", of=site.server
    )


def _left_to_do(site: Site) -> dict[str, int]:
    queries = {
        "attempts": "SELECT count(*) FROM payment_attempt WHERE state IN ('created', 'processing')",
        "events": "SELECT count(*) FROM stripe_event WHERE processed_at IS NULL",
        "letters": "SELECT count(*) FROM message WHERE state IN ('queued', 'sending')",
    }
    found = {name: rawsql.number(site.url, query) for name, query in queries.items()}
    waiting = [s for s in site.paid_sessions() if s not in _paid_attempts(site)]
    return {name: n for name, n in {**found, "payments": len(waiting)}.items() if n}


def _paid_attempts(site: Site) -> set[str]:
    found = rawsql.rows(site.url, "SELECT session_id FROM payment_attempt WHERE state = 'paid'")
    return {s for (s,) in found}


def _assert_all_confirmed(site: Site, outcomes: list[Outcome], buyers: int, seed: int) -> None:
    lost = [o.said for o in outcomes if o.kind not in ("placed", "left")]
    problems = [p for o in outcomes for p in o.problems]
    assert (lost, problems) == ([], []), f"seed {seed}\n{site.server.log()[-4000:]}"
    assert kinds(outcomes) == {"placed": buyers / 2, "left": buyers / 2}
    _assert_money(site, buyers)
    _assert_places(site, buyers)
    _assert_letters(site, {o.email for o in outcomes})


def _assert_money(site: Site, buyers: int) -> None:
    sessions = site.paid_sessions()
    assert len(sessions) == buyers
    assert _paid_attempts(site) == set(sessions)
    paid = rawsql.rows(
        site.url, "SELECT order_id, amount, problem FROM payment WHERE method = 'card'"
    )
    assert sorted(amount for _, amount, _ in paid) == [PRICE] * buyers
    assert len({order for order, _, _ in paid}) == buyers
    assert {problem for _, _, problem in paid} == {None}


def _assert_places(site: Site, buyers: int) -> None:
    """Carts of which the browser never heard may stand beside them as drafts; nothing waits for money."""
    states = rawsql.states(site.url, site.fair.event_id)
    assert states["confirmed"] == buyers
    assert set(states) <= {"confirmed", "draft", "expired", "cancelled"}
    held = rawsql.number(
        site.url,
        "SELECT count(DISTINCT c.id) FROM claim c JOIN registration r ON r.id = c.registration_id"
        " WHERE r.state = 'confirmed' AND c.released_at IS NULL AND c.until IS NULL",
    )
    assert held == buyers
    places = rawsql.live_places(site.url, site.fair.event_id)
    assert len(places) == len(set(places))


def _assert_letters(site: Site, people: set[str]) -> None:
    stored = rawsql.rows(
        site.url, "SELECT to_email, state, subject FROM message WHERE key LIKE 'confirm:%'"
    )
    assert sorted(email for email, _, _ in stored) == sorted(people)
    assert {state for _, state, _ in stored} <= {"sent", "uncertain"}
    came = Counter((r.recipients[0], r.subject) for r in site.smtp.spool)
    for email, state, subject in stored:
        count = came[email, subject]
        assert count == 1 or (state == "uncertain" and count == 0), (email, state, count)
