"""Orders and registrations."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.discounts.models import Code
from regsys.events.kinds import Rate
from regsys.events.models import Event, Option, TicketType
from regsys.kernel.crypt import SealedText
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.policies.models import RefundPolicy
from regsys.questions.models import Answer
from regsys.registration.kinds import OFFERED, OrderSource
from regsys.registration.states import HANDING, MOVES, HandOverState, RegistrationState

HANDED_SQL = "state IN ('open', 'asked')"
LIVE_SQL = "state IN ('draft', 'awaiting_payment', 'confirmed')"


class Order(Base):
    """What one payer takes, in one currency; it begins as a cart and is placed once."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    currency: Mapped[str] = mapped_column(String(3))
    first_name: Mapped[str] = mapped_column(String(100), default="")
    last_name: Mapped[str] = mapped_column(String(100), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    placed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The cart hold may be made longer once.
    hold_extended: Mapped[bool] = mapped_column(default=False)
    source: Mapped[OrderSource] = mapped_column(
        choice(OrderSource, "source"),
        default=OrderSource.CART,
        server_default=OrderSource.CART.value,
    )
    # Mailed links: their places are held until then, also after a payment page that was left unpaid.
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The link by which somebody else can pay what is still due; it shows amounts and first names.
    share_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    share_token: Mapped[str | None] = mapped_column(SealedText)
    registrations: Mapped[list["Registration"]] = relationship(
        back_populates="order", order_by="Registration.id"
    )
    lines: Mapped[list["OrderLine"]] = relationship(back_populates="order", order_by="OrderLine.id")

    @property
    def payer_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def offered(self) -> bool:
        return self.source in OFFERED

    @property
    def by_link(self) -> bool:
        """Tell whether somebody else chose the place: rooms, meals and a code come behind the mailed link."""
        return self.offered or self.source is OrderSource.BY_HAND

    def __repr__(self) -> str:
        return f"<Order {self.code}>"


class Registration(Base):
    """One person in one event. Nameless while it is a draft; `email_key` is the casefolded address."""

    __tablename__ = "registration"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("room_part >= 0", name="room_part_not_negative"),
        CheckConstraint("deposit > 0", name="deposit_positive"),
        CheckConstraint(
            "credit_used = 0 OR (credit_used > 0 AND code_id IS NOT NULL)",
            name="credit_used_of_code",
        ),
        Index(
            "uq_registration_live_email",
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
    code: Mapped[str] = mapped_column(String(20), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    ticket_type_id: Mapped[int] = mapped_column(ForeignKey("ticket_type.id"), index=True)
    state: Mapped[RegistrationState] = mapped_column(
        choice(RegistrationState, "state"), default=RegistrationState.DRAFT
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Decided when the hold was made. The price is what the person's lines come to: the place, what was chosen with it,
    # and what a code takes off.
    rate: Mapped[Rate] = mapped_column(choice(Rate, "rate"))
    price: Mapped[int]
    code_id: Mapped[int | None] = mapped_column(ForeignKey("discount_code.id"), index=True)
    # What of the credit (its `code_id`) pays for this place, or was kept of it when the place was given up.
    credit_used: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # The credit that was made of what was kept when this place was given up.
    credit_id: Mapped[int | None] = mapped_column(ForeignKey("discount_code.id"), unique=True)
    # Frozen with the price: the part of it that is for a room, the refund rules, and when the event was to begin.
    room_part: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("refund_policy.id"))
    promised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What the place alone would have cost without a word about training, where that is more.
    full_price: Mapped[int | None]
    # What makes this place sure, and when the rest of its price is due; none: all of it is paid at once.
    # A day without a deposit: something was added to the price of a place that is confirmed.
    deposit: Mapped[int | None]
    rest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The place in another event that this one stands for, and how often its place has moved in all. While it waits for
    # payment the old place stays; when it is confirmed the old one is transferred, in the same transaction.
    moved_from_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"))
    times_moved: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # What was shown for this price, as it was on that day: {"kind": "member", "number": …, "until": …}.
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # Something must be chosen with the place, and is not chosen yet.
    options_open: Mapped[bool] = mapped_column(default=False, server_default=false())
    # True where the payer is this person: then the form asks everything at once.
    is_payer: Mapped[bool] = mapped_column(default=False)
    first_name: Mapped[str] = mapped_column(String(100), default="")
    last_name: Mapped[str] = mapped_column(String(100), default="")
    badge_name: Mapped[str] = mapped_column(String(100), default="")
    pronouns: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    profession: Mapped[str] = mapped_column(String(120), default="")
    credentials: Mapped[str] = mapped_column(String(80), default="")
    workplace: Mapped[str] = mapped_column(String(200), default="")
    city: Mapped[str] = mapped_column(String(120), default="")
    time_zone: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str] = mapped_column(String(200), default="")
    end_reason: Mapped[str] = mapped_column(String(500), default="")
    # When this person had answered everything that their form asked; none: still open.
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sequence: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(Text, default="")
    order: Mapped[Order] = relationship(back_populates="registrations")
    event: Mapped[Event] = relationship()
    ticket_type: Mapped[TicketType] = relationship()
    policy: Mapped[RefundPolicy | None] = relationship()
    discount_code: Mapped[Code | None] = relationship(foreign_keys=[code_id])
    credit: Mapped[Code | None] = relationship(foreign_keys=[credit_id])
    answers: Mapped[list[Answer]] = relationship(order_by=Answer.id)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def __repr__(self) -> str:
        return f"<Registration {self.code} {self.state}>"


class LineKind(StrEnum):
    """What a line of the price is for."""

    PLACE = "place"
    OPTION = "option"
    DISCOUNT = "discount"
    AWARD = "award"
    # A negative line: a place given back, or a hold that ended unpaid.
    RETURN = "return"
    # What is kept of a fee when a place is given back.
    KEPT = "kept"
    OTHER = "other"


class OrderLine(Base):
    """One line of the price, with its reason. What an order costs is the sum of all its lines, always:
    a registration that ends adds a RETURN line that takes its amount back; lines are never changed or deleted,
    except those of a cart that is not placed yet.
    """

    __tablename__ = "order_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"), index=True)
    kind: Mapped[LineKind] = mapped_column(choice(LineKind, "kind"))
    reason: Mapped[str] = mapped_column(String(300))
    amount: Mapped[int]
    option_id: Mapped[int | None] = mapped_column(ForeignKey("event_option.id"), index=True)
    # The refund with which it came off the price, where that may be taken back as a mistake.
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"), index=True)
    order: Mapped[Order] = relationship(back_populates="lines")

    def __repr__(self) -> str:
        return f"<OrderLine {self.kind} {self.amount}>"


