"""Applications that are not sent yet: kept as they were typed, and reached by a mailed link."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete

from regsys.applications import mail
from regsys.applications.models import ApplicationDraft
from regsys.kernel import tokens
from regsys.kernel.db import db, lock_rows

Typed = Sequence[tuple[str, str]]


def save_draft(
    event_id: int, typed: Typed, *, email: str, draft_id: int | None, by_hand: bool, now: datetime
) -> ApplicationDraft:
    """Keep what was typed, in the draft that there is or in a new one; without private answers: leave them out.

    `by_hand`: somebody wants to go on later, so the link goes off at once, once an hour at most; else the sweep mails
    it when the draft has rested.
    """
    found = lock_rows(ApplicationDraft, [draft_id]) if draft_id else []
    draft = next((d for d in found if d.event_id == event_id), None) or _make(event_id, now=now)
    draft.email, draft.saved_at = email, now
    draft.typed = [list(pair) for pair in typed]
    db.session.add(draft)
    db.session.flush()
    if by_hand:
        _mail(draft, now=now)
    return draft


def _make(event_id: int, *, now: datetime) -> ApplicationDraft:
    token = tokens.new_token()
    return ApplicationDraft(
        event_id=event_id, token=token, token_hash=tokens.hash_token(token), created_at=now
    )


def mail_draft_link(draft_id: int, *, now: datetime) -> None:
    """Mail the link of a draft that rests to the address in it, once."""
    for draft in lock_rows(ApplicationDraft, [draft_id]):
        if draft.mailed_to != draft.email:
            _mail(draft, now=now)


def _mail(draft: ApplicationDraft, *, now: datetime) -> None:
    mail.send_draft_link(draft, now=now)
    draft.mailed_to, draft.mailed_at = draft.email, now
    db.session.flush()


def drop_draft(draft_id: int) -> None:
    """Delete a draft: it was sent, or nobody has touched it for long."""
    db.session.execute(delete(ApplicationDraft).where(ApplicationDraft.id == draft_id))
