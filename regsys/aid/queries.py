"""Reading funds and requests; whoever decides gets them without names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload, selectinload

from regsys.aid import rules
from regsys.aid.models import AidRequest, Fund, aid_fund_event
from regsys.aid.states import GIVEN, OVER
from regsys.aid.states import RequestState as S
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.questions.library import CAREER_STAGE
from regsys.questions.models import Answer
from regsys.questions.queries import list_open_answers
from regsys.questions.types import show
from regsys.registration.models import Order, Registration
from regsys.registration.services.shared import ENDED
from regsys.registration.states import RegistrationState

Scope = Collection[int] | None


def _serves(event_id: InstrumentedAttribute[int] | int) -> ColumnElement[bool]:
    mine = aid_fund_event.c.fund_id == Fund.id
    narrowed = exists().where(mine)
    return or_(~narrowed, exists().where(mine, aid_fund_event.c.event_id == event_id))


def find_fund(event_id: int, currency: str) -> Fund | None:
    """Find the fund that can be asked about places of an event: one of its own before one for all."""
    own = exists().where(aid_fund_event.c.fund_id == Fund.id)
    query = (
        select(Fund)
        .where(Fund.open, Fund.currency == currency, _serves(event_id))
        .order_by(own.desc(), Fund.id)
    )
    return db.session.scalars(query.limit(1)).first()


def offers_help(order_id: int) -> ColumnElement[bool]:
    """Say that a fund can be asked about the places of an order."""
    query = (
        select(Fund.id)
        .join(Order, Order.currency == Fund.currency)
        .join(Registration, Registration.order_id == Order.id)
        .where(Order.id == order_id, Fund.open, _serves(Registration.event_id))
    )
    return query.exists()


def get_fund(fund_id: int) -> Fund:
    """Get a fund with the events that it serves; raise NotFound."""
    query = select(Fund).where(Fund.id == fund_id).options(selectinload(Fund.events))
    fund = db.session.scalar(query)
    if fund is None:
        raise NotFound(N_("There is no such fund."))
    return fund


def given_of(fund_ids: Sequence[int]) -> dict[int, int]:
    """Return what each fund has given or keeps for somebody, in minor units."""
    query = select(AidRequest.fund_id, func.sum(AidRequest.amount))
    query = query.where(AidRequest.fund_id.in_(fund_ids), AidRequest.state.in_(GIVEN))
    found = {f: int(n or 0) for f, n in db.session.execute(query.group_by(AidRequest.fund_id))}
    return {f: found.get(f, 0) for f in fund_ids}


def find_of_place(registration_id: int) -> AidRequest | None:
    """Find the request about a place."""
    mine = AidRequest.registration_id == registration_id
    return db.session.scalar(select(AidRequest).where(mine))


def get_order_id(registration_id: int) -> int:
    """Return which order a place is in; raise NotFound."""
    mine = Registration.id == registration_id
    found = db.session.scalar(select(Registration.order_id).where(mine))
    if found is None:
        raise NotFound(N_("There is no such registration."))
    return found


def is_offered(order_id: int) -> bool:
    """Tell whether a fund can be asked about places of an order."""
    return bool(db.session.scalar(select(offers_help(order_id))))


_WHOLE = (
    joinedload(AidRequest.fund),
    joinedload(AidRequest.registration).options(
        joinedload(Registration.event),
        joinedload(Registration.ticket_type),
        joinedload(Registration.order),
    ),
)


def get_request(request_id: int, *, scope: Scope = None) -> AidRequest:
    """Get a request with its fund and place, freshly read; raise NotFound, also where it is beyond `scope`."""
    query = select(AidRequest).where(AidRequest.id == request_id).options(*_WHOLE)
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None or (scope is not None and found.registration.event_id not in scope):
        raise NotFound(N_("There is no such request."))
    return found


@dataclass(frozen=True)
class Blind:
    """What the committee sees of a request: nothing that names the person."""

    id: int
    state: S
    event: Event
    fund: Fund
    ticket: str
    profession: str
    stage: str
    # None: deleted.
    words: str | None
    words_until: datetime
    fee: int
    asked_amount: int | None
    amount: int | None
    most: int
    left: int
    asked_at: datetime
    answer_by: datetime
    decided_by: str


def stages_of(requests: Sequence[AidRequest]) -> dict[int, Answer]:
    """Return what the people of these requests answered about their career, by registration."""
    return list_open_answers(CAREER_STAGE, [q.registration_id for q in requests])


def kept_until(event: Event, fund: Fund) -> datetime:
    """Return when what somebody writes now is deleted."""
    return rules.words_go_at(S.ASKED, event.ends_at, event.ends_at, fund.delete_after_days)


def words_until(request: AidRequest) -> datetime:
    """Return when what somebody wrote is deleted, as things stand."""
    ends_at, days = request.registration.event.ends_at, request.fund.delete_after_days
    return rules.words_go_at(request.state, request.state_at, ends_at, days)


def blind(request: AidRequest, left: int, stage: Answer | None = None) -> Blind:
    """Return a request without what names its person, or who pays for them."""
    r = request.registration
    known = [r.first_name, r.last_name, r.badge_name, r.email, r.workplace, r.phone, r.city, r.code]
    known += [r.order.first_name, r.order.last_name, r.order.email, r.order.phone, r.order.code]
    return Blind(
        id=request.id,
        state=request.state,
        event=r.event,
        fund=request.fund,
        ticket=r.ticket_type.name,
        profession=rules.masked(r.profession, known),
        stage=rules.masked(show(stage.question, stage.stored), known) if stage else "",
        words=None if request.words is None else rules.masked(request.words, known),
        words_until=words_until(request),
        fee=r.price if request.state is S.ASKED else request.fee,
        asked_amount=request.asked_amount,
        amount=request.amount,
        most=rules.most(r.price, left, request.fund.currency),
        left=left,
        asked_at=request.created_at,
        answer_by=request.answer_by,
        decided_by=request.decided_by,
    )


def list_blind(scope: Scope, *, waiting: bool, limit: int = 100) -> list[Blind]:
    """List requests: those that wait, the most urgent first, or those that were decided, the newest first."""
    query = select(AidRequest).join(AidRequest.registration).options(*_WHOLE).limit(limit)
    if waiting:
        query = query.where(AidRequest.state == S.ASKED).order_by(AidRequest.answer_by)
    else:
        query = query.where(AidRequest.state != S.ASKED).order_by(AidRequest.state_at.desc())
    if scope is not None:
        query = query.where(Registration.event_id.in_(scope))
    found = list(db.session.scalars(query))
    lefts = lefts_of({r.fund_id: r.fund for r in found})
    stages = stages_of(found)
    return [blind(r, lefts[r.fund_id], stages.get(r.registration_id)) for r in found]


def lefts_of(funds: Mapping[int, Fund]) -> dict[int, int]:
    """Return what each of these funds has left."""
    given = given_of(list(funds))
    return {f: fund.budget - given[f] for f, fund in funds.items()}


@dataclass(frozen=True)
class Part:
    """How many requests of a fund stand somewhere, and their money; None: fewer than five, so it is not said."""

    count: int | None
    amount: int | None


@dataclass(frozen=True)
class FundReport:
    """How a fund stands, without small cells."""

    fund: Fund
    given: int
    left: int
    parts: Mapping[str, Part]


PARTS: Mapping[str, Sequence[S]] = {
    "asked": (S.ASKED,),
    "reserved": (S.AWARDED,),
    "used": (S.USED,),
    "returned": (S.RETURNED,),
    "declined": (S.DECLINED, S.WITHDRAWN),
}
# Their amounts add up to what was given: one that is hidden could be worked out from the other.
TOGETHER = ("reserved", "used")


def list_reports() -> list[FundReport]:
    """List all funds with how they stand, the open ones first."""
    funds = list(
        db.session.scalars(
            select(Fund).options(selectinload(Fund.events)).order_by(Fund.open.desc(), Fund.name)
        )
    )
    columns = (AidRequest.fund_id, AidRequest.state, func.count(), func.sum(AidRequest.amount))
    rows = db.session.execute(select(*columns).group_by(AidRequest.fund_id, AidRequest.state))
    cells = {(f, state): (int(n), int(total or 0)) for f, state, n, total in rows}
    return [_report(fund, {s: cells.get((fund.id, s), (0, 0)) for s in S}) for fund in funds]


def _report(fund: Fund, cells: Mapping[S, tuple[int, int]]) -> FundReport:
    sums = {
        name: (sum(cells[s][0] for s in states), sum(cells[s][1] for s in states))
        for name, states in PARTS.items()
    }
    both = rules.may_show_parts([sums[name][0] for name in TOGETHER])
    parts = {}
    for name, (n, amount) in sums.items():
        count = rules.shown_count(n)
        tells = both if name in TOGETHER else count is not None
        parts[name] = Part(count, amount if tells else None)
    given = sum(cells[s][1] for s in GIVEN)
    return FundReport(fund, given, fund.budget - given, parts)


def list_events(also: Sequence[int], *, now: datetime) -> list[Event]:
    """List events that are to come, and those of `also`: what a fund can serve."""
    coming = (Event.ends_at > now) & (Event.state != EventState.CANCELLED)
    query = select(Event).where(coming | Event.id.in_(also)).order_by(Event.starts_at, Event.id)
    return list(db.session.scalars(query))


def list_to_follow() -> list[int]:
    """List requests whose place went another way than they say."""
    r = aliased(Registration)
    waits = AidRequest.state.in_((S.ASKED, S.AWARDED))
    query = (
        select(AidRequest.id)
        .join(r, r.id == AidRequest.registration_id)
        .where(
            or_(
                waits & (r.state != RegistrationState.AWAITING_PAYMENT),
                (AidRequest.state == S.USED) & r.state.in_(ENDED),
            )
        )
        .order_by(AidRequest.id)
    )
    return list(db.session.scalars(query))


def list_to_forget(*, now: datetime) -> list[int]:
    """List requests that hold words whose day has come."""
    query = (
        select(AidRequest)
        .join(AidRequest.registration)
        .join(Registration.event)
        .where(AidRequest.words.is_not(None))
        .where(or_(Event.ends_at < now, AidRequest.state.in_(OVER)))
        .options(*_WHOLE)
        .order_by(AidRequest.id)
    )
    return [q.id for q in db.session.scalars(query) if words_until(q) <= now]


def find_moved_to(registration_id: int) -> Registration | None:
    """Find the place in another event to which somebody has gone from this one."""
    mine = (Registration.moved_from_id == registration_id, Registration.confirmed_at.is_not(None))
    newest = select(Registration).where(*mine).order_by(Registration.id.desc())
    return db.session.scalars(newest.limit(1)).first()


@dataclass(frozen=True)
class Award:
    """What was given for a place, and for which events its fund is; none: for all of its currency."""

    amount: int
    event_ids: Collection[int]

    def carried(self, event_id: int, *, price: int, cost: int) -> int:
        """Return what of it goes along to a place in another event."""
        serves = not self.event_ids or event_id in self.event_ids
        return rules.carried(self.amount, price=price, cost=cost, serves=serves)


def find_award(registration_id: int) -> Award | None:
    """Find what was given for a place, as long as it counts."""
    mine = (AidRequest.registration_id == registration_id, AidRequest.state.in_(GIVEN))
    query = select(AidRequest).where(*mine)
    query = query.options(joinedload(AidRequest.fund).selectinload(Fund.events))
    found = db.session.scalar(query)
    return Award(found.amount or 0, {e.id for e in found.fund.events}) if found else None
