"""Invoices that were asked for: to whom, until when, and who was reminded."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.billing.states import MOVES, InvoiceState
from regsys.events.kinds import InvoiceTerms
from regsys.kernel.crypt import SealedText
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.ledger.models import Document
from regsys.registration.models import Order

OPEN_SQL = "state = 'open'"


class Invoice(Base):
    """One order's invoice; `document` is the paper that stands now. An order has one open invoice at most.

    `reminded` counts the reminders that the calendar has sent or passed over.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        Index(
            "uq_invoice_open",
            "order_id",
            unique=True,
            postgresql_where=text(OPEN_SQL),
            sqlite_where=text(OPEN_SQL),
        ),
    )
    MOVES = MOVES

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(SealedText)
    state: Mapped[InvoiceState] = mapped_column(
        choice(InvoiceState, "state"), default=InvoiceState.OPEN
    )
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    terms: Mapped[InvoiceTerms] = mapped_column(choice(InvoiceTerms, "terms"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    email: Mapped[str] = mapped_column(String(254))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[str] = mapped_column(String(200))
    reminded: Mapped[int] = mapped_column(default=0, server_default="0")
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(500), default="")
    order: Mapped[Order] = relationship()
    document: Mapped[Document] = relationship()

    def __repr__(self) -> str:
        return f"<Invoice {self.id} {self.state}>"
