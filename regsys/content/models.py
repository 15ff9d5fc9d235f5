"""The society's own pages, and what people write to it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from regsys.content.kinds import InquiryKind
from regsys.kernel.db import Base, UtcDateTime
from regsys.kernel.states import choice


class Page(Base):
    """A page in Markdown; `menu` is its place in the menu, none means not there. Slug `home` opens the site."""

    __tablename__ = "page"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(300), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    menu: Mapped[int | None]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("page.id"))
    published: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    parent: Mapped["Page | None"] = relationship(remote_side="Page.id")

    def __repr__(self) -> str:
        return f"<Page {self.slug}>"


class NewsItem(Base):
    """A short piece of news; shown from its date on."""

    __tablename__ = "news_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    published_on: Mapped[date] = mapped_column(Date, index=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
    published: Mapped[bool] = mapped_column(default=True)

    def __repr__(self) -> str:
        return f"<NewsItem {self.slug}>"


class Book(Base):
    """A book by members; `available` is [{"at", "url" or none}]."""

    __tablename__ = "book"

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(String(200))
    subtitle: Mapped[str] = mapped_column(String(200), default="")
    author_names: Mapped[str] = mapped_column(String(300))
    formats: Mapped[str] = mapped_column(String(200), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    available: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    def __repr__(self) -> str:
        return f"<Book {self.title}>"


class MediaCard(Base):
    """A video as a card: a link or an own file, never a third party's player. `shown_on` lists page slugs."""

    __tablename__ = "media_card"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(String(500))
    minutes: Mapped[int | None]
    captions: Mapped[bool] = mapped_column(default=False)
    shown_on: Mapped[list[str]] = mapped_column(JSON, default=list)

    def __repr__(self) -> str:
        return f"<MediaCard {self.title}>"


class Inquiry(Base):
    """A message from the contact form; `answered_at` says that somebody took care of it."""

    __tablename__ = "inquiry"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[InquiryKind] = mapped_column(choice(InquiryKind, "kind"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    organisation: Mapped[str] = mapped_column(String(200), default="")
    place: Mapped[str] = mapped_column(String(200), default="")
    people: Mapped[int | None]
    wished_dates: Mapped[str] = mapped_column(String(300), default="")
    message: Mapped[str] = mapped_column(Text)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_by: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")

    def __repr__(self) -> str:
        return f"<Inquiry {self.id}>"
