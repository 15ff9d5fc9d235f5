"""Asking Stripe, then writing down what it said: the way of everything that concerns an attempt.

This counts as a door: webhook, success page, poller and organizer all come through here. Stripe is always asked with
no transaction open; one transaction then locks the order and lets everything follow. Any step may be cut off and
repeated.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from regsys.kernel import clock, killpoints
from regsys.kernel.actors import STRIPE, Actor
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW, Refused
from regsys.kernel.text import N_
from regsys.payments import gateway, queries, refunds, rules, services
from regsys.payments.gateway import KeyReused, Missing, Rejected, Unreachable
from regsys.payments.queries import Known
from regsys.payments.refunds import execute_refund as execute_refund
from regsys.payments.refunds import import_dispute as import_dispute
from regsys.payments.refunds import import_refunds as import_refunds
from regsys.payments.rules import Notice, Session
from regsys.payments.services import Back, Step
from regsys.payments.states import HOLDING, AttemptState
from regsys.web.urls import settings

log = logging.getLogger(__name__)

_ROUNDS = 4
_STILL_BUSY = N_("Your payment page could not be opened just now.")
_OTHER_MODE = "it was made with a key of the other mode"
# Where Stripe's clock and ours differ, and how long a call may have been under way.
_AROUND = timedelta(minutes=5)


@dataclass(frozen=True)
class Settled:
    """Where an attempt stands after Stripe was asked; `state` None: the session is not ours."""

    order_id: int | None = None
    state: AttemptState | None = None
    url: str | None = None

    @classmethod
    def of(cls, known: Known) -> "Settled":
        return cls(known.order_id, known.state, known.url)

    @property
    def payable(self) -> bool:
        """Tell whether the payer can be sent to Stripe's page."""
        return self.state is AttemptState.OPEN and bool(self.url)


FOREIGN = Settled()
# Nothing is left for the payer to do at Stripe.
DONE = frozenset({AttemptState.PAID, AttemptState.QUARANTINED, AttemptState.PROCESSING})


# ---- the payer goes to Stripe ----


def start_checkout(
    which: int | str,
    *,
    placing: bool = False,
    whole: bool = False,
    link: str | None = None,
    back: Back | None = None,
) -> str | None:
    """Return the address of Stripe's page for an order (its id or its token); None: nothing is left to pay there.

    `placing`: it is a cart, and is placed in the same transaction. `whole`: all that is due, also what is due later
    only; `link`: the secret of somebody else who pays; `back`: where whoever pays an invoice belongs. Raises Refused,
    and UpstreamFailed where Stripe does not answer: places and attempt are kept then.
    """
    prefill = True
    for _ in range(_ROUNDS):
        with transaction():
            begin = services.place_and_open if placing else services.open_attempt
            plan = begin(which, prefill=prefill, now=clock.now(), whole=whole, link=link, back=back)
        if plan is None:
            return None
        try:
            settled = _carry_out(plan)
        except Rejected as e:
            prefill = _judge_rejection(e, plan.attempt.id)
            continue
        if settled.payable:
            return settled.url
        if settled.state in DONE:
            return None
    raise Unreachable(_STILL_BUSY)


def _carry_out(plan: services.Plan) -> Settled:
    if plan.step is Step.CREATE:
        killpoints.reach("attempt-committed")
        return Settled.of(_create(plan.attempt))
    if plan.step is Step.REPLACE:
        return _end_attempt(plan.attempt)
    return settle(attempt_id=plan.attempt.id, patient=False)


def _judge_rejection(e: Rejected, attempt_id: int) -> bool:
    """Return whether the next try may tell Stripe the address; raise what cannot be mended by another try."""
    _give_up(attempt_id, e)
    if isinstance(e, KeyReused):
        return True
    if e.param == "customer_email":
        return False
    if e.code in ("amount_too_small", "amount_too_large"):
        known = queries.get_attempt(attempt_id)
        raise Refused(rules.not_chargeable(known.amount, known.currency)) from e
    raise e


def _give_up(attempt_id: int, e: Rejected) -> None:
    """Give up an attempt whose session Stripe refused to make; one that has a session is left as it is."""
    log.error("Stripe rejected attempt %s: %s (%s, %s)", attempt_id, e.said, e.code, e.param)
    if queries.get_attempt(attempt_id).session_id:
        return
    with transaction():
        services.abandon(attempt_id, f"{e.code}: {e.said}", now=clock.now())


def _create(known: Known) -> Known:
    session = gateway.create_session(known.params, key=known.tag)
    killpoints.reach("session-created")
    with transaction():
        return services.record_session(known.id, session, now=clock.now())


def end_checkout(order_id: int) -> Settled | None:
    """End the payment page that is open for an order, so that the order can change; None: there is none.

    Where it was paid in the meantime it is settled instead. Raises UpstreamFailed: then it may still be open.
    """
    attempt = queries.find_holding(order_id)
    return _end_attempt(queries.get_attempt(attempt.id)) if attempt else None


def _end_attempt(known: Known) -> Settled:
    """End an attempt that no longer fits; if it was paid in the meantime, settle it instead."""
    if known.livemode is not settings().livemode:
        with transaction():
            services.abandon(known.id, _OTHER_MODE, now=clock.now())
        return _stands(known.id)
    session_id = known.session_id or _reach(known)
    if session_id:
        _end_session(session_id)
    return _stands(known.id)


def _end_session(session_id: str) -> None:
    """End a session of ours at Stripe and let its attempt follow; one that is no longer open is settled."""
    try:
        gateway.expire_session(session_id)
    except Missing:
        pass
    except Rejected as e:
        log.info("session %s could not be ended: %s", session_id, e.said)
    settle(session_id=session_id, patient=False, follow=False)


