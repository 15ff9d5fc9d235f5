"""Deciding, and the place that an accepted person has for some hours."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext as _

from regsys.applications import mail, queries, rules
from regsys.applications.models import Application
from regsys.applications.rules import Decision
from regsys.applications.services.shared import lock_application, move_to, record
from regsys.applications.states import WAITING
from regsys.applications.states import ApplicationState as S
from regsys.events.queries import last_call
from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.questions import services as questions
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Registration
from regsys.registration.services import ABOUT, Person, offer_place
from regsys.registration.states import RegistrationState


def decide(
    event_id: int,
    seen: Mapping[int, int],
    decision: Decision,
    *,
    words: str,
    actor: Actor,
    now: datetime,
) -> list[Application]:
    """Decide about one or many, and write the letters: about all of them, or about none.

    `seen` maps ids to the version that was read; `words` go into each letter, and are the question where something is
    asked. Raises Refused where one was decided or changed meanwhile, or there is no place for everyone accepted.
    """
    lock_rows(Application, sorted(seen))
    chosen = queries.list_chosen(event_id, seen)
    if len(chosen) != len(seen) or not chosen:
        raise NotFound(N_("There is no such application."))
    for a in chosen:
        refusal = rules.why_not_decide(
            a.name, a.state, decision, version=a.version, seen=seen[a.id]
        )
        if refusal:
            raise Refused(refusal)
    verb = _VERBS[decision]
    for a in chosen:
        if a.state is S.SUBMITTED:
            move_to(a, S.UNDER_REVIEW, actor=actor, now=now)
        verb(a, words, actor, now)
    return chosen


def _accept(a: Application, words: str, actor: Actor, now: datetime) -> None:
    move_to(a, S.ACCEPTED, actor=actor, now=now)
    a.letter_words, a.decided_by, a.asked = words, actor.label, ""
    _hold(a, actor, now)


def _accept_to_wait(a: Application, words: str, actor: Actor, now: datetime) -> None:
    move_to(a, S.ACCEPTED, actor=actor, now=now, reason=_("All places are taken at the moment."))
    a.letter_words, a.decided_by, a.asked = words, actor.label, ""
    mail.send_waits(a, now=now)


def _decline(a: Application, words: str, actor: Actor, now: datetime) -> None:
    move_to(a, S.DECLINED, actor=actor, now=now)
    a.letter_words, a.decided_by, a.asked = words, actor.label, ""
    mail.send_declined(a, now=now)


def _ask(a: Application, words: str, actor: Actor, now: datetime) -> None:
    move_to(a, S.SUBMITTED, actor=actor, now=now, reason=_("Something was asked of the applicant."))
    a.asked = words
    db.session.flush()
    mail.send_asked(a, now=now)


_VERBS = {
    Decision.ACCEPT: _accept,
    Decision.WAIT: _accept_to_wait,
    Decision.DECLINE: _decline,
    Decision.ASK: _ask,
}


def _hold(a: Application, actor: Actor, now: datetime) -> None:
    """Hold a place for the event's hours, and write the letter with the link to pay."""
    until = rules.accept_until(now, hours=a.event.accept_hours, starts_at=last_call(a.event))
    source = OrderSource.APPLICATION
    r = _take_place(a, a.ticket_type_id, source, _("Accepted."), until=until, actor=actor, now=now)
    mail.send_accepted(a, r, now=now)


def _take_place(
    a: Application,
    ticket_type_id: int,
    source: OrderSource,
    reason: str,
    *,
    until: datetime,
    actor: Actor,
    now: datetime,
) -> Registration:
    """Hold a place until a time, and take the answers along."""
    r = offer_place(
        a.event_id,
        ticket_type_id,
        Person(a.first_name, a.last_name, a.email),
        until=until,
        source=source,
        reason=reason,
        actor=actor,
        now=now,
        about={key: getattr(a, key) for key in ABOUT},
        proof=a.proof,
    )
    questions.take_over_answers(a.id, r.id)
    a.registration_id, a.registration = r.id, r
    a.reminded_at = a.lapsed_at = None
    db.session.flush()
    return r


def hold_from_list(
    application_id: int, ticket_type_id: int, *, until: datetime, actor: Actor, now: datetime
) -> Registration:
    """Hold a place until a time for somebody accepted whose turn on the waiting list it is, without a letter."""
    a = lock_application(application_id)
    refusal = rules.why_not_hold_again(a.state, a.registration.state if a.registration else None)
    if refusal:
        raise Refused(refusal)
    record("application.held_from_list", a, actor=actor, now=now)
    source, reason = OrderSource.WAITING_LIST, _("Offered from the waiting list.")
    return _take_place(a, ticket_type_id, source, reason, until=until, actor=actor, now=now)


def hold_again(application_id: int, *, event_id: int, actor: Actor, now: datetime) -> Registration:
    """Hold a place for somebody accepted who has none: it was let go, or there was none; raise Refused."""
    a = lock_application(application_id, event_id=event_id)
    refusal = rules.why_not_hold_again(a.state, a.registration.state if a.registration else None)
    if refusal:
        raise Refused(refusal)
    record("application.held_again", a, actor=actor, now=now)
    _hold(a, actor, now)
    assert a.registration is not None
    return a.registration


# ---- what the sweep does


def remind(application_id: int, *, now: datetime) -> None:
    """Remind an accepted person of the place that is held for them, once."""
    a = lock_application(application_id)
    r = a.registration
    if a.reminded_at or r is None or r.state is not RegistrationState.AWAITING_PAYMENT:
        return
    a.reminded_at = now
    record("application.reminded", a, actor=SYSTEM, now=now)
    mail.send_reminder(a, r, now=now)


def tell_lapsed(application_id: int, *, now: datetime) -> None:
    """Tell an accepted person that their place was let go, once."""
    a = lock_application(application_id)
    r = a.registration
    if a.lapsed_at or r is None or r.state is not RegistrationState.EXPIRED:
        return
    a.lapsed_at = now
    record("application.lapsed", a, actor=SYSTEM, now=now)
    mail.send_lapsed(a, r, now=now)


def decline_called_off(application_id: int, *, now: datetime) -> None:
    """Decline what waits for a decision about an event that will not take place, and say so."""
    a = lock_application(application_id)
    if a.state not in WAITING:
        return
    if a.state is S.SUBMITTED:
        move_to(a, S.UNDER_REVIEW, actor=SYSTEM, now=now)
    reason = _("The event will not take place.")
    move_to(a, S.DECLINED, actor=SYSTEM, now=now, reason=reason)
    a.asked, a.decided_by = "", SYSTEM.label
    mail.send_called_off(a, now=now)
