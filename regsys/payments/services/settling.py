"""An attempt follows what Stripe says of its session: forward only, and any number of times."""

import logging
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.db import db
from regsys.kernel.states import can_move, move
from regsys.ledger import services as ledger
from regsys.ledger.models import Method, Payment
from regsys.ledger.rules import PROBLEM_TITLES
from regsys.ledger.states import Problem
from regsys.payments import mail, queries, rules
from regsys.payments.models import PaymentAttempt
from regsys.payments.queries import Known
from regsys.payments.rules import Asked, Session, Verdict
from regsys.payments.services.attempts import (
    attach,
    kept_until,
    let_go,
    lock,
    lock_for,
    write_down,
)
from regsys.payments.services.inbox import mark_event
from regsys.payments.states import HOLDING, AttemptState
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.services import PaidOutcome

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Followed:
    """An attempt that followed its session. `stray`: a session that is to be ended at Stripe, as it would bring
    money for nothing.
    """

    known: Known
    stray: str | None


def apply_session(
    attempt_id: int | None,
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    event_id: str | None = None,
) -> Followed | None:
    """Let an attempt follow what Stripe says of its session: forward only, and any number of times.

    Without `attempt_id` it is the attempt to which the session belongs; None: there is none.
    """
    attempt = lock(attempt_id) if attempt_id else lock_for(session)
    if attempt is None:
        return None
    was_holding = attempt.state in HOLDING
    attach(attempt, session)
    attempt.error = None
    verdict = rules.judge(session, Asked(attempt.amount, attempt.currency, attempt.livemode))
    if verdict in (Verdict.PAID, Verdict.MISMATCH):
        _take_money(attempt, session, verdict, actor=actor, now=now)
    elif verdict is Verdict.EXPIRED:
        _end(attempt, actor=actor, now=now)
    elif verdict is Verdict.FAILED:
        _fail(attempt, actor=actor, now=now)
    else:
        _go_on(attempt, verdict, now=now)
    attempt.asked_at = now
    db.session.flush()
    if event_id:
        mark_event(event_id, verdict, now=now)
    stray = _find_stray(attempt, session, alone=was_holding)
    return Followed(queries.known_of(attempt), stray)


def _take_money(
    attempt: PaymentAttempt, session: Session, verdict: Verdict, *, actor: Actor, now: datetime
) -> None:
    if attempt.state in (AttemptState.PAID, AttemptState.QUARANTINED):
        _complete(attempt, session)
        return
    # Read before the payment is written: what was due without it.
    held = registration.lock_order(attempt.order_id, now=now, money=True, sessions=True)
    before = held.balance or registrations.due(attempt.order_id)
    payment = _record(attempt, session, actor=actor, now=now)
    if verdict is Verdict.MISMATCH:
        attempt.payment_intent = session.payment_intent
        _set_aside(attempt, payment, Problem.MISMATCH, actor=actor, now=now)
        return
    made_by = rules.made_by(attempt.params)
    outcome = registration.confirm_paid(held, actor=actor, now=now, made_by=made_by)
    problem = rules.on_payment(
        confirmed=outcome is PaidOutcome.CONFIRMED,
        no_place=outcome is PaidOutcome.NO_PLACE,
        due=before.due,
        paid_before=before.net,
        amount=attempt.amount,
    )
    attempt.payment_intent = session.payment_intent
    if problem:
        _set_aside(attempt, payment, problem, actor=actor, now=now)
        return
    move(attempt, AttemptState.PAID, now=now)
    if made_by:  # who came to the order after the invoice is still to be paid
        let_go(attempt, until=now + rules.ANOTHER_TRY, actor=actor, now=now)
    if outcome is PaidOutcome.ALREADY:
        order, left = registrations.get_order(attempt.order_id), registrations.due(attempt.order_id)
        mail.send_rest_paid(order, attempt, left=left.due, now=now)


def _complete(attempt: PaymentAttempt, session: Session) -> None:
    """Add the fee, which Stripe's books may not say yet when the money comes."""
    payment = queries.find_payment_of(attempt.id)
    if payment and payment.fee is None and session.fee is not None:
        ledger.note_fee(payment.id, fee=session.fee, charge=session.charge)


