"""Versions of refund policies: written once, never changed, so that a registration keeps the one it was bought with."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from regsys.kernel.db import Base, UtcDateTime


class RefundPolicy(Base):
    """One version of a policy; `body` is what `rules.read` takes. A change makes a new row with the next version."""

    __tablename__ = "refund_policy"
    __table_args__ = (CheckConstraint("version > 0", name="version_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")

    def __repr__(self) -> str:
        return f"<RefundPolicy {self.title} {self.version}>"
