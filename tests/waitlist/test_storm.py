"""Whatever happens around a waiting list in whatever order: the published rule holds, and nobody who waits is charged.

Hypothesis draws the stories: people apply, wait, are passed over and moved, answer or do not; places come free, the
pool grows and shrinks, the public buys. After each step every round of offers is replayed from the audit, by the
product's own function and by the rule as it is published, written down here once more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import bindparam, select, text

from regsys.applications import services as applications
from regsys.applications.models import Application
from regsys.applications.rules import Decision
from regsys.applications.states import WAITING
from regsys.audit.models import AuditEntry
from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.capacity.queries import find_pool
from regsys.events.kinds import Enrollment
from regsys.kernel.actors import ANONYMOUS, attendee
from regsys.kernel.db import UtcDateTime, db, transaction
from regsys.kernel.errors import IllegalMove, Refusal, Refused
from regsys.registration import jobs as registration_jobs
from regsys.registration import services as registering
from regsys.registration.models import Registration
from regsys.registration.states import RegistrationState
from regsys.verify_sql import PLACES
from regsys.waitlist import jobs, queries, rules, services
from regsys.waitlist.models import Entry, Offer
from regsys.waitlist.states import LIVE
from regsys.waitlist.states import EntryState as S
from tests import cast
from tests.applications.desk import ABOUT, REVIEWER
from tests.conftest import Clock
from tests.waitlist.line import ORGANIZER
from tests.waitlist.test_services import _replayed

pytestmark = pytest.mark.once
N = st.integers(0, 7)
PRICE = 90000
CHARGED = text(
    "SELECT count(*) FROM orders o JOIN registration r ON r.order_id = o.id"
    " JOIN waitlist_entry w ON w.event_id = r.event_id AND w.email_key = r.email_key"
    " WHERE w.state IN ('waiting', 'offered') AND r.event_id = :event"
    " AND (r.state IN ('draft', 'awaiting_payment', 'confirmed')"
    "      OR EXISTS (SELECT 1 FROM payment p WHERE p.order_id = o.id))"
)
SOLD = text(
    "SELECT count(*) FROM claim c JOIN pool p ON p.id = c.pool_id"
    " WHERE p.event_id = :event AND c.released_at IS NULL"
)


class Line(RuleBasedStateMachine):
    """One event with its list; the order in which people are to be asked is kept beside it, by hand."""

    clock: Clock
    steps: Counter[str]
    stories = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).stories += 1
        self.people = 0
        self.order: list[int] = []
        self.heard = db.session.scalar(select(AuditEntry.id).order_by(AuditEntry.id.desc())) or 0

    @initialize(
        by_application=st.booleans(),
        places=st.integers(2, 3),
        line=st.lists(st.integers(1, 2), min_size=3),
    )
    def draw(self, by_application: bool, places: int, line: list[int]) -> None:
        """Begin with some people in line, and a place that came free: the first of them has an offer."""
        self.begin(by_application, places)
        for size in line[:5]:
            if by_application:
                self.apply()
                self.decide(0, Decision.WAIT)
            else:
                self.wait(size)
        self.give_back_and_offer(0)

    def begin(self, by_application: bool, places: int) -> None:
        """Make an event whose places are all given away."""
        how = Enrollment.APPLICATION if by_application else Enrollment.OPEN
        event = cast.make_event(places=places, types={"Standard": PRICE}, enrollment=how)
        self.by_application = by_application
        self.event_id, self.type_id = event.id, event.ticket_types[0].id
        pool = find_pool(event.id, PoolKind.TOTAL)
        assert pool
        self.pool_id = pool.id
        for _n in range(places):
            self._seat()

    def _name(self, what: str) -> str:
        self.people += 1
        return f"{what}{self.stories}x{self.people} Nutkin"

    def _seat(self) -> None:
        with transaction():
            registering.add_by_hand(
                self.event_id, cast.a_person(self._name("Seated")), ticket_type_id=self.type_id,
                to_pay=False, reason="a guest", actor=ORGANIZER, now=self.clock.now,
            )  # fmt: skip

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """Count what happens, and what is refused: both are parts of a story."""
        try:
            with transaction():
                yield
        except (Refused, IllegalMove):
            db.session.rollback()
            what += " refused"
        db.session.rollback()
        self.steps[what] += 1

    def _one(self, rows: Sequence[Any], n: int) -> Any:
        return rows[n % len(rows)] if rows else None

    def _entry(self, n: int, *states: S) -> Entry | None:
        query = select(Entry).where(Entry.event_id == self.event_id, Entry.state.in_(states))
        return self._one(list(db.session.scalars(query.order_by(Entry.id))), n)

    # ---- coming

    @precondition(lambda self: not self.by_application)
    @rule(size=st.integers(1, 2))
    def wait(self, size: int) -> None:
        person = cast.a_person(self._name("Waits"))
        with self._doing("wait"):
            wish = services.Wish(person, "Nurse", [self.type_id], size=size)
            made = services.join(self.event_id, wish, now=self.clock.now)
            assert not isinstance(made, Refusal)
            self.order.append(made.id)

    @precondition(lambda self: self.by_application)
    @rule()
    def apply(self) -> None:
        person = cast.a_person(self._name("Applies"))
        with self._doing("apply"):
            sheet = applications.Sheet(person, self.type_id, ABOUT, {})
            applications.submit(
                self.event_id, sheet, draft_id=None, actor=ANONYMOUS, now=self.clock.now
            )

    @precondition(lambda self: self.by_application)
    @rule(n=N, how=st.sampled_from([Decision.ACCEPT, Decision.WAIT, Decision.DECLINE]))
    def decide(self, n: int, how: Decision) -> None:
        mine = (Application.event_id == self.event_id, Application.state.in_(WAITING))
        a = self._one(list(db.session.scalars(select(Application).where(*mine))), n)
        if a:
            seen = {a.id: a.version}
            with self._doing(how.value):
                applications.decide(
                    self.event_id, seen, how, words="", actor=REVIEWER, now=self.clock.now
                )

    @precondition(lambda self: not self.by_application)
    @rule()
    def buy(self) -> None:
        """Let the public try; whoever waits comes first."""
        with self._doing("buy"):
            registering.put_in_cart(
                self.event_id, {self.type_id: 1}, cart_id=None, minutes=30, now=self.clock.now
            )

    # ---- places come and go

    @rule(n=N)
    def give_back(self, n: int) -> None:
        mine = (Registration.event_id == self.event_id,)
        confirmed = Registration.state == RegistrationState.CONFIRMED
        r = self._one(list(db.session.scalars(select(Registration).where(*mine, confirmed))), n)
        if r:
            with self._doing("give back"):
                registering.cancel_unpaid(
                    r.id, event_id=self.event_id, reason="ill", actor=ORGANIZER, now=self.clock.now
                )

    @rule(n=N)
    def give_back_and_offer(self, n: int) -> None:
        self.give_back(n)
        self.sweep()

    @rule(size=st.integers(1, 5))
    def resize(self, size: int) -> None:
        with self._doing("resize"):
            capacity.resize_pool(self.pool_id, size, now=self.clock.now)

    @rule(hours=st.sampled_from([1, 5, 26, 80]))
    def time_passes(self, hours: int) -> None:
        self.clock.move(hours=hours)

    @rule()
    def sweep(self) -> None:
        db.session.rollback()
        registration_jobs.sweep({})
        jobs.sweep({})
        self.steps["sweep"] += 1
        # Who was accepted without a place comes onto the list now, behind everybody.
        known = select(Entry.id).where(Entry.event_id == self.event_id).order_by(Entry.id)
        self.order += [i for i in db.session.scalars(known) if i not in self.order]

    # ---- what organizers do, and what people answer

    @rule(n=N)
    def skip(self, n: int) -> None:
        if e := self._entry(n, S.WAITING):
            about = {"event_id": self.event_id, "actor": ORGANIZER, "now": self.clock.now}
            with self._doing("skip" if e.skipped_at is None else "stop skipping"):
                if e.skipped_at is None:
                    services.skip(e.id, "not yet", **about)
                else:
                    services.stop_skipping(e.id, **about)

    @rule(n=N, to=st.integers(1, 4))
    def move(self, n: int, to: int) -> None:
        if e := self._entry(n, S.WAITING):
            mine = e.id
            with self._doing("move"):
                services.move_entry(
                    mine, to, event_id=self.event_id, actor=ORGANIZER, now=self.clock.now
                )
            waiting = [x.id for x in queries.list_line(self.event_id)]
            line = [i for i in self.order if i in waiting and i != mine]
            line.insert(min(to - 1, len(line)), mine)
            self.order = [i for i in self.order if i not in waiting] + line

    @rule(n=N, yes=st.booleans())
    def answer(self, n: int, yes: bool) -> None:
        if e := self._entry(n, S.OFFERED):
            query = select(Offer.id).where(Offer.entry_id == e.id).order_by(Offer.id.desc())
            offer_id, who = db.session.scalar(query.limit(1)), attendee(e.name)
            verb = services.accept if yes else services.decline
            with self._doing("accept" if yes else "decline"):
                verb(offer_id, actor=who, now=self.clock.now)  # type: ignore[operator]

    # ---- what is true after every step

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "event_id"):
            return
        event = {"event": self.event_id}
        assert db.session.scalar(CHARGED, event) == 0
        size = capacity.counts([self.pool_id], now=self.clock.now)[self.pool_id].size
        assert size is not None
        assert (db.session.scalar(SOLD, event) or 0) <= size
        waiting = [e.id for e in queries.list_line(self.event_id)]
        assert waiting == [i for i in self.order if i in waiting]
        self._replay()

    def _replay(self) -> None:
        """Decide every new round again from what the audit kept: as the product does, and as the rule is published."""
        mine = (AuditEntry.event_id == self.event_id, AuditEntry.id > self.heard)
        new = list(db.session.scalars(select(AuditEntry).where(*mine).order_by(AuditEntry.id)))
        rounds = [one for one in new if one.action == "waitlist.round"]
        for one in rounds:
            assert one.before
            assert one.after
            made = [turn[0] for turn in one.after["turns"] if turn[1] is not None]
            turns = rules.take_turns(*_replayed(one), one.at)
            assert [t.id for t in turns if t.type_id is not None] == made
            assert published(one.before["facts"]["free"], one.before["line"]) == made
            line = [x["id"] for x in one.before["line"]]
            assert line == [i for i in self.order if i in line]
            self.steps["offers"] += len(made)
        offered = [one.subject_id for one in new if one.action == "waitlist.offered"]
        assert offered == [t[0] for one in rounds for t in one.after["turns"] if t[1] is not None]
        self.heard = max([self.heard, *(one.id for one in new)])

    def teardown(self) -> None:
        """Count everything again from the rows, when the story is told."""
        db.session.rollback()
        for one in PLACES:
            asked = text(one.sql)
            if ":now" in one.sql:
                asked = asked.bindparams(bindparam("now", self.clock.now, UtcDateTime))
            assert db.session.execute(asked).all() == [], one.title
        live = select(Entry.id).where(Entry.event_id == self.event_id, Entry.state.in_(LIVE))
        self.steps["still on the list"] += len(list(db.session.scalars(live)))
        db.session.rollback()


def published(free: Mapping[str, int], line: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return who is asked by the rule that stands on the page: in order, whoever is not passed over and fits."""
    left, asked = min(free.values()), []
    for one in line:
        if one["skipped"] is None and not one["registered"] and one["size"] <= left:
            left -= one["size"]
            asked.append(one["id"])
    return asked


