"""The people who sign in, the leaders, and the society's own pages."""

from datetime import date, datetime
from typing import Any

from regsys.accounts.models import Grant, Role, User
from regsys.content.kinds import InquiryKind
from regsys.content.models import Book, Inquiry, MediaCard, NewsItem, Page
from regsys.demo.services.calendar import Calendar
from regsys.events.kinds import LeaderLevel, PublicContact
from regsys.events.models import Leader
from regsys.kernel.db import db
from regsys.kernel.text import email_key

Rows = dict[str, Any]


def load_users(data: Rows, password_hash: str, *, now: datetime) -> dict[str, User]:
    """Load those who sign in; organizers get the demo's password, everybody else a mailed link."""
    users = {}
    for u in data["users"]:
        user = _user(u, now=now)
        if u["role"] in {Role.OWNER, Role.REGISTRAR, Role.TREASURER, Role.REVIEWER, Role.COMMITTEE}:
            user.password_hash = password_hash
        users[u["id"]] = user
    db.session.flush()
    return users


def grant_roles(data: Rows, users: dict[str, User], event_ids: dict[str, int]) -> None:
    """Give the roles, now that the events are known."""
    for u in data["users"]:
        scopes = [None] if u["scope"] == "all" else [event_ids[e] for e in u["scope"]]
        for scope in scopes:
            db.session.add(Grant(user=users[u["id"]], role=Role(u["role"]), event_id=scope))


def load_leaders(data: Rows, *, now: datetime) -> dict[str, Leader]:
    """Load the leaders and how they sign in."""
    leaders = {}
    for row in data["leaders"]:
        user = _user(row, now=now)
        db.session.flush()
        leaders[row["id"]] = Leader(
            user_id=user.id,
            level=LeaderLevel(row["level"]),
            public_contact=PublicContact(row["public_contact"]),
            **{k: row[k] for k in ("first_name", "last_name", "email", "phone", "credentials")},
            **{k: row[k] for k in ("profession", "discipline", "bio")},
        )
    db.session.add_all(leaders.values())
    db.session.flush()
    return leaders


def load_pages(data: Rows, event_ids: dict[str, int], *, now: datetime) -> None:
    """Load pages, news, books and media cards."""
    pages: dict[str, Page] = {}
    for p in data["pages"]:
        pages[p["slug"]] = page = Page(
            slug=p["slug"],
            title=p["title"],
            summary=p["summary"],
            body=p["body"],
            menu=p["menu"],
            changed_at=now,
            parent=pages.get(p.get("parent", "")),
        )
        db.session.add(page)
    for n in data["news"]:
        day = date.fromisoformat(n["published_on"])
        event_id = event_ids.get(n.get("event", ""))
        texts = {k: n[k] for k in ("slug", "title", "body")}
        db.session.add(NewsItem(published_on=day, event_id=event_id, **texts))
    for position, b in enumerate(data["books"]):
        texts = {k: b[k] for k in ("title", "subtitle", "author_names", "summary", "available")}
        db.session.add(Book(position=position, formats=", ".join(b["formats"]), **texts))
    for m in data["media_cards"]:
        texts = {k: m[k] for k in ("title", "text", "url", "minutes", "captions", "shown_on")}
        db.session.add(MediaCard(**texts))


def load_inquiries(data: Rows, calendar: Calendar, users: dict[str, User]) -> None:
    """Load what people wrote."""
    for i in data["inquiries"]:
        answered_by = users.get(i.get("answered_by", ""))
        inquiry = Inquiry(
            kind=InquiryKind(i["kind"]),
            received_at=calendar.moment(i["received_at"]),
            name=i["name"],
            email=i["email"],
            people=i.get("people"),
            wished_dates=", ".join(i.get("possible_dates", [])),
            message=i["message"],
            answered_at=calendar.maybe(i.get("answered_at")),
            answered_by=answered_by.name if answered_by else "",
            note=i.get("reply", ""),
            **{k: i.get(k, "") for k in ("phone", "organisation", "place")},
        )
        db.session.add(inquiry)


def _user(row: Rows, *, now: datetime) -> User:
    texts = {k: row[k] for k in ("first_name", "last_name", "email", "phone")}
    user = User(email_key=email_key(row["email"]), created_at=now, **texts)
    db.session.add(user)
    return user
