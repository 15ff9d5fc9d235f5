"""Money that came in and money that went back. What is paid or due is always derived from these rows."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.ledger.states import MOVES, Problem, RefundState


class Method(StrEnum):
    """How money came."""

    CARD = "card"
    CHEQUE = "cheque"
    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"


class Payment(Base):
    """Money received for an order, in minor units. Where `problem` is set it does not count as paid."""

    __tablename__ = "payment"
    __table_args__ = (CheckConstraint("amount > 0", name="positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("payment_attempt.id"), unique=True)
    method: Mapped[Method] = mapped_column(choice(Method, "method"))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    fee: Mapped[int | None]
    reference: Mapped[str | None] = mapped_column(String(255), unique=True)
    # Stripe's charge: what its books, refunds and disputes name.
    charge: Mapped[str | None] = mapped_column(String(255), unique=True)
    problem: Mapped[Problem | None] = mapped_column(choice(Problem, "problem"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    note: Mapped[str] = mapped_column(String(500), default="")
    refunds: Mapped[list["Refund"]] = relationship(back_populates="payment", order_by="Refund.id")
    disputes: Mapped[list["Dispute"]] = relationship(
        back_populates="payment", order_by="Dispute.id"
    )

    def __repr__(self) -> str:
        return f"<Payment {self.id} {self.amount} {self.currency}>"


class Refund(Base):
    """Money given back from one payment, perhaps for one person; `imported`: made in Stripe's own dashboard.

    Where `method` is not the card, a person gave it back and wrote it down; then `requested_at` is the day on which it
    went. `lowered` is how much came off the order's price with it, in minor units.
    """

    __tablename__ = "refund"
    __table_args__ = (CheckConstraint("amount > 0", name="positive"),)
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"), index=True)
    imported: Mapped[bool] = mapped_column(default=False, server_default=false())
    method: Mapped[Method] = mapped_column(
        choice(Method, "method"), default=Method.CARD, server_default=Method.CARD
    )
    lowered: Mapped[int] = mapped_column(default=0, server_default="0")
    state: Mapped[RefundState] = mapped_column(
        choice(RefundState, "state"), default=RefundState.REQUESTED
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    stripe_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
    requested_by: Mapped[str] = mapped_column(String(200), default="")
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(String(500), default="")
    payment: Mapped[Payment] = relationship(back_populates="refunds")

    def __repr__(self) -> str:
        return f"<Refund {self.id} {self.amount} {self.state}>"


class Dispute(Base):
    """A payment that its card holder contests, as Stripe last told it; `status` and `reason` are Stripe's own words."""

    __tablename__ = "dispute"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id"), index=True)
    stripe_id: Mapped[str] = mapped_column(String(255), unique=True)
    status: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(60), default="")
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    refundable: Mapped[bool]
    # Until then evidence is taken; None: nothing can be said, or any more.
    due_by: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)
    payment: Mapped[Payment] = relationship(back_populates="disputes")

    def __repr__(self) -> str:
        return f"<Dispute {self.id} {self.status}>"
