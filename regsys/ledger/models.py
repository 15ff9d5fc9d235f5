"""Money that came in and money that went back. What is paid or due is always derived from these rows."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    CheckConstraint,
    ForeignKey,
    String,
    UniqueConstraint,
    event,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.ledger.kinds import FINAL_DDL, DocumentKind, document_name
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
    # When it was written down: later than the day of a cheque.
    noted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
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


class DocumentNumber(Base):
    """The last number that was given to a kind of document in a year."""

    __tablename__ = "document_number"

    kind: Mapped[DocumentKind] = mapped_column(choice(DocumentKind, "kind"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]

    def __repr__(self) -> str:
        return f"<DocumentNumber {self.kind} {self.year}: {self.last}>"


class Document(Base):
    """A receipt, invoice or credit note as it was given out; the database refuses to change or delete it.

    `content` is everything that is printed, in words, for version `template` of the sheet. `cause` names what made
    it ("payment:12"), `corrects_id` the document that it takes back or replaces, `through_line` the newest line of
    the order's price that it knows of. `total` is in minor units.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("kind", "year", "number"),
        CheckConstraint("total > 0", name="positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DocumentKind] = mapped_column(choice(DocumentKind, "kind"))
    year: Mapped[int]
    number: Mapped[int]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    cause: Mapped[str] = mapped_column(String(60), unique=True)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    currency: Mapped[str] = mapped_column(String(3))
    total: Mapped[int]
    through_line: Mapped[int | None]
    billed_to: Mapped[str] = mapped_column(String(300))
    template: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    lines: Mapped[list["DocumentLine"]] = relationship(order_by="DocumentLine.position")

    @property
    def name(self) -> str:
        """Return the number as it is printed: "R-2026-0007"."""
        return document_name(self.kind, self.year, self.number)

    def __repr__(self) -> str:
        return f"<Document {self.name}>"


class DocumentLine(Base):
    """One amount of a document; together they are its total. Not `of_price`: paid before, or still to pay."""

    __tablename__ = "document_line"
    __table_args__ = (UniqueConstraint("document_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    position: Mapped[int]
    what: Mapped[str] = mapped_column(String(300))
    amount: Mapped[int]
    of_price: Mapped[bool] = mapped_column(default=True, server_default=true())

    def __repr__(self) -> str:
        return f"<DocumentLine {self.document_id}.{self.position} {self.amount}>"


for _name in ("document", "document_line"):
    for _dialect, _statements in FINAL_DDL.items():
        for _statement in _statements:
            event.listen(
                Base.metadata.tables[_name],
                "after_create",
                DDL(_statement % {"table": _name}).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]
            )
