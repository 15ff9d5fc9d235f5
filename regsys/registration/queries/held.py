"""An order and what is held for it, in one query."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from regsys.capacity import services as capacity
from regsys.capacity.models import Claim, Pool, PoolKind
from regsys.capacity.rules import PoolCount
from regsys.events.models import Event
from regsys.kernel import tokens
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger import queries as ledger
from regsys.ledger.rules import Balance
from regsys.registration import rules
from regsys.registration.models import Order, OrderLine, Registration
from regsys.registration.states import LIVE, UNPAID
from regsys.registration.states import RegistrationState as S

# Registration id → the first end of its live claims; None: no end.
Ends = Mapping[int, datetime | None]


@dataclass(frozen=True)
class Held:
    """An order and what is held for it.

    `ends` maps registration ids with a live claim to its end (None: no end). Claims whose end has come are left out.
    `counts` says how full each event is; who waits for a place is not looked at.
    """

    order: Order
    ends: Ends
    counts: Mapping[int, PoolCount]
    # The transaction that locked the order before it was read; None: it was only read.
    transaction: object = None
    # How the order stands in money, where that was asked for.
    balance: Balance | None = None

    @property
    def people(self) -> list[Registration]:
        """Return the places of a cart: those that were taken off are left out."""
        return [r for r in self.order.registrations if r.state is not S.CANCELLED]

    @property
    def unpaid(self) -> list[Registration]:
        return [r for r in self.order.registrations if r.state in UNPAID]

    @property
    def holding(self) -> bool:
        """Tell whether every unpaid place is held."""
        return bool(self.unpaid) and all(r.id in self.ends for r in self.unpaid)

    @property
    def ends_at(self) -> datetime | None:
        """Return when the first hold of an unpaid place ends; None: no end, or nothing is held."""
        return min((e for r in self.unpaid if (e := self.ends.get(r.id))), default=None)

    def given_back(self, registration_id: int) -> Registration | None:
        """Find a place that was taken off this cart, as long as nothing was added since."""
        last = max((r.created_at for r in self.order.registrations), default=None)
        gone = (r for r in self.order.registrations if r.id == registration_id and r.ended_at)
        return next((r for r in gone if last and r.ended_at and last <= r.ended_at), None)

    @property
    def total(self) -> int:
        """Return what the places of a cart cost together."""
        return sum(r.price for r in self.people)

    @property
    def seats(self) -> list[rules.Seat]:
        return [
            rules.Seat(r.is_payer, bool(r.email), r.answered_at is not None, not r.options_open)
            for r in self.people
        ]

    @property
    def next_step(self) -> tuple[rules.Step, int]:
        return rules.next_step(payer_known=bool(self.order.email), seats=self.seats)


def is_order(which: int | str) -> ColumnElement[bool]:
    """Return the condition that finds an order: by its id, or by the secret of its link."""
    if isinstance(which, int):
        return Order.id == which
    return Order.token_hash == tokens.hash_token(which)


def find_held(token: str, *, now: datetime) -> Held | None:
    """Find an order by the secret of its link, with what is held for it, in one query."""
    return _held(is_order(token), now)


def get_held(
    which: int | str, *, now: datetime, money: bool = False, sessions: bool = False
) -> Held:
    """Get an order (by id, or by the secret of its link) with what is held for it, freshly read in one query.

    `money`: also how it stands in money; `sessions`: also its events' schedules. Raises NotFound.
    """
    held = _held(is_order(which), now, money=money, sessions=sessions)
    if held is None:
        raise NotFound(N_("There is no such order."))
    return held


def _held(
    which: ColumnElement[bool], now: datetime, *, money: bool = False, sessions: bool = False
) -> Held | None:
    living = alive(now).where(Claim.registration_id == Registration.id)
    count = living.with_only_columns(func.count()).scalar_subquery()
    ends = living.with_only_columns(func.min(Claim.until)).scalar_subquery()
    event = joinedload(Registration.event)
    pools = capacity.counted(now).where(Pool.kind == PoolKind.TOTAL).subquery()
    sums = _money_columns() if money else []
    query = (
        select(Order, Registration.id.label("place"), count.label("n"), ends.label("end"))
        .add_columns(*sums, pools)
        .outerjoin(Order.registrations)
        .outerjoin(pools, pools.c.event_id == Registration.event_id)
        .where(which)
        .order_by(Registration.id)
        .options(
            contains_eager(Order.registrations).options(
                event.joinedload(Event.venue),
                *([event.joinedload(Event.sessions)] if sessions else ()),
                joinedload(Registration.ticket_type),
            )
        )
        .execution_options(populate_existing=True)
    )
    rows = db.session.execute(query).unique().all()
    if not rows:
        return None
    order = rows[0][0]
    ends_of = {row.place: row.end for row in rows if row.n}
    counts = {row.event_id: capacity.count_in(row) for row in rows if row.id is not None}
    first = sum(r.deposit or 0 for r in order.registrations if r.state in LIVE)
    balance = _balance(first, *rows[0][4 : 4 + len(sums)]) if money else None
    return Held(order, ends_of, counts, balance=balance)


def _money_columns() -> list[ColumnElement[int]]:
    """Return what an order costs, and what came and went for it."""
    cost = select(func.coalesce(func.sum(OrderLine.amount), 0)).where(
        OrderLine.order_id == Order.id
    )
    return [cost.scalar_subquery(), *ledger.sums_columns(Order.id)]


def _balance(deposit: int, cost: int, *sums: int) -> Balance:
    return ledger.Sums(*map(int, sums)).balance(int(cost), deposit=deposit)


def alive(now: datetime) -> Select[Claim]:
    return select(Claim).where(
        Claim.released_at.is_(None), or_(Claim.until.is_(None), Claim.until > now)
    )
