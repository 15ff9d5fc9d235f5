"""Reading the outbox. `event_ids` None means all; else only letters about these events."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, or_, select

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.outbox.models import Message
from regsys.outbox.states import MessageState
from regsys.web.html import Page

TROUBLE = (MessageState.UNCERTAIN, MessageState.FAILED)
PAGE_SIZE = 50

Events = Collection[int] | None


def get_message(message_id: int, *, event_ids: Events = None) -> Message:
    """Get a letter; raise NotFound if there is none, or none that is yours to see."""
    query = select(Message).where(Message.id == message_id, *_about(event_ids))
    message = db.session.scalar(query)
    if message is None:
        raise NotFound(N_("There is no such letter."))
    return message


def list_messages(
    *, state: MessageState | None, words: str, number: int, event_ids: Events = None
) -> Page[Message]:
    """List letters, the newest first, by state and by what their address or subject holds."""
    query = select(Message).where(*_about(event_ids))
    if state:
        query = query.where(Message.state == state)
    if words:
        like = f"%{words.replace('%', '')}%"
        query = query.where(or_(Message.to_email.ilike(like), Message.subject.ilike(like)))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.scalars(
        query.order_by(Message.created_at.desc(), Message.id.desc())
        .limit(PAGE_SIZE)
        .offset(Page.offset_of(number, PAGE_SIZE))
    )
    return Page(list(rows), number, PAGE_SIZE, total)


def count_by_state(*, event_ids: Events = None) -> dict[MessageState, int]:
    """Count letters in each state."""
    query = select(Message.state, func.count(Message.id)).where(*_about(event_ids))
    found = {state: int(n) for state, n in db.session.execute(query.group_by(Message.state))}
    return {state: found.get(state, 0) for state in MessageState}


def list_trouble(*, event_ids: Events = None, limit: int = 20) -> list[Message]:
    """List letters that somebody must look at: failed, or nobody knows."""
    query = select(Message).where(Message.state.in_(TROUBLE), *_about(event_ids))
    return list(db.session.scalars(query.order_by(Message.state_at.desc()).limit(limit)))


def list_for_order(order_id: int) -> list[Message]:
    """List the letters about an order and its registrations, the oldest first."""
    query = select(Message).where(Message.order_id == order_id)
    return list(db.session.scalars(query.order_by(Message.created_at, Message.id)))


def list_for_registration(registration_id: int) -> list[Message]:
    """List the letters about one registration, the oldest first."""
    query = select(Message).where(Message.registration_id == registration_id)
    return list(db.session.scalars(query.order_by(Message.created_at, Message.id)))


def _about(event_ids: Events) -> list[ColumnElement[bool]]:
    return [] if event_ids is None else [Message.event_id.in_(event_ids)]
