"""Changing pages and news; taking and answering inquiries."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from regsys.audit import services as audit
from regsys.content import mail, queries, rules
from regsys.content.kinds import InquiryKind
from regsys.content.models import Inquiry, NewsItem, Page
from regsys.events import queries as events
from regsys.events.kinds import PublicContact
from regsys.events.models import Event
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import N_, slugify
from regsys.outbox import services as outbox
from regsys.web.urls import settings


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What somebody wrote, already checked for shape."""

    name: str
    email: str
    message: str
    phone: str = ""
    organisation: str = ""
    place: str = ""
    people: int | None = None
    wished_dates: str = ""


def receive_inquiry(
    kind: InquiryKind, letter: Letter, *, event_id: int | None, now: datetime
) -> Inquiry:
    """Store an inquiry and mail it to those who answer it."""
    inquiry = Inquiry(kind=kind, received_at=now, event_id=event_id, **asdict(letter))
    db.session.add(inquiry)
    db.session.flush()
    event = events.get_event(event_id) if event_id else None
    leaders = list_reachable(event) if event and kind is InquiryKind.TO_LEADER else []
    for leader in leaders:
        draft = mail.to_leader(inquiry, leader=leader, event_title=event.title if event else "")
        outbox.enqueue(draft, now=now)
    # Nobody's message may be lost because a leader has changed what is public in the meantime.
    if not leaders and settings().ORGANISATION_EMAIL:
        outbox.enqueue(mail.to_organizers(inquiry), now=now)
    return inquiry


def list_reachable(event: Event) -> list[tuple[int, str, str]]:
    """List (id, name, address) of the event's public leaders who take messages by the form."""
    return [
        (a.leader.id, a.leader.name, a.leader.email)
        for a in event.assignments
        if a.public and a.leader.public_contact is PublicContact.FORM
    ]


def note_inquiry(
    inquiry_id: int, *, note: str, answered: bool, actor: Actor, now: datetime
) -> None:
    """Keep an organizer's note, and whether somebody took care of the inquiry."""
    inquiry = (lock_rows(Inquiry, [inquiry_id]) or [queries.get_inquiry(inquiry_id)])[0]
    was = inquiry.answered_at is not None
    inquiry.note = note
    if answered and not was:
        inquiry.answered_at, inquiry.answered_by = now, actor.label
    elif not answered and was:
        inquiry.answered_at, inquiry.answered_by = None, ""
    audit.record(
        "inquiry.noted",
        ("inquiry", inquiry.id),
        actor=actor,
        now=now,
        before={"answered": was},
        after={"answered": answered},
    )


# ---- pages


@dataclass(frozen=True, kw_only=True)
class PageText:
    """What an organizer wrote for a page."""

    title: str
    slug: str
    summary: str
    body: str
    parent_id: int | None
    in_menu: bool
    published: bool


def create_page(text: PageText, *, actor: Actor, now: datetime) -> Page:
    """Create a page; raise Refused where its address cannot be used."""
    page = Page(slug=_free_slug(text.slug or slugify(text.title), None), changed_at=now)
    _fill_page(page, text, now=now)
    db.session.add(page)
    db.session.flush()
    _record_page("page.created", page, before=None, actor=actor, now=now)
    return page


def change_page(
    page_id: int, text: PageText, *, seen: datetime | None, actor: Actor, now: datetime
) -> None:
    """Change a page; raise Refused where its address cannot be used, or it was changed since `seen`."""
    page = _lock_page(page_id)
    if seen is not None and seen != page.changed_at:
        raise Refused(
            Refusal(
                "PageChanged",
                N_("Somebody else changed this page while you were writing. Your text is below."),
            )
        )
    before = _facts_of(page)
    if page.slug != queries.HOME:
        page.slug = _free_slug(text.slug or slugify(text.title), page.id)
    elif not text.published:
        raise Refused(Refusal("HomeStays", N_("The home page is always shown.")))
    _fill_page(page, text, now=now)
    _record_page("page.changed", page, before=before, actor=actor, now=now)