# Two stories told by hand, so that every run has all of it; the numbers say whose turn it is among those who fit.
PARTIES = [
    ("begin", False, 2), ("wait", 1), ("wait", 2), ("wait", 1), ("buy",), ("give_back", 0), ("sweep",),
    ("answer", 0, True), ("resize", 4), ("skip", 0), ("sweep",), ("answer", 0, False), ("skip", 0),
    ("sweep",), ("resize", 1), ("time_passes", 80), ("sweep",), ("wait", 1), ("wait", 1), ("move", 1, 1),
    ("sweep",), ("buy",), ("time_passes", 5), ("sweep",),
]  # fmt: skip
APPLICANTS = [
    ("begin", True, 2), ("apply",), ("apply",), ("apply",), ("decide", 0, Decision.WAIT),
    ("decide", 0, Decision.WAIT), ("decide", 0, Decision.ACCEPT), ("sweep",), ("give_back", 0), ("sweep",),
    ("decide", 0, Decision.DECLINE), ("time_passes", 80), ("sweep",), ("answer", 0, True), ("resize", 5),
    ("time_passes", 26), ("sweep",),
]  # fmt: skip


@pytest.fixture
def teller(db: Any, clock: Clock) -> type[Line]:
    """Return stories of this house."""
    return type("Line", (Line,), {"clock": clock, "steps": Counter()})


