"""Entries of the waiting list, and the offers that were made to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.events.models import Event, TicketType
from regsys.kernel.crypt import SealedText
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.registration.models import Order
from regsys.waitlist.states import MOVES, EntryState

LIVE_SQL = "state IN ('waiting', 'offered')"

# The ticket types that a party would take.
waitlist_choice = Table(
    "waitlist_choice",
    Base.metadata,
    Column("entry_id", ForeignKey("waitlist_entry.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "ticket_type_id",
        ForeignKey("ticket_type.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
)

# The places that are held for an offer while it is open: claims without a registration.
waitlist_place = Table(
    "waitlist_place",
    Base.metadata,
    Column("offer_id", ForeignKey("waitlist_offer.id", ondelete="CASCADE"), primary_key=True),
    Column("claim_id", ForeignKey("claim.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Entry(Base):
    """A party that waits for places of one event; `email_key` is the casefolded address."""

    __tablename__ = "waitlist_entry"
    __table_args__ = (
        CheckConstraint("size >= 1", name="size_at_least_one"),
        Index(
            "uq_waitlist_entry_live_email",
            "event_id",
            "email_key",
            unique=True,
            postgresql_where=text(LIVE_SQL),
            sqlite_where=text(LIVE_SQL),
        ),
        Index(None, "event_id", "state"),
    )
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    # Who was accepted while all places were taken waits with their application.
    application_id: Mapped[int | None] = mapped_column(ForeignKey("application.id"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    state: Mapped[EntryState] = mapped_column(
        choice(EntryState, "state"), default=EntryState.WAITING
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The order in which people are asked; ties go by id.
    position: Mapped[int]
    size: Mapped[int] = mapped_column(default=1)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    profession: Mapped[str] = mapped_column(String(120), default="")
    # IANA name; empty: not known, the event's counts.
    time_zone: Mapped[str] = mapped_column(String(60), default="")
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Passed over by an organizer, who says why; the position is kept.
    skipped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(String(500), default="")
    left_reason: Mapped[str] = mapped_column(String(500), default="")
    event: Mapped[Event] = relationship()
    types: Mapped[list[TicketType]] = relationship(
        secondary=waitlist_choice, order_by=(TicketType.position, TicketType.id)
    )
    offers: Mapped[list["Offer"]] = relationship(back_populates="entry", order_by="Offer.id")

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def zone(self) -> str:
        return self.time_zone or self.event.time_zone

    @property
    def offer(self) -> "Offer | None":
        """Return the last offer."""
        return self.offers[-1] if self.offers else None

    def __repr__(self) -> str:
        return f"<Entry {self.id} {self.state}>"


class Offer(Base):
    """Places that are held for a party until a time; `order_id` is set when it was accepted."""

    __tablename__ = "waitlist_offer"
    __table_args__ = (
        Index(
            "uq_waitlist_offer_open",
            "entry_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("waitlist_entry.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    ticket_type_id: Mapped[int] = mapped_column(ForeignKey("ticket_type.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    order_id: Mapped[int | None] = mapped_column(
        ForeignKey("orders.id", ondelete="SET NULL"), index=True
    )
    # When the person was told that what they accepted was let go unfinished.
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    entry: Mapped[Entry] = relationship(back_populates="offers")
    ticket_type: Mapped[TicketType] = relationship()
    order: Mapped[Order | None] = relationship()

    def __repr__(self) -> str:
        return f"<Offer {self.id} to {self.entry_id}>"
