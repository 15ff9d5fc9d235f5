"""What applicants do: send it, change it, withdraw it."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.applications import mail, queries, rules
from regsys.applications.models import Application
from regsys.applications.services.drafts import drop_draft
from regsys.applications.services.shared import (
    Sheet,
    lock_application,
    move_to,
    record,
    tell_leaders,
)
from regsys.applications.states import ApplicationState as S
from regsys.events import rules as event_rules
from regsys.events.kinds import Proof
from regsys.events.models import Event
from regsys.events.queries import last_call, places_of, sale_facts
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Invalid, NotFound, Refusal, Refused
from regsys.kernel.text import N_, email_key
from regsys.pathway.queries import findings_of
from regsys.pathway.rules import stops
from regsys.questions import services as questions
from regsys.registration import mail as registration_mail
from regsys.registration import proving
from regsys.registration import rules as registration_rules
from regsys.registration.queries import list_live_emails
from regsys.registration.services import ABOUT
from regsys.registration.services.places import get_for_sale


def submit(
    event_id: int, sheet: Sheet, *, draft_id: int | None, actor: Actor, now: datetime
) -> Refusal | None:
    """Send an application, and the letter that says so; raise Refused or Invalid.

    Returns a refusal where the address has applied or has a place already, or is known not to have what the event
    requires: then a letter says so, and the caller commits. Whoever sends is told nothing else.
    """
    event = _open_event(event_id, sheet, now=now)
    key = email_key(sheet.person.email)
    if _tell_who_is_here(event_id, key, now=now):
        return rules.EMAIL_TAKEN
    stopped = stops(findings_of(event_id, [key], now=now)[key])
    if stopped:
        mail.send_not_eligible(event, sheet.person, stopped, now=now)
        return rules.NOT_ELIGIBLE
    token = tokens.new_token()
    a = Application(
        token=token,
        token_hash=tokens.hash_token(token),
        event_id=event_id,
        event=event,
        state=S.SUBMITTED,
        state_at=now,
        submitted_at=now,
        email=sheet.person.email,
        email_key=key,
        ticket_type_id=sheet.ticket_type_id,
        proof=_shown(event, sheet),
        attested=dict(sheet.attested) if sheet.attested else None,
    )
    _describe(a, event, sheet)
    db.session.add(a)
    db.session.flush()
    questions.store_application_answers(
        a.id, event_id=event_id, values=sheet.values, kept=sheet.kept, now=now
    )
    if draft_id:
        drop_draft(draft_id)
    record("application.submitted", a, actor=actor, now=now, after={"state": a.state})
    mail.send_received(a, now=now)
    if event.talk_first:
        tell_leaders(a, now=now)
    return None


def _open_event(event_id: int, sheet: Sheet, *, now: datetime) -> Event:
    event = get_for_sale([event_id]).get(event_id)
    if event is None:
        raise NotFound(N_("There is no such event."))
    places = places_of([event_id], now=now)[event_id]
    refusal = event_rules.why_not_apply(sale_facts(event, places), now)
    if refusal:
        raise Refused(refusal)
    _check_type(event, sheet)
    return event


def _check_type(event: Event, sheet: Sheet, before: Application | None = None) -> None:
    """Raise Refused where there is no such type, or its price asks for a proof; one that was shown `before` stands."""
    chosen = next((t for t in event.ticket_types if t.id == sheet.ticket_type_id), None)
    if chosen is None or not chosen.prices:
        raise Refused(rules.NO_NAME_OF_PLACE)
    if chosen.proof is not Proof.MEMBER or (before and before.proof):
        return
    if sheet.proof is None:
        raise Refused(proving.PROOF_WANTED)
    if sheet.proof["email_key"] != email_key(sheet.person.email):
        raise Refused(proving.PROOF_OF_ANOTHER)


def _shown(event: Event, sheet: Sheet) -> dict[str, Any] | None:
    """Return the proof for the price that is chosen, as it is kept."""
    asks = {t.id for t in event.ticket_types if t.proof is Proof.MEMBER}
    return dict(sheet.proof) if sheet.proof and sheet.ticket_type_id in asks else None


def _tell_who_is_here(event_id: int, key: str, *, now: datetime) -> bool:
    """Mail the link of whoever has applied or has a place under this address; tell whether there is one."""
    standing = queries.find_standing(event_id, key)
    if standing:
        mail.send_existing(standing, now=now)
        return True
    live = list_live_emails(event_id, [key])
    for r in live:
        registration_mail.send_existing_link(r, now=now)
    return bool(live)


def _describe(a: Application, event: Event, sheet: Sheet) -> None:
    """Note the person and their work; raise Invalid if something is missing."""
    required = registration_rules.required_of_person(event.kind)
    missing = {k: [_("Please fill this in.")] for k in sorted(required) if not sheet.about.get(k)}
    if missing:
        raise Invalid(missing)
    a.first_name, a.last_name = sheet.person.first_name, sheet.person.last_name
    for key in ABOUT:
        setattr(a, key, sheet.about.get(key, ""))


def edit(application_id: int, sheet: Sheet, *, actor: Actor, now: datetime) -> bool:
    """Change what was sent; the address stays. Return whether the review was opened again by it.

    Where the reviewers had asked something, the change is the answer. Raises Refused or Invalid.
    """
    a = lock_application(application_id)
    event = get_for_sale([a.event_id])[a.event_id]
    refusal = rules.why_not_edit(
        a.state,
        asked=bool(a.asked),
        closes_at=event.closes_at,
        starts_at=last_call(event),
        now=now,
    )
    if refusal:
        raise Refused(refusal)
    _check_type(event, sheet, a)
    _describe(a, event, sheet)
    if sheet.attested is not None:
        a.attested = dict(sheet.attested) or None
    a.ticket_type_id, a.proof = sheet.ticket_type_id, a.proof or _shown(event, sheet)
    questions.store_application_answers(
        a.id, event_id=a.event_id, values=sheet.values, kept=sheet.kept, now=now
    )
    a.version, a.changed_at, a.asked = a.version + 1, now, ""
    record("application.changed", a, actor=actor, now=now, after={"version": a.version})
    reopened = event.edit_reopens and a.state is S.UNDER_REVIEW
    if reopened:
        reason = _("The applicant has changed it.")
        move_to(a, S.SUBMITTED, actor=actor, now=now, reason=reason)
    return reopened


def withdraw_for(
    application_id: int, *, event_id: int, reason: str, actor: Actor, now: datetime
) -> None:
    """Withdraw somebody's application as they have asked for, and write to them; raise NotFound or Refused."""
    queries.get_application(application_id, event_id=event_id)
    withdraw(application_id, reason=reason, actor=actor, now=now)
    mail.send_withdrawn(lock_application(application_id), reason=reason, now=now)


def withdraw(application_id: int, *, actor: Actor, now: datetime, reason: str = "") -> None:
    """Withdraw an application that is not decided; raise Refused."""
    a = lock_application(application_id)
    refusal = rules.why_not_withdraw(a.state)
    if refusal:
        raise Refused(refusal)
    a.asked = ""
    move_to(a, S.WITHDRAWN, actor=actor, now=now, reason=reason)
