"""Setting money aside, asking for it, deciding, and what becomes of it. Locks: order, then fund, then pools."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from regsys.aid import mail, queries, rules
from regsys.aid.models import AidRequest, Fund
from regsys.aid.states import RequestState as S
from regsys.audit import services as audit
from regsys.events.models import Event
from regsys.events.queries import last_call
from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.states import move
from regsys.ledger import queries as ledger
from regsys.registration import rules as registration_rules
from regsys.registration import services as registration
from regsys.registration.queries import Held
from regsys.registration.states import RegistrationState

# Who asked is not written into the log, which organizers read.
SOMEBODY = Actor("attendee")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a fund says; without events it serves all of its currency."""

    name: str
    budget: int
    currency: str
    open: bool = True
    answer_days: int = 14
    event_ids: Sequence[int] = ()


def make_fund(plan: Plan, *, actor: Actor, now: datetime) -> int:
    """Set money aside; return the fund's id."""
    fund = Fund(created_at=now, name=plan.name, budget=plan.budget, currency=plan.currency)
    db.session.add(fund)
    _set(fund, plan)
    _record_fund("fund.made", fund, actor=actor, now=now)
    return fund.id


def change_fund(fund_id: int, plan: Plan, *, actor: Actor, now: datetime) -> None:
    """Change what a fund says; its currency stays. Raises Refused below what it has given or keeps for somebody."""
    lock_rows(Fund, [fund_id])
    fund = queries.get_fund(fund_id)
    given = queries.given_of([fund_id])[fund_id]
    if plan.budget < given:
        raise Refused(rules.below_given(given, fund.currency))
    _set(fund, plan)
    _record_fund("fund.changed", fund, actor=actor, now=now)


def _set(fund: Fund, plan: Plan) -> None:
    fund.name, fund.budget = plan.name, plan.budget
    fund.open, fund.answer_days = plan.open, plan.answer_days
    fund.events = list(db.session.scalars(select(Event).where(Event.id.in_(plan.event_ids))))
    db.session.flush()


def why_not_ask(held: Held, fund: Fund | None, *, asked: bool, now: datetime) -> Refusal | None:
    """Refuse where nobody can ask about this order."""
    own = [r for r in held.people if r.is_payer and not r.moved_from_id]
    alone = len(held.people) == 1 and bool(own)
    if not alone:
        return rules.NOT_OWN
    (r,) = own
    case = rules.Case(
        own=True,
        state=r.state,
        holding=held.holding,
        paying=held.holding and held.ends_at is None,
        price=r.price,
        asked=asked,
        has_fund=fund is not None,
        has_paper=bool(ledger.documents_of([held.order.id])),
        last_call=last_call(r.event),
    )
    return rules.why_not_ask(case, now)


def answer_by(fund: Fund, event: Event, now: datetime) -> datetime:
    """Return by when somebody is answered who asks now."""
    return rules.answer_by(now, fund.answer_days, last_call(event))


def ask(order_id: int, words: str, *, asked_amount: int | None, now: datetime) -> int:
    """Ask for help with the fee of one's own place, which is held while the committee decides; return its id."""
    held = registration.lock_order(order_id, now=now)
    asked = queries.find_of_order(order_id) is not None
    event = held.order.registrations[0].event
    fund = queries.find_fund(event.id, held.order.currency)
    refusal = why_not_ask(held, fund, asked=asked, now=now)
    if refusal or fund is None:
        raise Refused(refusal or rules.NO_FUND)
    (r,) = held.unpaid
    late = last_call(r.event)
    request = AidRequest(
        fund_id=fund.id,
        registration_id=r.id,
        state_at=now,
        created_at=now,
        words=words,
        asked_amount=min(asked_amount, r.price) if asked_amount else None,
        fee=r.price,
        answer_by=answer_by(fund, r.event, now),
    )
    db.session.add(request)
    until = rules.held_for_asking(request.answer_by, late)
    registration.hold_for_payer(order_id, until=until, now=now)
    _record("aid_request.asked", request, actor=SOMEBODY, now=now)
    mail.send_asked(request, until=until, now=now)
    return request.id


def withdraw(order_id: int, *, now: datetime) -> None:
    """Take a request back; its place can be paid for a week. Raises Refused where it is decided."""
    held = registration.lock_order(order_id, now=now)
    request = queries.find_of_order(order_id)
    if request is None or request.state is not S.ASKED:
        raise Refused(rules.DECIDED)
    _move(request, S.WITHDRAWN, actor=SOMEBODY, now=now)
    until = registration_rules.pay_link_until(now, last_call(request.registration.event))
    if held.holding and held.order.held_until and until < held.order.held_until:
        registration.hold_for_payer(order_id, until=until, now=now)


