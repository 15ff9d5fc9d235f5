"""Letters, stored as they will be sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from regsys.kernel.crypt import SealedJSON
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.outbox.states import MOVES, MessageState


class Message(Base):
    """One letter; `key` is unique per subject and transition, so that a transition writes at most one.

    Secret links stand in the text as `[[link:name]]`; `links` keeps them sealed until the letter is sent, then none.
    """

    __tablename__ = "message"
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    state: Mapped[MessageState] = mapped_column(
        choice(MessageState, "state"), default=MessageState.QUEUED, index=True
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    to_name: Mapped[str] = mapped_column(String(200))
    to_email: Mapped[str] = mapped_column(String(254), index=True)
    reply_to: Mapped[str | None] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    # [{"filename", "type" ("text/calendar; method=REQUEST"), "text"}]
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    links: Mapped[dict[str, str] | None] = mapped_column(SealedJSON)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"), index=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"), index=True)

    def __repr__(self) -> str:
        return f"<Message {self.key} {self.state}>"
