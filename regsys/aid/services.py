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
from regsys.registration.models import Registration
from regsys.registration.queries import Held, adjusted_of
from regsys.registration.services.shared import ENDED
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
    delete_after_days: int = 30
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
    fund.delete_after_days = plan.delete_after_days
    fund.events = list(db.session.scalars(select(Event).where(Event.id.in_(plan.event_ids))))
    db.session.flush()


def why_not_ask(
    held: Held, r: Registration, fund: Fund | None, *, asked: bool, now: datetime
) -> Refusal | None:
    """Refuse where nobody can ask about this place."""
    holding = r.id in held.ends and held.holding
    case = rules.Case(
        moving=r.moved_from_id is not None,
        answered=r.answered_at is not None,
        state=r.state,
        holding=holding,
        paying=holding and held.ends_at is None,
        price=r.price,
        asked=asked,
        has_fund=fund is not None,
        has_paper=bool(ledger.documents_of([held.order.id])),
        latest=_latest(held, r),
    )
    return rules.why_not_ask(case, now)


def _latest(held: Held, r: Registration) -> datetime:
    return rules.latest_answer(last_call(r.event), None if r.is_payer else held.ends.get(r.id))


def answer_by(held: Held, r: Registration, fund: Fund, now: datetime) -> datetime:
    """Return by when somebody is answered who asks now."""
    return rules.answer_by(now, fund.answer_days, _latest(held, r))


def ask(registration_id: int, words: str, *, asked_amount: int | None, now: datetime) -> int:
    """Ask for help with the fee of one's own place, which is held while the committee decides; return its id.

    Where somebody else pays, nothing that they see changes. Locks the order. Raises Refused.
    """
    held, r = _lock_place(registration_id, now=now)
    asked = queries.find_of_place(r.id) is not None
    fund = queries.find_fund(r.event_id, held.order.currency)
    refusal = why_not_ask(held, r, fund, asked=asked, now=now)
    if refusal or fund is None:
        raise Refused(refusal or rules.NO_FUND)
    request = AidRequest(
        fund_id=fund.id,
        registration_id=r.id,
        state_at=now,
        created_at=now,
        words=words,
        asked_amount=min(asked_amount, r.price) if asked_amount else None,
        fee=r.price,
        answer_by=answer_by(held, r, fund, now),
    )
    db.session.add(request)
    until = held.ends[r.id] or request.answer_by
    if r.is_payer:
        until = rules.held_for_asking(request.answer_by, last_call(r.event))
        until = max(until, held.order.held_until or until)
        registration.hold_for_payer(held.order.id, until=until, now=now)
    _record("aid_request.asked", request, actor=SOMEBODY, now=now)
    mail.send_asked(request, until=until, now=now)
    return request.id


def withdraw(registration_id: int, *, now: datetime) -> None:
    """Take a request back; a place of one's own can be paid for a week. Raises Refused where it is decided."""
    held, r = _lock_place(registration_id, now=now)
    request = queries.find_of_place(r.id)
    if request is None or request.state is not S.ASKED:
        raise Refused(rules.DECIDED)
    _move(request, S.WITHDRAWN, actor=SOMEBODY, now=now)
    until = registration_rules.pay_link_until(now, last_call(r.event))
    alone = r.is_payer and held.unpaid == [r]
    if alone and held.holding and held.order.held_until and until < held.order.held_until:
        registration.hold_for_payer(held.order.id, until=until, now=now)


def _lock_place(registration_id: int, *, now: datetime) -> tuple[Held, Registration]:
    held = registration.lock_order(queries.get_order_id(registration_id), now=now)
    return held, next(r for r in held.order.registrations if r.id == registration_id)


def others_of(held: Held) -> list[Registration]:
    """Return who waits for a place that somebody else pays."""
    return [r for r in held.unpaid if not r.is_payer and not r.moved_from_id]


def why_not_invite(held: Held, *, now: datetime) -> Refusal | None:
    """Refuse where the others of an order cannot be asked first."""
    fund = _fund_of_others(held)
    return rules.why_not_invite(
        others=len(others_of(held)),
        holding=held.holding,
        paying=held.holding and held.ends_at is None,
        has_fund=fund is not None,
        has_paper=bool(ledger.documents_of([held.order.id])),
        until=held_for_others(held, now=now),
        now=now,
    )


def held_for_others(held: Held, *, now: datetime) -> datetime:
    """Return until when the places of an order are held if the others are asked first."""
    fund, calls = _fund_of_others(held), [last_call(r.event) for r in held.order.registrations]
    days, placed = fund.answer_days if fund else 0, held.order.placed_at or now
    until = rules.held_for_others(placed, days, min(calls))
    return max(until, held.order.held_until or until)


def _fund_of_others(held: Held) -> Fund | None:
    """Find the fund that takes longest to answer of those that serve somebody else's place."""
    events = {r.event_id for r in others_of(held)}
    found = [f for e in events if (f := queries.find_fund(e, held.order.currency))]
    return max(found, key=lambda f: f.answer_days, default=None)


def invite(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Hold an order so that its people can write to us by their own link before it is paid, and tell them.

    The hold is long enough at once: the payer does not see whether anybody asked. Doing it again changes nothing.
    Locks the order. Raises Refused.
    """
    held = registration.lock_order(order_id, now=now)
    refusal = why_not_invite(held, now=now)
    if refusal:
        raise Refused(refusal)
    until = held_for_others(held, now=now)
    registration.hold_for_payer(order_id, until=until, now=now)
    for r in others_of(held):
        mail.send_invited(r, until=until, now=now)
    audit.record(
        "order.people_asked_first", ("order", order_id), actor=actor, now=now, order_id=order_id
    )


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
    if held.unpaid != [r]:
        until = max(until, held.order.held_until or until)
    confirmed = registration.adjust_price(
        held.order.id, r.id, amount, until=until, actor=SYSTEM, now=now
    )
    if confirmed:
        _move(request, S.USED, actor=SYSTEM, now=now)
    mail.send_awarded(request, until=None if confirmed else until, now=now)
    if not confirmed and not r.is_payer:
        mail.send_price_changed(request, until=until, now=now)
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
    elif request.state is S.USED:
        _follow_used(request, now=now)


def _follow_used(request: AidRequest, *, now: datetime) -> None:
    """Help is for one person: it goes along to another event as far as the move took it, and never to a colleague."""
    r = request.registration
    if r.state not in ENDED:
        return
    there = queries.find_moved_to(r.id) if r.state is RegistrationState.TRANSFERRED else None
    carried = adjusted_of(there.id) if there else 0
    if there is None or not carried:
        _return(request, now=now)
        return
    before = {"amount": request.amount}
    request.registration_id, request.amount, request.fee = there.id, carried, there.price + carried
    after = {"amount": carried}
    _record("aid_request.moved", request, actor=SYSTEM, now=now, before=before, after=after)


def forget_words(request_id: int, *, now: datetime) -> None:
    """Delete what somebody wrote, where its day has come, and say so in the audit; what was decided stays."""
    lock_rows(AidRequest, [request_id])
    request = queries.get_request(request_id)
    if request.words is not None and queries.words_until(request) <= now:
        request.words = None
        _record("aid_request.words_deleted", request, actor=SYSTEM, now=now)


def _return(request: AidRequest, *, now: datetime) -> None:
    _move(request, S.RETURNED, actor=SYSTEM, now=now)
    r = request.registration
    if r.state is RegistrationState.EXPIRED:
        # Money that comes late takes the place again, at what it costs without help.
        registration.put_on_again(r, request.amount or 0)
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
