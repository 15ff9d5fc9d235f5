"""Payment attempts and the inbox of Stripe's events."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from regsys.kernel.crypt import SealedJSON, SealedText
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.payments.states import MOVES, AttemptState

HOLDING_SQL = "state IN ('created', 'open', 'processing')"


class PaymentAttempt(Base):
    """One Checkout session, before and after it exists at Stripe.

    The row is committed before the call; `key` and `params` make the call repeatable byte for byte for four minutes.
    """

    __tablename__ = "payment_attempt"
    __table_args__ = (
        Index(
            "uq_payment_attempt_one_open",
            "order_id",
            unique=True,
            postgresql_where=text(HOLDING_SQL),
            sqlite_where=text(HOLDING_SQL),
        ),
    )
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    state: Mapped[AttemptState] = mapped_column(
        choice(AttemptState, "state"), default=AttemptState.CREATED, index=True
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    livemode: Mapped[bool]
    key: Mapped[str] = mapped_column(String(100), unique=True)
    # Sealed: they hold the secret links to the order and the payer's address.
    params: Mapped[dict[str, Any]] = mapped_column(SealedJSON)
    session_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    payment_intent: Mapped[str | None] = mapped_column(String(255), unique=True)
    url: Mapped[str | None] = mapped_column(SealedText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)

    def __repr__(self) -> str:
        return f"<PaymentAttempt {self.id} {self.state}>"


class StripeEvent(Base):
    """An event as it came in: the row is committed first, then processed together with its effects.

    Of the payload only id, type and the object's id are kept: the rest is asked from Stripe.
    """

    __tablename__ = "stripe_event"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str] = mapped_column(String(255), index=True)
    livemode: Mapped[bool]
    api_version: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str | None] = mapped_column(Text)

    def __repr__(self) -> str:
        return f"<StripeEvent {self.id} {self.type}>"


class Cancellation(Base):
    """A whole event that is being cancelled: how far it has come is counted from registrations and refunds."""

    __tablename__ = "cancellation"

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(500))
    requested_by: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def __repr__(self) -> str:
        return f"<Cancellation of event {self.event_id}>"


class Reconciliation(Base):
    """Our rows held against Stripe's books for a span of time; `findings` is JSON text, written when it is over."""

    __tablename__ = "reconciliation"

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    requested_by: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    findings: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str | None] = mapped_column(Text)

    def __repr__(self) -> str:
        return f"<Reconciliation {self.id}>"


class Promise(Base):
    """What comes back besides, by itself, if somebody takes the place that a person has given up, in minor units.

    `amount` in money, and `credit` to the credit that paid a part of the price. `taken_by_id`: who has
    taken it; each taker keeps one promise. It is open until then, or until the event begins.
    """

    __tablename__ = "refill_promise"
    __table_args__ = (
        CheckConstraint(
            "amount >= 0 AND credit >= 0 AND amount + credit > 0", name="amount_positive"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), unique=True)
    taken_by_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"), unique=True)
    amount: Mapped[int]
    credit: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    reason: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kept_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def __repr__(self) -> str:
        return f"<Promise {self.id} {self.amount}>"
