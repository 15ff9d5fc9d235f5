"""Putting letters into the outbox, in the transaction that makes them true."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from markupsafe import escape
from sqlalchemy import select, update

from regsys.audit.services import record
from regsys.jobs import services as jobs
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, insert_new, lock_rows
from regsys.kernel.errors import IllegalMove, NotFound
from regsys.kernel.states import move
from regsys.kernel.text import N_
from regsys.outbox.compose import Draft, Letter, fill
from regsys.outbox.models import Message
from regsys.outbox.rules import next_try
from regsys.outbox.states import MessageState
from regsys.web.urls import settings


def enqueue(draft: Draft, *, now: datetime) -> Message:
    """Store the letter and the job that sends it; if its key is there already, return that one unchanged."""
    row = {
        "key": draft.key,
        "kind": draft.kind,
        "state": MessageState.QUEUED,
        "state_at": now,
        "to_name": draft.to_name,
        "to_email": draft.to_email,
        "reply_to": draft.reply_to or settings().ORGANISATION_EMAIL or None,
        "subject": draft.subject,
        "text": draft.text,
        "html": draft.html,
        "attachments": [dict(a) for a in draft.attachments],
        "links": dict(draft.links),
        "message_id": _message_id(draft.key),
        "created_at": now,
        "order_id": draft.order_id,
        "registration_id": draft.registration_id,
        "event_id": draft.event_id,
    }
    message = insert_new(Message, row)
    if message is None:
        return db.session.scalars(select(Message).where(Message.key == draft.key)).one()
    _enqueue_send(message, now=now)
    return message


def retry(message_id: int, *, actor: Actor, now: datetime) -> None:
    """Send an uncertain or failed letter once more; raise IllegalMove otherwise."""
    message = _lock(message_id)
    before = str(message.state)
    move(message, MessageState.QUEUED, now=now)
    _enqueue_send(message, now=now)
    _record("message.retried", message, before, actor=actor, now=now)


def settle_as_sent(message_id: int, *, actor: Actor, now: datetime) -> None:
    """Believe somebody who knows that an uncertain letter has arrived; raise IllegalMove otherwise."""
    message = _lock(message_id)
    before = str(message.state)
    if message.state is not MessageState.UNCERTAIN:
        raise IllegalMove("Message", before, MessageState.SENT)
    move(message, MessageState.SENT, now=now)
    message.links = None
    _record("message.settled", message, before, actor=actor, now=now)


def _record(action: str, message: Message, before: str, *, actor: Actor, now: datetime) -> None:
    record(
        action,
        ("message", message.id),
        actor=actor,
        now=now,
        event_id=message.event_id,
        order_id=message.order_id,
        before={"state": before},
        after={"state": str(message.state)},
    )


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


# ---- sending: claim, commit, speak to the server, write down what it said


def claim(message_id: int, *, now: datetime) -> Letter | None:
    """Take a queued letter and return it filled; None where there is nothing to send.

    A letter that is found in `sending` was taken by a worker that died: the server may have it, so it is `uncertain`
    from here on and never sent again by itself.
    """
    # state by UPDATE: of two workers one gets the letter
    taken = (
        update(Message)
        .where(Message.id == message_id, Message.state == MessageState.QUEUED)
        .values(state=MessageState.SENDING, state_at=now, attempts=Message.attempts + 1)
        .returning(Message.id)
    )
    mine = db.session.execute(taken).one_or_none() is not None
    message = db.session.get(Message, message_id, populate_existing=True)
    if message is None:
        return None
    if not mine:
        if message.state is MessageState.SENDING:
            doubt(message_id, "the worker stopped while it was sending", now=now)
        return None
    return _letter(message)


def _letter(message: Message) -> Letter:
    links = message.links or {}
    return Letter(
        id=message.id,
        kind=message.kind,
        to_name=message.to_name,
        to_email=message.to_email,
        reply_to=message.reply_to,
        subject=message.subject,
        text=fill(message.text, links),
        html=fill(message.html, {name: str(escape(url)) for name, url in links.items()}),
        attachments=[
            {**a, "text": fill(a["text"], links)} if "text" in a else a for a in message.attachments
        ],
        links=links,
        message_id=message.message_id,
        attempts=message.attempts,
    )


def mark_sent(message_id: int, *, now: datetime) -> None:
    """Write down that the server has it, and forget the secret addresses.

    A slow worker whose letter somebody else has called uncertain in the meantime knows better.
    """
    message = _lock(message_id)
    if message.state in (MessageState.SENDING, MessageState.UNCERTAIN):
        move(message, MessageState.SENT, now=now)
        message.links, message.error = None, None


def postpone(message_id: int, error: str, *, now: datetime) -> datetime | None:
    """Put it back and return when to try again; after the last try it has failed, and None is returned."""
    message = _lock(message_id)
    if message.state is not MessageState.SENDING:
        return None
    again_at = next_try(message.attempts, now=now)
    move(message, MessageState.QUEUED if again_at else MessageState.FAILED, now=now)
    message.error = error[:2000]
    return again_at


def reject(message_id: int, error: str, *, now: datetime) -> None:
    """Write down that the server will never take it."""
    _end(message_id, MessageState.FAILED, error, now=now)


def doubt(message_id: int, error: str, *, now: datetime) -> None:
    """Write down that nobody knows whether the server has it."""
    _end(message_id, MessageState.UNCERTAIN, error, now=now)


def _end(message_id: int, state: MessageState, error: str, *, now: datetime) -> None:
    message = _lock(message_id)
    if message.state is MessageState.SENDING:
        move(message, state, now=now)
        message.error = error[:2000]


def _lock(message_id: int) -> Message:
    rows = lock_rows(Message, [message_id])
    if not rows:
        raise NotFound(N_("There is no such letter."))
    return rows[0]