# ---- Stripe is asked ----


def settle(
    *,
    attempt_id: int | None = None,
    session_id: str | None = None,
    event_id: str | None = None,
    actor: Actor = STRIPE,
    patient: bool = True,
    follow: bool = True,
) -> Settled:
    """Ask Stripe about an attempt or a session and let attempt, money, places and letters follow.

    With `event_id` the event is marked as processed in the same transaction. An attempt that Stripe does not know is
    given up after its end, or at once if not `patient`. `follow`: also end a session that would bring money for
    nothing. Raises UpstreamFailed.
    """
    known = queries.get_attempt(attempt_id) if attempt_id else None
    # Whose session it is shows under the lock; before that it matters only where Stripe does not know it.
    session = None if known else _ask_unknown(session_id or "")
    if known is None and session is None:
        known = queries.find_by_session(session_id or "")
    if known:
        session = _ask(known, patient=patient)
        if session is None:
            _mark(event_id, "gone")
            return _stands(known.id)
    done = None
    if session and (known is None or known.session_id in (None, session.id)):
        which = known.id if known else None
        with transaction():
            done = services.apply_session(
                which, session, actor=actor, now=clock.now(), event_id=event_id
            )
    if done is None:
        return _leave_alone(session_id, event_id)
    if done.known.state is AttemptState.QUARANTINED:
        refunds.give_back(done.known.id, actor=actor)
    if done.stray and follow:
        _end_stray(done.stray)
        return _stands(done.known.id)
    return Settled.of(done.known)


def _end_stray(session_id: str) -> None:
    try:
        _end_session(session_id)
    except NOT_NOW as e:
        # What was settled stands; the poller, or Stripe's own clock, ends this one.
        log.warning("session %s could not be ended: %s", session_id, e)


def _ask_unknown(session_id: str) -> Session | None:
    if not session_id.startswith("cs_"):
        return None
    try:
        return gateway.retrieve_session(session_id)
    except Missing:
        return None


def _ask(known: Known, *, patient: bool) -> Session | None:
    """Return the attempt's session as Stripe has it now; None: it has none, and the attempt says so."""
    try:
        if known.livemode is not settings().livemode:
            raise Missing(_OTHER_MODE, None, None)
        session_id = known.session_id or _reach(known)
        return gateway.retrieve_session(session_id) if session_id else None
    except Missing as e:
        _miss(known, e, patient=patient)
        return None


def _reach(known: Known) -> str | None:
    """Return the id of a session whose making was never recorded: by asking again, or by looking it up."""
    if rules.may_repeat(known.created_at, clock.now()) and known.state is AttemptState.CREATED:
        try:
            return _create(known).session_id
        except Rejected as e:
            _give_up(known.id, e)
            raise
    since, until = known.created_at - _AROUND, known.created_at + _AROUND
    found = gateway.find_session(known.tag, since=since, until=until)
    with transaction():
        if found:
            services.record_session(known.id, found, now=clock.now())
        else:
            services.abandon(known.id, "Stripe never made a session for it", now=clock.now())
    return found.id if found else None


def _miss(known: Known, e: Missing, *, patient: bool) -> None:
    """Keep places while a session that Stripe does not know under this key could still be paid under another."""
    over = clock.now() >= known.expires_at
    with transaction():
        if over or not patient:
            services.abandon(known.id, e.said, now=clock.now())
        else:
            services.note_failure(known.id, e.said, now=clock.now())


def _leave_alone(session_id: str | None, event_id: str | None) -> Settled:
    log.info("session %s is not ours", session_id)
    _mark(event_id, "foreign")
    return FOREIGN


def _mark(event_id: str | None, outcome: str) -> None:
    if event_id:
        with transaction():
            services.mark_event(event_id, outcome, now=clock.now())


def _stands(attempt_id: int) -> Settled:
    return Settled.of(queries.get_attempt(attempt_id))


def look_again(known: Known) -> AttemptState:
    """Return where an attempt stands, asking Stripe if that can change and was not just done."""
    just_asked = known.asked_at is not None and clock.now() - known.asked_at < rules.PATIENCE
    if known.state not in HOLDING or just_asked:
        return known.state
    try:
        return settle(attempt_id=known.id).state or known.state
    except NOT_NOW as e:
        log.warning("attempt %s could not be settled on return: %s", known.id, e)
        return known.state


# Kinds of events about money that went back, or is to.
MONEY_BACK = ("refund.", "charge.refund", "charge.dispute.")


def _follow(kind: str, object_id: str, event_id: str) -> None:
    """Let refunds and disputes follow an event, also where it came before the event of its payment."""
    unknown = refunds.follow(kind, object_id, event_id=event_id)
    if unknown is None:
        return
    tag = refunds.find_tag(unknown) if unknown else None
    known = queries.find_by_tag(tag) if tag else None
    if known:
        settle(attempt_id=known.id)
        if refunds.follow(kind, object_id, event_id=event_id) is None:
            return
    _mark(event_id, "foreign")


def process_event(event_id: str, notice: Notice | None = None) -> bool:
    """Make the effects of an event that is in the inbox; on any failure it stays due, and False is returned.

    `notice`: the event, where it was just received and is known not to be processed.
    """
    try:
        event = notice or queries.find_due_event(event_id)
        if event is None:
            return True
        if event.type.startswith("checkout.session."):
            settle(session_id=event.object_id, event_id=event_id)
        elif event.type.startswith(MONEY_BACK):
            _follow(event.type, event.object_id, event_id)
        else:
            _mark(event_id, "ignored")
        return True
    except Exception as e:
        log.exception("event %s could not be processed", event_id)
        with transaction():
            services.fail_event(event_id, f"{type(e).__name__}: {e}")
        return False