def _record(
    attempt: PaymentAttempt, session: Session, *, actor: Actor, now: datetime
) -> Payment | None:
    amount, currency = rules.received(session)
    if amount <= 0:
        return None
    return ledger.record_payment(
        attempt.order_id,
        amount=amount,
        currency=currency,
        method=Method.CARD,
        actor=actor,
        now=now,
        attempt_id=attempt.id,
        reference=session.payment_intent or session.id,
        charge=session.charge,
        fee=session.fee,
    )


def _set_aside(
    attempt: PaymentAttempt,
    payment: Payment | None,
    problem: Problem,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep money that does not count: it goes back by itself, or a person looks at it while the places wait."""
    held = attempt.state in HOLDING
    move(attempt, AttemptState.QUARANTINED, now=now)
    attempt.error = problem
    if payment:
        ledger.mark_problem(payment.id, problem, actor=actor, now=now)
    by_itself = problem in rules.GOES_BACK
    if payment and by_itself:
        _give_back(attempt, payment, problem, now=now)
    if held:
        wait = rules.SHORT_HOLD if by_itself else rules.LOOKED_AT_WITHIN
        let_go(attempt, until=now + wait, actor=actor, now=now)
    log.error("payment for order %s set aside: %s (%r)", attempt.order_id, problem, attempt)


def _give_back(
    attempt: PaymentAttempt, payment: Payment, problem: Problem, *, now: datetime
) -> None:
    """Ask for all of it back, once: Stripe is asked after the commit."""
    why = _(PROBLEM_TITLES[problem])
    refund = ledger.refund_whole(payment.id, reason=why, actor=SYSTEM, now=now)
    mail.send_money_back(registrations.get_order(attempt.order_id), refund, problem, now=now)


def _fail(attempt: PaymentAttempt, *, actor: Actor, now: datetime) -> None:
    """Keep the places for another try after a bank said no, days after the payer was done."""
    if attempt.state not in HOLDING:
        return
    if attempt.state is not AttemptState.PROCESSING:
        move(attempt, AttemptState.PROCESSING, now=now)
    move(attempt, AttemptState.FAILED, now=now)
    until = kept_until(attempt, now + rules.ANOTHER_TRY)
    let_go(attempt, until=until, actor=actor, now=now)
    mail.send_failed(registrations.get_order(attempt.order_id), attempt, until=until, now=now)
    write_down("payment.failed", attempt, actor=actor, now=now)


def _end(attempt: PaymentAttempt, *, actor: Actor, now: datetime) -> None:
    held = attempt.state in HOLDING
    if not can_move(attempt.MOVES, attempt.state, AttemptState.EXPIRED):
        return
    move(attempt, AttemptState.EXPIRED, now=now)
    if held:
        until = rules.hold_after(attempt.expires_at, now)
        let_go(attempt, until=until, actor=actor, now=now)
    write_down("payment.expired", attempt, actor=actor, now=now)


def _go_on(attempt: PaymentAttempt, verdict: Verdict, *, now: datetime) -> None:
    to = AttemptState.PROCESSING if verdict is Verdict.PROCESSING else AttemptState.OPEN
    if attempt.state in HOLDING and can_move(attempt.MOVES, attempt.state, to):
        move(attempt, to, now=now)
        if to is AttemptState.PROCESSING:
            mail.send_processing(registrations.get_order(attempt.order_id), attempt, now=now)


def _find_stray(attempt: PaymentAttempt, session: Session, *, alone: bool) -> str | None:
    """Find an open session of the order that would bring money twice, or for nothing.

    `alone`: this attempt could still bring money until now, and of an order only one can.
    """
    own = session.status == "open"
    if own and attempt.state not in HOLDING:
        return session.id
    one = attempt if own else None if alone else queries.find_holding(attempt.order_id)
    if one is None or (one is attempt and not own):
        return None
    return one.session_id if registrations.due(attempt.order_id).due < one.amount else None
