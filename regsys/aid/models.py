"""Funds that help with the fee, and who asked one of them; what a request says is sealed."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.aid.states import MOVES, RequestState
from regsys.events.models import Event
from regsys.kernel.crypt import SealedText
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.registration.models import Registration

aid_fund_event = Table(
    "aid_fund_event",
    Base.metadata,
    Column("fund_id", ForeignKey("aid_fund.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Fund(Base):
    """Money that was set aside, in minor units; without events it serves all of its currency."""

    __tablename__ = "aid_fund"
    __table_args__ = (
        CheckConstraint("budget >= 0", name="budget_not_negative"),
        CheckConstraint("answer_days >= 1", name="answer_days_at_least_one"),
        CheckConstraint("delete_after_days >= 0", name="delete_after_days_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    budget: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    # Whether it can be asked now; what was asked is decided all the same.
    open: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Within so many days the committee answers; the place is held until then, and some days more to pay.
    answer_days: Mapped[int] = mapped_column(default=14, server_default=text("14"))
    # So many days after the event what people wrote is deleted, and after a request that came to nothing.
    delete_after_days: Mapped[int] = mapped_column(default=30, server_default=text("30"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    events: Mapped[list[Event]] = relationship(secondary=aid_fund_event, order_by=Event.starts_at)

    def __repr__(self) -> str:
        return f"<Fund {self.id}>"


class AidRequest(Base):
    """One person's request about one place: what they wrote for the committee, and what it decided."""

    __tablename__ = "aid_request"
    __table_args__ = (
        CheckConstraint("asked_amount > 0", name="asked_amount_positive"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("aid_fund.id"), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), unique=True)
    state: Mapped[RequestState] = mapped_column(
        choice(RequestState, "state"), default=RequestState.ASKED
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # None: its time has come, and it is deleted.
    words: Mapped[str | None] = mapped_column(SealedText)
    # What they asked for (none: whatever is possible), and what was awarded, in minor units.
    asked_amount: Mapped[int | None]
    amount: Mapped[int | None]
    # What the place costs without help.
    fee: Mapped[int]
    answer_by: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    fund: Mapped[Fund] = relationship()
    registration: Mapped[Registration] = relationship()

    def __repr__(self) -> str:
        return f"<AidRequest {self.id} {self.state}>"
