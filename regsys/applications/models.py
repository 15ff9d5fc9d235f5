"""Applications, what reviewers think of them, and applications that are not sent yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.accounts.models import User
from regsys.applications.states import MOVES, ApplicationState
from regsys.events.models import Event, TicketType
from regsys.kernel.crypt import SealedJSON, SealedText
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.registration.models import Registration

STANDS = "state <> 'withdrawn'"


class Application(Base):
    """One person who would like a place in one event. `version` counts what they sent, from 1."""

    __tablename__ = "application"
    __table_args__ = (
        Index(
            "uq_application_standing_email",
            "event_id",
            "email_key",
            unique=True,
            postgresql_where=text(STANDS),
            sqlite_where=text(STANDS),
        ),
        Index(None, "event_id", "state"),
    )
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    ticket_type_id: Mapped[int] = mapped_column(ForeignKey("ticket_type.id"), index=True)
    state: Mapped[ApplicationState] = mapped_column(
        choice(ApplicationState, "state"), default=ApplicationState.SUBMITTED
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    badge_name: Mapped[str] = mapped_column(String(100), default="")
    pronouns: Mapped[str] = mapped_column(String(40), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    profession: Mapped[str] = mapped_column(String(120), default="")
    credentials: Mapped[str] = mapped_column(String(80), default="")
    workplace: Mapped[str] = mapped_column(String(200), default="")
    city: Mapped[str] = mapped_column(String(120), default="")
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # What they say of what the event requires, in their own words: need → text.
    attested: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What the reviewers ask, until it is answered by a change; and their own words in the last letter.
    asked: Mapped[str] = mapped_column(Text, default="")
    letter_words: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    # The place that is held, or was; another one where it lapsed and was held again.
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"), unique=True)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lapsed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    event: Mapped[Event] = relationship()
    ticket_type: Mapped[TicketType] = relationship()
    registration: Mapped[Registration | None] = relationship()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def __repr__(self) -> str:
        return f"<Application {self.id} {self.state}>"


class Review(Base):
    """What one reviewer thinks of one application; for reviewers only. `version`: of what they had read."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("application_id", "user_id"),
        CheckConstraint("score BETWEEN 1 AND 5", name="score_of_five"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    version: Mapped[int]
    score: Mapped[int | None]
    note: Mapped[str] = mapped_column(SealedText, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user: Mapped[User] = relationship()

    def __repr__(self) -> str:
        return f"<Review {self.id}>"


class ApplicationDraft(Base):
    """An application that is not sent yet: everything that was typed, as it was typed, without private answers."""

    __tablename__ = "application_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    # [[field name, value], …]
    typed: Mapped[Any] = mapped_column(SealedJSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # The address to which the link was mailed, and when.
    mailed_to: Mapped[str] = mapped_column(String(254), default="")
    mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    event: Mapped[Event] = relationship()

    def __repr__(self) -> str:
        return f"<ApplicationDraft {self.id}>"
