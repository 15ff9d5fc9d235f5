"""Reading pages, news, books, media cards and inquiries."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, select

from regsys.content.models import Book, Inquiry, MediaCard, NewsItem, Page
from regsys.events.kinds import Visibility
from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_

HOME = "home"


def find_page(slug: str) -> Page | None:
    """Find a published page."""
    return db.session.scalar(select(Page).where(Page.slug == slug, Page.published))


def find_page_slug(slug: str) -> int | None:
    """Find the id of the page, published or not, that has this slug."""
    return db.session.scalar(select(Page.id).where(Page.slug == slug))


def get_page(page_id: int) -> Page:
    """Get a page, published or not; raise NotFound."""
    page = db.session.get(Page, page_id)
    if page is None:
        raise NotFound(N_("There is no such page."))
    return page


def list_pages() -> list[Page]:
    """List all pages: the menu first, in its order, then the others by title."""
    order = (Page.menu.is_(None), Page.menu, Page.title, Page.id)
    return list(db.session.scalars(select(Page).order_by(*order)))


def list_menu() -> list[tuple[str, str]]:
    """List (slug, title) of the published pages in the menu, the home page left out."""
    query = (
        select(Page.slug, Page.title)
        .where(Page.published, Page.menu.is_not(None), Page.slug != HOME)
        .order_by(Page.menu, Page.id)
    )
    return [(slug, title) for slug, title in db.session.execute(query)]


def list_children(page_id: int) -> list[Page]:
    """List the published pages below this one."""
    query = select(Page).where(Page.parent_id == page_id, Page.published).order_by(Page.id)
    return list(db.session.scalars(query))


def list_media(slug: str) -> list[MediaCard]:
    """List the media cards that are shown on the page with this slug."""
    cards = db.session.scalars(select(MediaCard).order_by(MediaCard.id))
    return [c for c in cards if slug in c.shown_on]


def list_books() -> list[Book]:
    """List the books."""
    return list(db.session.scalars(select(Book).order_by(Book.position, Book.id)))


# ---- news

_NEWEST_FIRST = (NewsItem.published_on.desc(), NewsItem.id.desc())


def list_news(today: date, *, limit: int, offset: int = 0) -> list[NewsItem]:
    """List the news that is out on this day, newest first."""
    query = select(NewsItem).where(_is_out(today)).order_by(*_NEWEST_FIRST)
    return list(db.session.scalars(query.limit(limit).offset(offset)))


def count_news(today: date) -> int:
    """Count the news that is out on this day."""
    return db.session.scalar(select(func.count(NewsItem.id)).where(_is_out(today))) or 0


def find_news(slug: str, today: date) -> NewsItem | None:
    """Find an item of news that is out on this day."""
    return db.session.scalar(select(NewsItem).where(NewsItem.slug == slug, _is_out(today)))


def _is_out(today: date) -> ColumnElement[bool]:
    return and_(NewsItem.published, NewsItem.published_on <= today)


def find_news_slug(slug: str) -> int | None:
    """Find the id of the item, out or not, that has this slug."""
    return db.session.scalar(select(NewsItem.id).where(NewsItem.slug == slug))


def get_news(item_id: int) -> NewsItem:
    """Get an item of news, out or not; raise NotFound."""
    item = db.session.get(NewsItem, item_id)
    if item is None:
        raise NotFound(N_("There is no such item of news."))
    return item


def list_all_news(*, limit: int, offset: int = 0) -> list[NewsItem]:
    """List all news, newest first."""
    query = select(NewsItem).order_by(*_NEWEST_FIRST).limit(limit).offset(offset)
    return list(db.session.scalars(query))


def count_all_news() -> int:
    """Count all news."""
    return db.session.scalar(select(func.count(NewsItem.id))) or 0


def find_public_event(event_id: int) -> tuple[str, str] | None:
    """Find (slug, title) of an event if everyone may find it."""
    query = select(Event.slug, Event.title).where(
        Event.id == event_id,
        Event.visibility == Visibility.PUBLIC,
        Event.state != EventState.DRAFT,
    )
    row = db.session.execute(query).one_or_none()
    return (row.slug, row.title) if row else None


def list_event_titles() -> list[tuple[int, str]]:
    """List (id, title) of all events, the latest first."""
    query = select(Event.id, Event.title).order_by(Event.starts_at.desc(), Event.id)
    return [(event_id, title) for event_id, title in db.session.execute(query)]


def find_event_title(event_id: int) -> str | None:
    """Find the title of an event, whoever may see it."""
    return db.session.scalar(select(Event.title).where(Event.id == event_id))


# ---- inquiries


def get_inquiry(inquiry_id: int) -> Inquiry:
    """Get an inquiry; raise NotFound."""
    inquiry = db.session.get(Inquiry, inquiry_id)
    if inquiry is None:
        raise NotFound(N_("There is no such inquiry."))
    return inquiry


def list_inquiries(*, limit: int, offset: int = 0) -> list[Inquiry]:
    """List the inquiries: those without an answer first, then the newest."""
    order = (Inquiry.answered_at.is_not(None), Inquiry.received_at.desc(), Inquiry.id.desc())
    return list(db.session.scalars(select(Inquiry).order_by(*order).limit(limit).offset(offset)))


def find_oldest_open() -> datetime | None:
    """Find when the inquiry came that has waited longest for an answer."""
    return db.session.scalar(
        select(func.min(Inquiry.received_at)).where(Inquiry.answered_at.is_(None))
    )


def count_inquiries(*, open_only: bool = False) -> int:
    """Count the inquiries, or those that wait for an answer."""
    query = select(func.count(Inquiry.id))
    if open_only:
        query = query.where(Inquiry.answered_at.is_(None))
    return db.session.scalar(query) or 0
