"""An attempt begins, is remembered, is given up. The order is locked first, then the attempt."""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, select, update

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.kernel import money, tokens
from regsys.kernel.actors import STRIPE, Actor
from regsys.kernel.db import db, insert_new, note_lock
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.states import can_move, check_move, move
from regsys.kernel.text import N_
from regsys.payments import queries, rules
from regsys.payments.models import PaymentAttempt
from regsys.payments.queries import Known
from regsys.payments.rules import Session
from regsys.payments.states import AttemptState
from regsys.registration import services as registration
from regsys.registration.models import Order
from regsys.registration.queries import Held
from regsys.registration.services import CheckoutFacts
from regsys.registration.states import RegistrationState
from regsys.web.urls import absolute, settings

log = logging.getLogger(__name__)


class Step(StrEnum):
    """What the door does next with an attempt: ask Stripe for a session, ask about the one there is, end it."""

    CREATE = "create"
    ASK = "ask"
    REPLACE = "replace"


@dataclass(frozen=True)
class Plan:
    """The attempt of an order, and what to do with it."""

    attempt: Known
    step: Step


@dataclass(frozen=True)
class Back:
    """Where Stripe's page sends whoever pays an invoice, in full addresses, and their e-mail.

    They are asked for what is open of it (`most`, in minor units); places made after `made_by` are none of its.
    """

    paid: str
    left: str
    email: str
    most: int
    made_by: datetime


def place_and_open(
    which: int | str,
    *,
    prefill: bool,
    now: datetime,
    whole: bool = False,
    link: str | None = None,
    back: Back | None = None,
) -> Plan | None:
    """Place a cart and open an attempt for it, in one transaction; None: nothing is to pay. Raises Refused."""
    held = registration.place_cart(which, now=now)
    waits = any(r.state is RegistrationState.AWAITING_PAYMENT for r in held.order.registrations)
    return open_attempt(held, prefill=prefill, now=now, whole=whole) if waits else None


def open_attempt(
    which: int | str | Held,
    *,
    prefill: bool,
    now: datetime,
    whole: bool = False,
    link: str | None = None,
    back: Back | None = None,
) -> Plan:
    """Hold the order's places without end and return its attempt: the open one if it still fits, or a new one.

    Locks the order, `which` is its id or its token. `prefill`: tell Stripe the payer's address. `whole`: ask for all
    that is due. `link`: the secret of somebody else who pays, and who comes back to their own page. Raises Refused.
    """
    facts = registration.hold_for_checkout(
        which, now=now, whole=whole, most=back.most if back else None
    )
    if not money.chargeable(facts.amount, facts.currency):
        raise Refused(rules.not_chargeable(facts.amount, facts.currency))
    key = f"attempt-{tokens.new_token()}"
    expires_at = now + rules.LIFETIME
    params = rules.build_params(_offer(facts, prefill, link, back), tag=key, expires_at=expires_at)
    livemode = settings().livemode
    row = {
        "order_id": facts.order_id,
        "state": AttemptState.CREATED,
        "state_at": now,
        "amount": facts.amount,
        "currency": facts.currency,
        "livemode": livemode,
        "key": key,
        "params": params,
        "created_at": now,
        "expires_at": expires_at,
    }
    # The index allows one attempt of an order that may still bring money.
    made = insert_new(PaymentAttempt, row)
    if made:
        return Plan(queries.known_of(made), Step.CREATE)
    existing = queries.get_holding(facts.order_id)
    fits = existing.livemode is livemode and rules.may_reuse(
        existing.params, params, expires_at=existing.expires_at, now=now
    )
    if existing.state is AttemptState.PROCESSING or fits:
        return Plan(queries.known_of(existing), Step.ASK)
    return Plan(queries.known_of(existing), Step.REPLACE)


def _offer(facts: CheckoutFacts, prefill: bool, link: str | None, back: Back | None) -> rules.Offer:
    success = absolute("payments.paid", token=facts.token)
    cancel = absolute("registration.order", token=facts.token)
    email = facts.payer_email
    if link:
        success = absolute("payments.shared_paid", token=link)
        cancel = absolute("payments.shared", token=link)
    elif back:
        success, cancel, email = back.paid, back.left, back.email
    return rules.Offer(
        code=facts.code,
        currency=facts.currency,
        amount=facts.amount,
        # Somebody else who pays learns no full name.
        lines=[] if link else facts.lines,
        titles=facts.titles,
        email=rules.usable_email(email) if prefill and not link else "",
        success_url=success + "?session_id={CHECKOUT_SESSION_ID}",
        cancel_url=cancel,
        methods=rules.methods_for(facts.currency, settings().STRIPE_DELAYED_METHODS),
        made_by=back.made_by if back else None,
    )


