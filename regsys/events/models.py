"""Events: what, when, where, who leads, and what a place costs."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.events.kinds import (
    Enrollment,
    EventKind,
    EventMode,
    InvoiceTerms,
    LeaderLevel,
    LeaderRole,
    OptionKind,
    Proof,
    PublicContact,
    Rate,
    Visibility,
)
from regsys.events.states import MOVES, EventState
from regsys.kernel.crypt import SealedText
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.policies.models import RefundPolicy


class Venue(Base):
    """A house or hall."""

    __tablename__ = "venue"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(300), default="")
    city: Mapped[str] = mapped_column(String(120), default="")
    step_free: Mapped[bool | None]
    access_note: Mapped[str] = mapped_column(String(500), default="")

    def __repr__(self) -> str:
        return f"<Venue {self.name}>"


class Leader(Base):
    """The public and professional side of somebody who leads; `user_id` is how they sign in."""

    __tablename__ = "leader"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("account.id"), unique=True)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    credentials: Mapped[str] = mapped_column(String(80), default="")
    profession: Mapped[str] = mapped_column(String(120), default="")
    discipline: Mapped[str] = mapped_column(String(40), default="")
    level: Mapped[LeaderLevel] = mapped_column(choice(LeaderLevel, "level"))
    bio: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    public_contact: Mapped[PublicContact] = mapped_column(choice(PublicContact, "public_contact"))

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def __repr__(self) -> str:
        return f"<Leader {self.id}>"


class Event(Base):
    """One event. Times are UTC, shown in `time_zone`; amounts are in `currency`'s minor units."""

    __tablename__ = "event"
    __table_args__ = (CheckConstraint("ends_at >= starts_at", name="ends_after_start"),)
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[EventKind] = mapped_column(choice(EventKind, "kind"))
    mode: Mapped[EventMode] = mapped_column(choice(EventMode, "mode"))
    visibility: Mapped[Visibility] = mapped_column(
        choice(Visibility, "visibility"), default=Visibility.PUBLIC
    )
    enrollment: Mapped[Enrollment] = mapped_column(
        choice(Enrollment, "enrollment"), default=Enrollment.OPEN
    )
    state: Mapped[EventState] = mapped_column(
        choice(EventState, "state"), default=EventState.DRAFT, index=True
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(500), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    included: Mapped[str] = mapped_column(Text, default="")
    refund_terms: Mapped[str] = mapped_column(Text, default="")
    # The version of the refund rules that a place bought now keeps; none: the words above are all there is.
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("refund_policy.id"))
    credit: Mapped[str] = mapped_column(String(300), default="")
    # What it costs, in words, where nothing is sold here.
    cost_note: Mapped[str] = mapped_column(String(200), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venue.id"))
    join_link: Mapped[str | None] = mapped_column(SealedText)
    time_zone: Mapped[str] = mapped_column(String(60))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    currency: Mapped[str] = mapped_column(String(3))
    opens_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Early prices hold until this time and/or while the pool of kind `early` has places.
    early_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # By application: until when people are told, for how many hours an accepted place is held, and whether a change
    # after sending opens the review again.
    answer_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accept_hours: Mapped[int] = mapped_column(default=48, server_default="48")
    edit_reopens: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Groups: the leader talks with everybody first, and decides; newcomers may come until meeting number so-and-so is
    # over (0: until the start), and pay for the meetings that are left.
    talk_first: Mapped[bool] = mapped_column(default=False, server_default=false())
    join_meetings: Mapped[int] = mapped_column(default=0, server_default="0")
    pro_rata: Mapped[bool] = mapped_column(default=False, server_default=false())
    minimum: Mapped[int | None]
    decide_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When an organizer decided that it takes place, though fewer people came than it needs.
    runs_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Whether people may wait when it is full, and for how many hours a place is offered to each.
    waitlist: Mapped[bool] = mapped_column(default=True, server_default=true())
    offer_hours: Mapped[int] = mapped_column(default=72, server_default="72")
    # Per eight places, so many of these professions are kept when places are offered to people who wait.
    keep_physicians: Mapped[int] = mapped_column(default=0, server_default="0")
    keep_mental_health: Mapped[int] = mapped_column(default=0, server_default="0")
    # Whether employers may pay by invoice, and in how many days.
    invoices: Mapped[InvoiceTerms] = mapped_column(
        choice(InvoiceTerms, "invoices"),
        default=InvoiceTerms.NONE,
        server_default=InvoiceTerms.NONE.value,
    )
    invoice_days: Mapped[int] = mapped_column(default=30, server_default="30")
    external_name: Mapped[str] = mapped_column(String(200), default="")
    external_url: Mapped[str] = mapped_column(String(500), default="")
    # Private link events: the page opens with ?key=… or the same code typed; the hash is compared.
    private_key: Mapped[str | None] = mapped_column(SealedText)
    private_key_hash: Mapped[str | None] = mapped_column(String(64))
    roster_days_before: Mapped[int | None]
    # Raised with every change that calendars should take over (RFC 5546 SEQUENCE).
    sequence: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state_reason: Mapped[str] = mapped_column(String(500), default="")

    venue: Mapped[Venue | None] = relationship()
    policy: Mapped[RefundPolicy | None] = relationship()
    sessions: Mapped[list["Session"]] = relationship(
        back_populates="event", order_by="Session.starts_at", cascade="all, delete-orphan"
    )
    ticket_types: Mapped[list["TicketType"]] = relationship(
        back_populates="event", order_by="TicketType.position", cascade="all, delete-orphan"
    )
    assignments: Mapped[list["Assignment"]] = relationship(
        back_populates="event", order_by="Assignment.position", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}

    def __repr__(self) -> str:
        return f"<Event {self.slug}>"


class Session(Base):
    """One meeting in the schedule."""

    __tablename__ = "event_session"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends_after_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    title: Mapped[str] = mapped_column(String(200))
    room: Mapped[str] = mapped_column(String(120), default="")
    credit_minutes: Mapped[int] = mapped_column(default=0)
    event: Mapped[Event] = relationship(back_populates="sessions")

    def __repr__(self) -> str:
        return f"<Session {self.id}>"


ticket_type_pool = Table(
    "ticket_type_pool",
    Base.metadata,
    Column("ticket_type_id", ForeignKey("ticket_type.id", ondelete="CASCADE"), primary_key=True),
    Column("pool_id", ForeignKey("pool.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class TicketType(Base):
    """Who pays which price; it draws on the pools named in `ticket_type_pool` (the event's total among them)."""

    __tablename__ = "ticket_type"
    __table_args__ = (
        UniqueConstraint("event_id", "name"),
        CheckConstraint("room_part >= 0", name="room_part_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(300), default="")
    position: Mapped[int] = mapped_column(default=0)
    on_sale: Mapped[bool] = mapped_column(default=True)
    # How much of the price is for a room, in minor units: it may have a refund rule of its own.
    room_part: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # What somebody has to show to get this price.
    proof: Mapped[Proof] = mapped_column(
        choice(Proof, "proof"), default=Proof.NONE, server_default=Proof.NONE.value
    )
    event: Mapped[Event] = relationship(back_populates="ticket_types")
    prices: Mapped[list["Price"]] = relationship(
        back_populates="ticket_type", cascade="all, delete-orphan"
    )

    def __repr__(self) -> str:
        return f"<TicketType {self.name}>"


class Price(Base):
    """One cell of the price grid, in minor units of the event's currency."""

    __tablename__ = "price"
    __table_args__ = (CheckConstraint("amount >= 0", name="not_negative"),)

    ticket_type_id: Mapped[int] = mapped_column(
        ForeignKey("ticket_type.id", ondelete="CASCADE"), primary_key=True
    )
    rate: Mapped[Rate] = mapped_column(choice(Rate, "rate"), primary_key=True)
    amount: Mapped[int]
    ticket_type: Mapped[TicketType] = relationship(back_populates="prices")

    def __repr__(self) -> str:
        return f"<Price {self.rate} {self.amount}>"


class Option(Base):
    """What can be chosen with a place, as long as its pool has some: a room, a meal. Its price in minor units.

    Of those with the same `choice` (“Where you sleep”) each person takes one; one without is a tick.
    """

    __tablename__ = "event_option"
    __table_args__ = (
        UniqueConstraint("event_id", "name"),
        CheckConstraint("price >= 0", name="price_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[OptionKind] = mapped_column(choice(OptionKind, "kind"))
    choice: Mapped[str] = mapped_column(String(120), default="")
    price: Mapped[int]
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), unique=True)
    # Asked of the first person of an order only.
    per_order: Mapped[bool] = mapped_column(default=False, server_default=false())
    # With whom somebody would like to share it.
    asks_wish: Mapped[bool] = mapped_column(default=False, server_default=false())
    on_sale: Mapped[bool] = mapped_column(default=True, server_default=true())

    def __repr__(self) -> str:
        return f"<Option {self.name}>"


class Assignment(Base):
    """A leader in an event, with a role; `public`: shown on the event's page."""

    __tablename__ = "leader_assignment"
    __table_args__ = (UniqueConstraint("event_id", "leader_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    leader_id: Mapped[int] = mapped_column(ForeignKey("leader.id"), index=True)
    role: Mapped[LeaderRole] = mapped_column(choice(LeaderRole, "role"))
    position: Mapped[int] = mapped_column(default=0)
    public: Mapped[bool] = mapped_column(default=True)
    event: Mapped[Event] = relationship(back_populates="assignments")
    leader: Mapped[Leader] = relationship()

    def __repr__(self) -> str:
        return f"<Assignment {self.role}>"