@pytest.mark.parametrize("steps", [PARTIES, APPLICANTS], ids=["parties", "applicants"])
def test_a_story_told_by_hand_keeps_the_rule(
    teller: type[Line], steps: list[tuple[Any, ...]]
) -> None:
    story = teller()
    for name, *values in steps:
        verb = getattr(type(story), name)
        given = dict(zip(NAMES.get(name, ()), values, strict=True))
        verb(story, **given)
        story.holds()
    story.teardown()
    assert teller.steps["offers"] >= 2, teller.steps
    assert teller.steps["accept"] == 1, teller.steps


NAMES = {
    "begin": ("by_application", "places"), "wait": ("size",), "give_back": ("n",), "answer": ("n", "yes"),
    "resize": ("size",), "skip": ("n",), "move": ("n", "to"), "time_passes": ("hours",), "decide": ("n", "how"),
}  # fmt: skip


def test_the_published_rule_holds_whatever_happens(
    teller: type[Line], capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    long = request.config.getoption("--long")
    how = settings(
        max_examples=60 if long else 3,
        stateful_step_count=30 if long else 16,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if long else [Phase.generate],
    )
    seed(20261124)(lambda: run_state_machine_as_test(teller, settings=how))()
    with capsys.disabled():
        print(f"\n{teller.stories} stories of a line: {dict(teller.steps)}")
    assert teller.stories >= how.max_examples
