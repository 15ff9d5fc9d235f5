"""Questions of an event's form, and the answers."""

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

from regsys.kernel.crypt import SealedJSON
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.questions.kinds import Audience, QuestionType, Stage


class Question(Base):
    """One version of one question; a changed question is a new row with the same key and the next version."""

    __tablename__ = "question"
    __table_args__ = (
        UniqueConstraint("event_id", "key", "version"),
        Index(
            "uq_question_current",
            "event_id",
            "key",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
            sqlite_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(String(60))
    version: Mapped[int] = mapped_column(default=1)
    position: Mapped[int] = mapped_column(default=0)
    type: Mapped[QuestionType] = mapped_column(choice(QuestionType, "type"))
    label: Mapped[str] = mapped_column(String(500))
    help: Mapped[str] = mapped_column(String(1000), default="")
    # The text that is agreed to, in Markdown; for agreements only.
    terms: Mapped[str] = mapped_column(Text, default="")
    required: Mapped[bool] = mapped_column(default=False)
    stage: Mapped[Stage] = mapped_column(
        choice(Stage, "stage"), default=Stage.REGISTER, server_default=Stage.REGISTER.value
    )
    # [[value, label], …] for choices
    choices: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    # {"question": key, "is": [value, …]}: asked only if that question is asked and answered so
    show_if: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    visible_to: Mapped[Audience] = mapped_column(
        choice(Audience, "visible_to"), default=Audience.ORGANIZER
    )
    sensitive: Mapped[bool] = mapped_column(default=False)
    delete_after_days: Mapped[int | None]
    column_title: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def __repr__(self) -> str:
        return f"<Question {self.key} v{self.version}>"


class Answer(Base):
    """What one person answered to one version, in a registration or in an application.

    Sensitive values are in `sealed`, others in `value`. `answered_at` is the timestamp of an agreement; the agreed
    version is the question's.
    """

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("registration_id", "key"),
        UniqueConstraint("application_id", "key"),
        CheckConstraint(
            "(registration_id IS NULL) <> (application_id IS NULL)", name="of_one_thing"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int | None] = mapped_column(
        ForeignKey("registration.id", ondelete="CASCADE")
    )
    application_id: Mapped[int | None] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE")
    )
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), index=True)
    key: Mapped[str] = mapped_column(String(60))
    value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    sealed: Mapped[Any] = mapped_column(SealedJSON, nullable=True)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    question: Mapped[Question] = relationship()

    @property
    def stored(self) -> Any:
        """Return what is stored, wherever it is kept."""
        return self.value if self.sealed is None else self.sealed

    def __repr__(self) -> str:
        return f"<Answer {self.id} {self.key}>"


__all__ = ["Answer", "Audience", "Question", "QuestionType", "Stage"]
