"""A fund through anything that people, committee and treasurer do: it is never below zero, nor pays money out."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from regsys.aid import jobs, services
from regsys.aid.services import Plan
from regsys.events.models import Event
from regsys.kernel import money
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db as session
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.ledger.models import Method
from regsys.payments import queries as paying
from regsys.payments import services as payments
from regsys.registration import jobs as registration_jobs
from regsys.registration import services as registering
from regsys.registration.queries import costs_of
from regsys.registration.states import RegistrationState as R
from tests import cast
from tests.aid.giving import WORDS, an_event, differences, make_fund, pay, place_of
from tests.conftest import Clock
from tests.support import rawsql

GIVEN = "SELECT coalesce(sum(amount), 0) FROM aid_request WHERE state IN ('awarded', 'used')"
OVERDRAWN = f"SELECT count(*) FROM aid_fund f WHERE f.budget < ({GIVEN} AND fund_id = f.id)"
# Whatever went back, or is on its way, was paid by somebody: help is never paid out.
PAID_OUT = """SELECT count(*) FROM payment p WHERE p.amount <
    (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.payment_id = p.id AND r.state <> 'failed')"""
PRICES = (92000, 60000, 92000)


@dataclass
class Asker:
    """Somebody who asked, as somebody with pen and paper has it: what they were given, and whether it is decided."""

    order_id: int
    request_id: int
    price: int
    given: int = 0
    decided: bool = False


@dataclass
class Story:
    """What happens, drawn by lot, beside a notebook that knows the rules by heart."""

    clock: Clock
    url: str
    rng: random.Random
    budget: int = 150000
    askers: list[Asker] = field(default_factory=list)
    count: int = 0

    def begin(self) -> None:
        self.events = [an_event(p, clock=self.clock, places=None) for p in PRICES]
        served = [e.id for e in self.events[:2]]
        self.served = set(served)
        self.fund_id = make_fund(self.clock, self.budget, event_ids=served)

    @property
    def given(self) -> int:
        return sum(a.given for a in self.askers)

    def tell(self, steps: int) -> None:
        acts: list[Callable[[], object]] = [
            self.ask, self.ask, self.ask, self.decide, self.decide, self.decide, self.set_budget,
            self.pay, self.pay, self.withdraw, self.give_up, self.hand_on, self.move, self.wait,
        ]  # fmt: skip
        for n in range(steps):
            act = self.rng.choice(acts) if n else self.ask
            act()
            assert rawsql.number(self.url, OVERDRAWN) == 0, act
            self.sweep()
            assert rawsql.number(self.url, GIVEN) == self.given, act
            assert rawsql.number(self.url, PAID_OUT) == 0, act
        assert differences(self.clock) == []

    def sweep(self) -> None:
        registration_jobs.sweep({})
        jobs.sweep({})
        session.session.rollback()

    def one(self, *states: R, decided: bool | None = None) -> Asker | None:
        """Draw somebody whose place stands so, of those who have help if there are any."""
        fit = [
            a
            for a in self.askers
            if place_of(a.order_id).state in states and decided in (None, a.decided)
        ]
        helped = [a for a in fit if a.given]
        return self.rng.choice(helped or fit) if fit else None

    def ask(self) -> None:
        self.count += 1
        person = cast.a_person(f"Asker{self.count} Nutkin")
        event: Event = self.rng.choice(self.events[:2])
        other = cast.a_person("Desk Fennimore") if self.rng.random() < 0.4 else None
        order = cast.make_order(event, [person], payer=other)
        order_id, place = order.id, cast.list_people(order)[0]
        place_id, price = place.id, place.price
        if other:
            with transaction():
                services.invite(order_id, actor=SYSTEM, now=self.clock.now)
            cast.make_answers(place)
        with transaction():
            asked = services.ask(place_id, WORDS, asked_amount=None, now=self.clock.now)
        self.askers.append(Asker(order_id, asked, price))

    def decide(self) -> None:
        a = self.one(R.AWAITING_PAYMENT, decided=False)
        if a is None:
            return
        amount = self.rng.choice([a.price, a.price // 2, self.rng.randint(1, a.price + 500)])
        rest = a.price - amount
        fits = 0 < amount <= min(a.price, self.budget - self.given)
        fits = fits and (not rest or money.chargeable(rest, "USD"))
        if self.tried(
            lambda: services.award(
                a.request_id, amount, scope=None, actor=SYSTEM, now=self.clock.now
            ),
            fits,
        ):
            a.given, a.decided = amount, True
        elif self.rng.random() < 0.5:
            with transaction():
                services.decline(a.request_id, scope=None, actor=SYSTEM, now=self.clock.now)
            a.decided = True

    def tried(self, act: Callable[[], object], fits: bool) -> bool:
        """Do something that is refused unless it fits."""
        try:
            with transaction():
                act()
        except Refused:
            assert not fits
            return False
        assert fits
        return True

    def set_budget(self) -> None:
        budget = self.rng.choice([self.given, self.given - 1, self.rng.randint(0, 300000)])
        plan = Plan(
            name="Travel", budget=max(0, budget), currency="USD", event_ids=tuple(self.served)
        )
        act = lambda: services.change_fund(self.fund_id, plan, actor=SYSTEM, now=self.clock.now)  # noqa: E731
        if self.tried(act, plan.budget >= self.given):
            self.budget = plan.budget

    def pay(self) -> None:
        a = self.one(R.AWAITING_PAYMENT)
        if a:
            pay(a.order_id, self.clock, method=Method.CARD)
            a.decided = True

    def withdraw(self) -> None:
        a = self.one(R.AWAITING_PAYMENT, decided=False)
        if a:
            place_id = place_of(a.order_id).id
            with transaction():
                services.withdraw(place_id, now=self.clock.now)
            a.decided = True

    def give_up(self) -> None:
        a = self.one(R.CONFIRMED)
        if a:
            mine, now = [place_of(a.order_id).id], self.clock.now
            mark = paying.get_parting(a.order_id, mine, now=now).mark
            with transaction():
                payments.leave(a.order_id, mine, mark=mark, reason="", actor=SYSTEM, now=now)
            a.given = 0

    def hand_on(self) -> None:
        a = self.one(R.CONFIRMED)
        if a:
            self.count += 1
            place_id, new = place_of(a.order_id).id, cast.a_person(f"Next{self.count} Nutkin")
            with transaction():
                registering.hand_over_for(
                    a.order_id, place_id, new, reason="ill", actor=SYSTEM, now=self.clock.now
                )
            a.given = 0
            pay(a.order_id, self.clock, method=Method.CARD)

    def move(self) -> None:
        a = self.one(R.CONFIRMED)
        if a is None:
            return
        old = place_of(a.order_id)
        old_id, cost = old.id, costs_of([old.id])[old.id]
        to = self.rng.choice([e for e in self.events if e.id != old.event_id])
        price, ticket, now = PRICES[self.events.index(to)], to.ticket_types[0].id, self.clock.now
        found = paying.get_moves(a.order_id, old_id, now=now, by_organizer=True)
        way = found.find(ticket)
        assert way, found.refusal
        with transaction():
            payments.move_for(
                a.order_id, old_id, ticket, mark=found.mark(way), spare=False, reason="",
                actor=SYSTEM, now=now,
            )  # fmt: skip
        pay(a.order_id, self.clock, method=Method.CARD)
        a.given = min(a.given, max(0, price - cost)) if to.id in self.served else 0

    def wait(self) -> None:
        """Let days pass; whose place is let go has nothing."""
        self.clock.move(days=self.rng.randint(1, 9), minutes=1)
        self.sweep()
        for a in self.askers:
            if place_of(a.order_id).state is R.EXPIRED:
                a.given, a.decided = 0, True


@pytest.mark.parametrize("seed", [6])
def test_a_fund_never_goes_below_zero(seed: int, db: Any, clock: Clock, database: Any) -> None:
    story = Story(clock, database.url, random.Random(seed))
    story.begin()
    story.tell(26)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 130))
def test_many_funds_never_go_below_zero(seed: int, db: Any, clock: Clock, database: Any) -> None:
    story = Story(clock, database.url, random.Random(seed))
    story.begin()
    story.tell(60)
