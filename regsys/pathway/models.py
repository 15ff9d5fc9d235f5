"""What an event wants of people, and what somebody attested of their past."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice
from regsys.pathway.kinds import Need


class Prerequisite(Base):
    """One thing that an event wants; `count` is how often, where that makes sense."""

    __tablename__ = "prerequisite"
    __table_args__ = (CheckConstraint("count > 0", name="count_positive"),)

    event_id: Mapped[int] = mapped_column(
        ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    need: Mapped[Need] = mapped_column(choice(Need, "need"), primary_key=True)
    count: Mapped[int] = mapped_column(default=1)
    # Whoever is known not to have it cannot apply; who is not known says so in their own words.
    required: Mapped[bool] = mapped_column(default=False, server_default=false())

    def __repr__(self) -> str:
        return f"<Prerequisite {self.event_id} {self.need}>"


class PastCredit(Base):
    """What somebody attested about a person, known by the casefolded address; `holds` False: it is not so.

    Never changed: what turns out to be wrong is withdrawn and stays, with who did it.
    """

    __tablename__ = "past_credit"
    __table_args__ = (Index(None, "email_key", "need"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email_key: Mapped[str] = mapped_column(String(254))
    need: Mapped[Need] = mapped_column(choice(Need, "need"))
    holds: Mapped[bool] = mapped_column(default=True)
    what: Mapped[str] = mapped_column(String(300))
    # When it was, or since when it is so; and until when it holds.
    on_day: Mapped[date | None] = mapped_column(Date)
    until_day: Mapped[date | None] = mapped_column(Date)
    attested_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    attested_by: Mapped[str] = mapped_column(String(200))
    attested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_by: Mapped[str] = mapped_column(String(200), default="")

    def __repr__(self) -> str:
        return f"<PastCredit {self.id} {self.need}>"
