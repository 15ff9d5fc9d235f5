"""Putting letters into the outbox, in the transaction that makes them true."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select

from regsys.jobs import services as jobs
from regsys.kernel.db import db
from regsys.kernel.states import move
from regsys.outbox.compose import Draft
from regsys.outbox.models import Message
from regsys.outbox.states import MessageState
from regsys.web.urls import settings


def enqueue(draft: Draft, *, now: datetime) -> Message:
    """Store the letter and the job that sends it; if its key is there already, return that one unchanged."""
    existing = db.session.scalar(select(Message).where(Message.key == draft.key))
    if existing:
        return existing
    message = Message(
        key=draft.key,
        kind=draft.kind,
        state=MessageState.QUEUED,
        state_at=now,
        to_name=draft.to_name,
        to_email=draft.to_email,
        reply_to=draft.reply_to or settings().ORGANISATION_EMAIL or None,
        subject=draft.subject,
        text=draft.text,
        html=draft.html,
        attachments=[dict(a) for a in draft.attachments],
        links=dict(draft.links),
        message_id=_message_id(draft.key),
        created_at=now,
        order_id=draft.order_id,
        registration_id=draft.registration_id,
        event_id=draft.event_id,
    )
    db.session.add(message)
    db.session.flush()
    _enqueue_send(message, now=now)
    return message


def retry(message_id: int, *, now: datetime) -> None:
    """Send an uncertain or failed letter once more; raise IllegalMove otherwise."""
    message = db.session.get_one(Message, message_id, populate_existing=True, with_for_update=True)
    move(message, MessageState.QUEUED, now=now)
    _enqueue_send(message, now=now)


def _enqueue_send(message: Message, *, now: datetime) -> None:
    jobs.enqueue(
        "outbox.send",
        f"send:{message.id}:{message.attempts}",
        {"message": message.id},
        due=now,
        now=now,
    )


def _message_id(key: str) -> str:
    # Stable: the same letter sent twice by accident can be recognised by its Message-ID.
    host = urlsplit(settings().BASE_URL).hostname or "localhost"
    return f"<{hashlib.sha256((settings().SECRET_KEY + key).encode()).hexdigest()[:32]}@{host}>"