class OptionChoice(Base):
    """What somebody chose with their place; `wish` says with whom they would share it, and only organizers read it.

    The registration holds a place in the option's pool as long as it holds its own.
    """

    __tablename__ = "option_choice"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), primary_key=True)
    option_id: Mapped[int] = mapped_column(
        ForeignKey("event_option.id"), primary_key=True, index=True
    )
    wish: Mapped[str] = mapped_column(SealedText, default="")
    option: Mapped[Option] = relationship()

    def __repr__(self) -> str:
        return f"<OptionChoice {self.registration_id} {self.option_id}>"


class HandOver(Base):
    """A place on its way to a colleague, whose link opens a form; `about` is what they tell of themselves there."""

    __tablename__ = "hand_over"
    __table_args__ = (
        Index(
            "uq_hand_over_open",
            "registration_id",
            unique=True,
            postgresql_where=text(HANDED_SQL),
            sqlite_where=text(HANDED_SQL),
        ),
    )
    MOVES = HANDING

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), index=True)
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    state: Mapped[HandOverState] = mapped_column(
        choice(HandOverState, "state"), default=HandOverState.OPEN
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_name: Mapped[str] = mapped_column(String(100), default="")
    last_name: Mapped[str] = mapped_column(String(100), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    about: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    registration: Mapped[Registration] = relationship(foreign_keys=[registration_id])

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def __repr__(self) -> str:
        return f"<HandOver {self.id} {self.state}>"
