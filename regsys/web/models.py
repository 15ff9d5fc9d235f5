"""The one table of this room: counters for rate limits, shared by every process."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from regsys.kernel.db import Base, UtcDateTime


class RateCount(Base):
    """How often something was done in one window; `key` names what, by whom and the window."""

    __tablename__ = "rate_count"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    def __repr__(self) -> str:
        return f"<RateCount {self.key} {self.count}>"