def award(
    request_id: int, amount: int, *, scope: Collection[int] | None, actor: Actor, now: datetime
) -> bool:
    """Give help: money and place are reserved in this transaction. Return whether the place is confirmed by it.

    Raises Refused above the fee, above what the fund has left, or where the place is not waiting any more.
    """
    request, held = _lock(request_id, scope, now=now)
    if ledger.documents_of([held.order.id]):
        raise Refused(rules.HAS_PAPER)
    lock_rows(Fund, [request.fund_id])
    fund = queries.get_fund(request.fund_id)
    left = fund.budget - queries.given_of([fund.id])[fund.id]
    r = request.registration
    refusal = rules.why_not_award(amount, price=r.price, left=left, currency=fund.currency)
    if refusal:
        raise Refused(refusal)
    request.amount, request.decided_by = amount, actor.label
    _move(request, S.AWARDED, actor=actor, now=now, amount=amount)
    until = rules.pay_by(now, last_call(r.event))
    confirmed = registration.adjust_price(
        held.order.id, r.id, amount, until=until, actor=SYSTEM, now=now
    )
    if confirmed:
        _move(request, S.USED, actor=SYSTEM, now=now)
    mail.send_awarded(request, until=None if confirmed else until, now=now)
    return confirmed


def decline(request_id: int, *, scope: Collection[int] | None, actor: Actor, now: datetime) -> None:
    """Say that there is no help this time: the place can be paid in full until its hold ends."""
    request, held = _lock(request_id, scope, now=now)
    request.decided_by = actor.label
    _move(request, S.DECLINED, actor=actor, now=now)
    mail.send_declined(request, until=held.order.held_until, now=now)


def _lock(
    request_id: int, scope: Collection[int] | None, *, now: datetime
) -> tuple[AidRequest, Held]:
    """Lock the order of a request that waits, then read it afresh; raise Refused where it does not wait."""
    order_id = queries.get_request(request_id, scope=scope).registration.order_id
    held = registration.lock_order(order_id, now=now)
    request = queries.get_request(request_id, scope=scope)
    if request.state is not S.ASKED:
        raise Refused(rules.DECIDED)
    if request.registration.state is not RegistrationState.AWAITING_PAYMENT or not held.holding:
        raise Refused(rules.PLACE_GONE)
    return request, held


def follow(request_id: int, *, now: datetime) -> None:
    """Let a request follow its place: used when that is confirmed, returned to the fund when it ends."""
    order_id = queries.get_request(request_id).registration.order_id
    registration.lock_order(order_id, now=now)
    request = queries.get_request(request_id)
    r = request.registration
    if r.state is RegistrationState.AWAITING_PAYMENT:
        return
    if request.state is S.ASKED:
        _move(request, S.WITHDRAWN, actor=SYSTEM, now=now)
        return
    if request.state is S.AWARDED:
        if r.state in (RegistrationState.CONFIRMED, RegistrationState.TRANSFERRED):
            _move(request, S.USED, actor=SYSTEM, now=now)
        else:
            _return(request, now=now)
    elif request.state is S.USED and _is_over(request):
        _return(request, now=now)


def _is_over(request: AidRequest) -> bool:
    """Tell whether nobody has what was given: a colleague who took the place over has it."""
    r = request.registration
    ended = r.state in (RegistrationState.CANCELLED, RegistrationState.EXPIRED)
    return ended or (r.state is RegistrationState.TRANSFERRED and queries.has_moved_on(r.id))


def _return(request: AidRequest, *, now: datetime) -> None:
    _move(request, S.RETURNED, actor=SYSTEM, now=now)
    r = request.registration
    if r.state is RegistrationState.EXPIRED:
        # Money that comes late takes the place again, at what it costs without help.
        r.price += request.amount or 0
        mail.send_returned(request, now=now)
    db.session.flush()


def _move(
    request: AidRequest, to: S, *, actor: Actor, now: datetime, amount: int | None = None
) -> None:
    before = request.state
    move(request, to, now=now)
    after: dict[str, Any] = {"state": to}
    if amount:
        after["amount"] = amount
    _record(
        f"aid_request.{to}", request, actor=actor, now=now, before={"state": before}, after=after
    )


def _record(
    action: str,
    request: AidRequest,
    *,
    actor: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write it down without event and order: by them the log would tell whom it is about."""
    db.session.flush()
    about = ("aid_request", request.id)
    audit.record(action, about, actor=actor, now=now, before=before, after=after)


def _record_fund(action: str, fund: Fund, *, actor: Actor, now: datetime) -> None:
    after = {"name": fund.name, "budget": fund.budget, "currency": fund.currency}
    audit.record(action, ("aid_fund", fund.id), actor=actor, now=now, after=after)
