"""Hosts of events, the places that are kept for them, and who asks them for a seat."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.events.models import Event, TicketType
from regsys.hosts.kinds import Pays
from regsys.hosts.states import MOVES, RequestState
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.registration.models import Order

WAITING_SQL = "state = 'waiting'"

# The places that are kept for seats without a name: claims without a registration.
host_place = Table(
    "host_place",
    Base.metadata,
    Column("host_id", ForeignKey("host.id", ondelete="CASCADE"), primary_key=True),
    Column("claim_id", ForeignKey("claim.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Host(Base):
    """The organisation for whose people seats of one event are kept, and who coordinates them there."""

    __tablename__ = "host"
    __table_args__ = (
        CheckConstraint("seats >= 1", name="seats_at_least_one"),
        CheckConstraint("agreed_sum >= 0", name="agreed_sum_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), unique=True)
    organisation: Mapped[str] = mapped_column(String(200))
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    # Set when the coordinator was invited: nobody may sign in before.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    invited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seats: Mapped[int]
    ticket_type_id: Mapped[int] = mapped_column(ForeignKey("ticket_type.id"))
    pays: Mapped[Pays] = mapped_column(choice(Pays, "pays"))
    # For all seats together, in minor units; none: each named seat costs what its ticket type says.
    agreed_sum: Mapped[int | None]
    # Until when names can be put on seats and swapped (none: until it begins), and when seats without a name are let
    # go (none: never).
    names_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), unique=True)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[Event] = relationship()
    ticket_type: Mapped[TicketType] = relationship()
    order: Mapped[Order | None] = relationship()

    @property
    def coordinator(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def __repr__(self) -> str:
        return f"<Host {self.id} {self.organisation}>"


class SeatRequest(Base):
    """Somebody who came by the private link and asks the host for a seat; `email_key` is the casefolded address."""

    __tablename__ = "seat_request"
    __table_args__ = (
        Index(
            "uq_seat_request_waiting_email",
            "host_id",
            "email_key",
            unique=True,
            postgresql_where=text(WAITING_SQL),
            sqlite_where=text(WAITING_SQL),
        ),
    )
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"), index=True)
    state: Mapped[RequestState] = mapped_column(
        choice(RequestState, "state"), default=RequestState.WAITING
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    host: Mapped[Host] = relationship()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def __repr__(self) -> str:
        return f"<SeatRequest {self.id} {self.state}>"
