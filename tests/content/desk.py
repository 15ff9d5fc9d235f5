"""What the tests of the society's pages begin with."""

from datetime import date
from typing import Any

from regsys.content.models import Book, MediaCard, NewsItem, Page
from regsys.kernel import clock
from regsys.kernel.db import db, transaction


def make_page(slug: str, **changes: Any) -> Page:
    """Make a published page."""
    values = {"title": slug.replace("-", " ").capitalize(), "changed_at": clock.now(), **changes}
    with transaction():
        page = Page(slug=slug, **values)
        db.session.add(page)
    return page


def make_news(slug: str, day: str = "2026-11-20", **changes: Any) -> NewsItem:
    """Make an item of news."""
    values = {"title": slug.replace("-", " ").capitalize(), "body": "It is so.", **changes}
    with transaction():
        item = NewsItem(slug=slug, published_on=date.fromisoformat(day), **values)
        db.session.add(item)
    return item


def make_book(title: str, **changes: Any) -> Book:
    """Make a book."""
    with transaction():
        book = Book(title=title, author_names="Lettice Oakenshire", **changes)
        db.session.add(book)
    return book


def make_card(title: str, *slugs: str, **changes: Any) -> MediaCard:
    """Make a media card that is shown on these pages."""
    values = {"url": "https://video.example.org/six-leaders", **changes}
    with transaction():
        card = MediaCard(title=title, shown_on=list(slugs), **values)
        db.session.add(card)
    return card
