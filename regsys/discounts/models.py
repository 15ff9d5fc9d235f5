"""Codes: what they take off, where, until when and how often. Each use is a claim in the code's own pool."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, String, Table, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.capacity.models import Pool
from regsys.events.models import Event
from regsys.kernel.db import Base, UtcDateTime

discount_code_event = Table(
    "discount_code_event",
    Base.metadata,
    Column("code_id", ForeignKey("discount_code.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", ForeignKey("event.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Code(Base):
    """A word that makes places of some events cheaper: by `percent` (hundredths) or by `amount` (minor units) each."""

    __tablename__ = "discount_code"
    __table_args__ = (
        CheckConstraint(
            "(percent IS NULL AND amount > 0) OR (amount IS NULL AND percent > 0 AND percent <= 10000)",
            name="takes_something_off",
        ),
        CheckConstraint("min_group >= 1", name="group_at_least_one"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # In capitals; typed in any case.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    note: Mapped[str] = mapped_column(String(300), default="")
    percent: Mapped[int | None]
    amount: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3), default="")
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # So many people of one workplace must come in one order; 1: anybody.
    min_group: Mapped[int] = mapped_column(default=1, server_default="1")
    # A credit: it counts until it is used up, for this (casefolded) address alone, at every event that begins before
    # its end. What is used of it stands at the places that it pays for.
    email_key: Mapped[str | None] = mapped_column(String(254))
    # Each address once, over all events and orders.
    once: Mapped[bool] = mapped_column(default=False, server_default=false())
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    pool: Mapped[Pool] = relationship()
    events: Mapped[list[Event]] = relationship(
        secondary=discount_code_event, order_by=Event.starts_at
    )

    def counts_at(self, event: Event) -> bool:
        """Tell whether it lowers prices of an event."""
        if self.email_key is None:
            return event.id in {e.id for e in self.events}
        return self.ends_at is None or event.starts_at < self.ends_at

    def __repr__(self) -> str:
        return f"<Code {self.code}>"