def _fill_page(page: Page, text: PageText, *, now: datetime) -> None:
    page.title, page.summary, page.body = text.title, text.summary, text.body
    page.parent_id = text.parent_id if text.parent_id != page.id else None
    page.published, page.changed_at = text.published, now
    if not text.in_menu:
        page.menu = None
    elif page.menu is None:
        page.menu = max((p.menu for p in queries.list_pages() if p.menu is not None), default=0) + 1


def show_page(page_id: int, *, published: bool, actor: Actor, now: datetime) -> None:
    """Show a page to everyone, or take it away; the home page stays."""
    page = _lock_page(page_id)
    if page.slug == queries.HOME and not published:
        raise Refused(Refusal("HomeStays", N_("The home page is always shown.")))
    before = _facts_of(page)
    page.published, page.changed_at = published, now
    _record_page("page.changed", page, before=before, actor=actor, now=now)


def move_page(page_id: int, *, up: bool, actor: Actor, now: datetime) -> bool:
    """Swap a page with its neighbour in the menu, and tell whether there was one."""
    in_menu = [p for p in queries.list_pages() if p.menu is not None and p.slug != queries.HOME]
    ids = [p.id for p in in_menu]
    if page_id not in ids:
        raise NotFound(N_("There is no such page in the menu."))
    at = ids.index(page_id)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(ids):
        return False
    in_menu[at], in_menu[to] = in_menu[to], in_menu[at]
    for position, page in enumerate(in_menu, start=1):
        page.menu = position
    audit.record("page.moved", ("page", page_id), actor=actor, now=now, after={"at": to + 1})
    return True


def _lock_page(page_id: int) -> Page:
    return (lock_rows(Page, [page_id]) or [queries.get_page(page_id)])[0]


def _free_slug(slug: str, page_id: int | None) -> str:
    _check_slug(slug, queries.find_page_slug(slug), page_id)
    return slug


def _check_slug(slug: str, taken_by: int | None, own_id: int | None) -> None:
    if refusal := rules.why_bad_slug(slug):
        raise Refused(refusal)
    if taken_by is not None and taken_by != own_id:
        raise Refused(Refusal("SlugTaken", N_("This address is already used. Choose another.")))


def _facts_of(page: Page) -> dict[str, object]:
    return {"slug": page.slug, "title": page.title, "published": page.published, "menu": page.menu}


def _record_page(
    action: str, page: Page, *, before: dict[str, object] | None, actor: Actor, now: datetime
) -> None:
    subject = ("page", page.id)
    audit.record(action, subject, actor=actor, now=now, before=before, after=_facts_of(page))


# ---- news


@dataclass(frozen=True, kw_only=True)
class NewsText:
    """What an organizer wrote as news."""

    title: str
    slug: str
    body: str
    published_on: date
    event_id: int | None
    published: bool


def save_news(item_id: int | None, text: NewsText, *, actor: Actor, now: datetime) -> NewsItem:
    """Create (no id) or change an item of news; raise Refused where its address cannot be used."""
    slug = text.slug or slugify(text.title)
    _check_slug(slug, queries.find_news_slug(slug), item_id)
    item = NewsItem() if item_id is None else queries.get_news(item_id)
    for name, value in {**asdict(text), "slug": slug}.items():
        setattr(item, name, value)
    db.session.add(item)
    db.session.flush()
    after = {"slug": slug, "title": item.title, "published": item.published}
    action = "news.created" if item_id is None else "news.changed"
    audit.record(action, ("news", item.id), actor=actor, now=now, after=after)
    return item


def show_news(item_id: int, *, published: bool, actor: Actor, now: datetime) -> None:
    """Show an item of news, or take it away."""
    item = queries.get_news(item_id)
    item.published = published
    after = {"published": published}
    audit.record("news.changed", ("news", item.id), actor=actor, now=now, after=after)