def record_session(attempt_id: int, session: Session, *, now: datetime) -> Known:
    """Remember the session that Stripe made for an attempt; what it means is settled elsewhere."""
    made = _record_first(attempt_id, session, now=now) if session.status == "open" else None
    if made is not None:
        return queries.known_of(made)
    attempt = lock(attempt_id)
    attach(attempt, session)
    if attempt.state is AttemptState.CREATED and session.status == "open":
        move(attempt, AttemptState.OPEN, now=now)
    db.session.flush()
    return queries.known_of(attempt)


def _record_first(attempt_id: int, session: Session, *, now: datetime) -> PaymentAttempt | None:
    """Tie an open session to an attempt that waits for its first one, in one statement; None: it does not wait.

    Nothing is read before and no second row is locked, so that the order need not be: whoever has the order's lock and
    changes this attempt is waited for, and then it does not wait any more.
    """
    to = AttemptState.OPEN
    check_move(PaymentAttempt.MOVES, AttemptState.CREATED, to, what="PaymentAttempt")
    # state by UPDATE: checked above, and only where the row still has the state from which it moves.
    first = (
        update(PaymentAttempt)
        .where(PaymentAttempt.id == attempt_id, PaymentAttempt.session_id.is_(None))
        .where(PaymentAttempt.state == AttemptState.CREATED, PaymentAttempt.key == session.tag)
        .values(state=to, state_at=now, session_id=session.id, url=session.url)
        .returning(PaymentAttempt)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    made: PaymentAttempt | None = db.session.scalar(first)
    return made


def abandon(attempt_id: int, why: str, *, now: datetime) -> None:
    """Give up an attempt that Stripe does not have; its places stay held for a while, for another try."""
    attempt = lock(attempt_id)
    attempt.error = why[:500]
    attempt.asked_at = now
    if can_move(attempt.MOVES, attempt.state, AttemptState.ABANDONED):
        move(attempt, AttemptState.ABANDONED, now=now)
        let_go(attempt, until=now + rules.SHORT_HOLD, actor=STRIPE, now=now)
        write_down("payment.abandoned", attempt, actor=STRIPE, now=now, reason=why)
    db.session.flush()


def note_failure(attempt_id: int, why: str, *, now: datetime) -> None:
    """Note that Stripe could not be asked about an attempt; its places stay held."""
    attempt = lock(attempt_id)
    attempt.asked_at = now
    attempt.error = why[:500]
    db.session.flush()


# ---- shared by what happens later ----


def lock(attempt_id: int) -> PaymentAttempt:
    """Lock the attempt's order, then the attempt, freshly read; raise NotFound."""
    attempt = _lock(PaymentAttempt.id == attempt_id)
    if attempt is None:
        raise NotFound(N_("There is no such payment."))
    return attempt


def lock_for(session: Session) -> PaymentAttempt | None:
    """Lock the attempt to which a session belongs, as `lock` does; None: it is not ours."""
    own = PaymentAttempt.session_id == session.id
    first = PaymentAttempt.session_id.is_(None) & (PaymentAttempt.key == session.tag)
    return _lock(own | first if session.tag else own)


def _lock(which: ColumnElement[bool]) -> PaymentAttempt | None:
    """Lock an order, then its attempt.

    One statement: PostgreSQL locks a row's parts in the order of FROM, and reads both anew where it had to wait.
    """
    query = (
        select(Order, PaymentAttempt)
        .select_from(Order)
        .join(PaymentAttempt, PaymentAttempt.order_id == Order.id)
        .where(which)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        return None
    order, attempt = row
    note_lock(order, attempt)
    return attempt


def attach(attempt: PaymentAttempt, session: Session) -> None:
    """Tie a session to its attempt; the stored id decides, the metadata only confirm it."""
    if attempt.session_id is None:
        attempt.session_id = session.id
    if attempt.session_id != session.id:
        raise ValueError(f"{attempt!r} has session {attempt.session_id}, not {session.id}")
    attempt.url = session.url or attempt.url
    if session.tag != attempt.key:
        log.warning("the metadata of %s do not name %r", session.id, attempt)


def write_down(
    action: str, attempt: PaymentAttempt, *, actor: Actor, now: datetime, reason: str | None = None
) -> None:
    """Add an audit entry about an attempt."""
    audit.record(
        action,
        ("attempt", attempt.id),
        actor=actor,
        now=now,
        order_id=attempt.order_id,
        reason=reason,
        after={"state": attempt.state, "amount": attempt.amount, "currency": attempt.currency},
    )


def let_go(attempt: PaymentAttempt, *, until: datetime | None, actor: Actor, now: datetime) -> None:
    """Give what the order still holds an end: a time (see `kept_until`), or (None) now."""
    db.session.flush()
    if until is None:
        registration.release_checkout(attempt.order_id, actor=actor, now=now)
        return
    waiting = queries.list_awaiting(attempt.order_id)
    if waiting:
        capacity.extend(waiting, until=kept_until(attempt, until), now=now)


def kept_until(attempt: PaymentAttempt, until: datetime) -> datetime:
    """Return until when places are held after a payment page: never shorter than a letter has promised."""
    promised = db.session.get_one(Order, attempt.order_id).held_until
    return max(until, promised or until)
