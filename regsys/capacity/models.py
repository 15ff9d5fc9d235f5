"""Who holds which places until when. There is no counter: the database itself refuses to sell a place twice."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice

LIVE = "released_at IS NULL"


class PoolKind(StrEnum):
    """What the places of a pool are. Each event has one `total`; `early` holds the first N early prices."""

    TOTAL = "total"
    TICKET_TYPE = "ticket_type"
    EARLY = "early"
    INNER_CIRCLE = "inner_circle"
    OUTER_CIRCLE = "outer_circle"
    ROOM = "room"
    OTHER = "other"
    # What can be had with a place, and the uses of a code: those belong to no one event.
    OPTION = "option"
    CODE = "code"


class Pool(Base):
    """A set of places of one event, or the uses of a code; an unsized pool never runs out."""

    __tablename__ = "pool"
    __table_args__ = (
        UniqueConstraint("id", "sized"),
        UniqueConstraint("event_id", "name"),
        Index(
            "uq_pool_event_id_single_kind",
            "event_id",
            "kind",
            unique=True,
            postgresql_where=text("kind IN ('total', 'early')"),
            sqlite_where=text("kind IN ('total', 'early')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int | None] = mapped_column(
        ForeignKey("event.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[PoolKind] = mapped_column(choice(PoolKind, "kind"))
    sized: Mapped[bool]
    # Somebody has waited for its places once: from then on it is asked who waits, before the public is served.
    waited: Mapped[bool] = mapped_column(default=False, server_default=false())

    def __repr__(self) -> str:
        return f"<Pool {self.id} {self.name}>"


class Place(Base):
    """One place of a sized pool. It cannot be deleted while a live claim points at it."""

    __tablename__ = "place"

    pool_id: Mapped[int] = mapped_column(
        ForeignKey("pool.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)

    def __repr__(self) -> str:
        return f"<Place {self.pool_id}#{self.number}>"


class Claim(Base):
    """Somebody holds a place of a pool, until a time or (no time) until it is released.

    A live claim in a sized pool has a number and so points at a Place; a released one keeps it in `last_number`,
    so that a free place that was once used can still be retired.
    """

    __tablename__ = "claim"
    __table_args__ = (
        ForeignKeyConstraint(["pool_id", "sized"], ["pool.id", "pool.sized"], onupdate="CASCADE"),
        ForeignKeyConstraint(["pool_id", "number"], ["place.pool_id", "place.number"]),
        CheckConstraint(
            "released_at IS NOT NULL OR NOT sized OR number IS NOT NULL", name="live_has_number"
        ),
        CheckConstraint("released_at IS NULL OR number IS NULL", name="released_has_no_number"),
        Index(
            "uq_claim_live_place",
            "pool_id",
            "number",
            unique=True,
            postgresql_where=text(LIVE),
            sqlite_where=text(LIVE),
        ),
        Index("ix_claim_live_until", "until", postgresql_where=text(LIVE), sqlite_where=text(LIVE)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(index=True)
    sized: Mapped[bool]
    number: Mapped[int | None]
    last_number: Mapped[int | None]
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"), index=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def __repr__(self) -> str:
        return f"<Claim {self.id} {self.pool_id}#{self.number}>"
