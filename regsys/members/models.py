"""The list of members, uploads that wait for a yes, and links that prove an address."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.kernel.crypt import SealedJSON
from regsys.kernel.db import Base, UtcDateTime


class Member(Base):
    """One member as the last list says; `ended_at`: when a whole list came without them."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    # The last day of the membership.
    valid_until: Mapped[date] = mapped_column(Date)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def __repr__(self) -> str:
        return f"<Member {self.id}>"


class MemberUpload(Base):
    """A list as it was read from a file; nothing of it counts until somebody has said yes."""

    __tablename__ = "member_upload"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str] = mapped_column(String(200))
    # Whether members that are not in it are members no longer.
    whole: Mapped[bool]
    # {"lines": [[line, number, name, e-mail, day], …], "unread": [[line, what, why], …]}
    content: Mapped[Any] = mapped_column(SealedJSON)
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    def __repr__(self) -> str:
        return f"<MemberUpload {self.id}>"


class MemberLink(Base):
    """A link by mail that marks one browser as a member's; used once, and only by a POST."""

    __tablename__ = "member_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    target: Mapped[str | None] = mapped_column(String(500))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    member: Mapped[Member] = relationship()

    def __repr__(self) -> str:
        return f"<MemberLink {self.id}>"
