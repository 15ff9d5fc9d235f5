"""Where organizers write pages and news, and answer inquiries."""

import re
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.content.kinds import InquiryKind
from regsys.content.models import Inquiry, NewsItem, Page
from regsys.kernel.db import transaction
from tests import cast
from tests.content.desk import make_news, make_page

PAGE = {
    "title": "Who we are",
    "body": "About **ninety** people.",
    "parent_id": "0",
    "published": "y",
}
NEWS = {
    "title": "We begin",
    "body": "On *Monday*.",
    "published_on": "2026-11-20",
    "event_id": "0",
    "published": "y",
}


@pytest.fixture
def desk(client: FlaskClient, db: Any) -> FlaskClient:
    """Return a registrar who is signed in."""
    cast.sign_in(client, "registrar")
    return client


def send(client: FlaskClient, path: str, form_at: str = "", **data: Any) -> Any:
    """Send a form with the token of the page that shows it."""
    html = client.get(form_at or path).get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', html)
    assert token is not None
    hidden = {"csrf_token": token[1], **({"seen": seen[1]} if seen else {})}
    return client.post(path, data={**hidden, **data})


def pages(db: Any) -> dict[str, Page]:
    db.session.rollback()
    db.session.expire_all()
    return {p.slug: p for p in db.session.scalars(select(Page))}


def news(db: Any) -> dict[str, NewsItem]:
    db.session.rollback()
    db.session.expire_all()
    return {n.slug: n for n in db.session.scalars(select(NewsItem))}


def actions(db: Any) -> list[str]:
    """List what was written down, the signing in left out."""
    db.session.rollback()
    found = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
    return [action for action in found if not action.startswith("account.")]


# ---- who may


PATHS = (
    "/organize/pages",
    "/organize/pages/new",
    "/organize/news",
    "/organize/news/new",
    "/organize/inquiries",
)


@pytest.mark.in_turn
@pytest.mark.parametrize("path", PATHS)
def test_only_registrars_of_the_whole_site_may_write(path: str, app: Flask, db: Any) -> None:
    event = cast.make_event()
    visitor = app.test_client()
    answer = visitor.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/signin?next=")
    for role, scope, status in (
        ("registrar", None, 200),
        ("owner", None, 200),
        ("treasurer", None, 403),
        ("registrar", event, 403),
        ("leader", event, 403),
    ):
        client = app.test_client()
        cast.sign_in(client, role, event=scope)
        assert client.get(path).status_code == status, role


def test_what_is_not_there_is_not_found(desk: FlaskClient) -> None:
    for path in ("/organize/pages/99", "/organize/news/99", "/organize/inquiries/99"):
        assert desk.get(path).status_code == 404


# ---- pages


def test_a_page_is_written_and_seen(desk: FlaskClient, db: Any) -> None:
    answer = send(desk, "/organize/pages/new", **PAGE, in_menu="y", summary="Many trades")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/organize/pages")
    page = pages(db)["who-we-are"]
    assert (page.title, page.summary, page.menu, page.published) == (
        "Who we are",
        "Many trades",
        1,
        True,
    )
    shown = desk.get("/pages/who-we-are").get_data(as_text=True)
    assert "About <strong>ninety</strong> people." in shown
    assert actions(db) == ["page.created"]


def test_a_preview_shows_and_keeps_nothing(desk: FlaskClient, db: Any) -> None:
    nasty = "**bold** <script>alert(1)</script> [x](javascript:alert(1))"
    answer = send(desk, "/organize/pages/new", **{**PAGE, "body": nasty}, action="preview")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<strong>bold</strong>" in html
    assert "Nothing is saved yet" in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert 'value="Who we are"' in html
    assert pages(db) == {}


def test_a_page_is_changed_and_its_address_too(desk: FlaskClient, db: Any) -> None:
    page = make_page("old")
    send(desk, f"/organize/pages/{page.id}", **{**PAGE, "slug": "new-one"})
    assert set(pages(db)) == {"new-one"}
    assert pages(db)["new-one"].body == PAGE["body"]


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": ""}, "Please write a title."),
        ({"slug": "Not Good"}, "Use small letters, digits and single hyphens"),
        ({"slug": "taken"}, "This address is already used."),
        ({"title": "!!!"}, "Use small letters, digits and single hyphens"),
        ({"parent_id": "77"}, "Belongs to"),
        ({"body": "x" * 20_001}, "At most 20000 characters"),
    ],
)
def test_a_page_that_cannot_be_kept_comes_back(
    changes: dict[str, str], sentence: str, desk: FlaskClient, db: Any
) -> None:
    make_page("taken")
    answer = send(desk, "/organize/pages/new", **{**PAGE, **changes})
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in html
    if "body" not in changes:
        assert "About **ninety** people." in html
    assert set(pages(db)) == {"taken"}


def test_two_editors_do_not_overwrite_each_other(desk: FlaskClient, db: Any, clock: Any) -> None:
    page = make_page("shared", body="first")
    html = desk.get(f"/organize/pages/{page.id}").get_data(as_text=True)
    token, seen = (
        re.search(rf'name="{n}"[^>]*value="([^"]+)"', html) for n in ("csrf_token", "seen")
    )
    assert token is not None
    assert seen is not None
    clock.move(minutes=1)
    send(desk, f"/organize/pages/{page.id}", **{**PAGE, "body": "second"})
    late = {**PAGE, "body": "third", "csrf_token": token[1], "seen": seen[1]}
    answer = desk.post(f"/organize/pages/{page.id}", data=late)
    assert answer.status_code == 422
    assert "Somebody else changed this page" in answer.get_data(as_text=True)
    assert "third" in answer.get_data(as_text=True)
    assert pages(db)["shared"].body == "second"


def test_the_home_page_keeps_its_address_and_stays(desk: FlaskClient, db: Any) -> None:
    page = make_page("home")
    send(desk, f"/organize/pages/{page.id}", **{**PAGE, "slug": "elsewhere"})
    assert set(pages(db)) == {"home"}
    hidden = {k: v for k, v in PAGE.items() if k != "published"}
    answer = send(desk, f"/organize/pages/{page.id}", **hidden)
    assert answer.status_code == 422
    answer = send(desk, f"/organize/pages/{page.id}/show", "/organize/pages", published="0")
    assert answer.status_code == 409
    assert pages(db)["home"].published


def test_a_page_is_taken_away_and_shown_again(desk: FlaskClient, db: Any) -> None:
    page = make_page("about")
    send(desk, f"/organize/pages/{page.id}/show", "/organize/pages", published="0")
    said = desk.get("/organize/pages").get_data(as_text=True)
    undo = said[said.index("The page is no longer shown.") :].partition("</form>")[0]
    assert f'action="/organize/pages/{page.id}/show"' in undo
    assert 'name="published" value="1"' in undo
    assert "Undo" in undo
    assert desk.get("/pages/about").status_code == 404
    send(desk, f"/organize/pages/{page.id}/show", "/organize/pages", published="1")
    assert desk.get("/pages/about").status_code == 200
    assert actions(db) == ["page.changed", "page.changed"]


def test_pages_move_in_the_menu(desk: FlaskClient, db: Any) -> None:
    make_page("home", menu=0)
    ids = {slug: make_page(slug, menu=n).id for n, slug in enumerate(("a", "b", "c"), start=1)}
    loose = make_page("loose")

    def order() -> list[str]:
        found = [p for p in pages(db).values() if p.menu is not None and p.slug != "home"]
        return [p.slug for p in sorted(found, key=lambda p: p.menu or 0)]

    for slug, to, expected in (
        ("c", "up", "acb"),
        ("a", "down", "cab"),
        ("c", "up", "cab"),
        ("b", "down", "cab"),
    ):
        path = f"/organize/pages/{ids[slug]}/move"
        assert send(desk, path, "/organize/pages", to=to).status_code == 303
        assert "".join(order()) == expected
    assert (
        send(desk, f"/organize/pages/{loose.id}/move", "/organize/pages", to="up").status_code
        == 404
    )


def test_a_page_cannot_be_its_own_parent(desk: FlaskClient, db: Any) -> None:
    page = make_page("about")
    html = desk.get(f"/organize/pages/{page.id}").get_data(as_text=True)
    assert f'<option value="{page.id}"' not in html


# ---- news


def test_news_is_written_changed_and_withdrawn(desk: FlaskClient, db: Any) -> None:
    event = cast.make_event(title="About this")
    send(desk, "/organize/news/new", **{**NEWS, "event_id": str(event.id)})
    item = news(db)["we-begin"]
    assert (item.published_on, item.event_id) == (date(2026, 11, 20), event.id)
    assert "On <em>Monday</em>." in desk.get("/news/we-begin").get_data(as_text=True)
    send(desk, f"/organize/news/{item.id}", **{**NEWS, "title": "We began", "slug": "we-begin"})
    assert news(db)["we-begin"].title == "We began"
    send(desk, f"/organize/news/{item.id}/show", "/organize/news", published="0")
    assert desk.get("/news/we-begin").status_code == 404
    assert actions(db) == ["news.created", "news.changed", "news.changed"]


@pytest.mark.in_turn
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"published_on": "tomorrow"}, "Not a valid date"),
        ({"published_on": ""}, "Please choose a date."),
        ({"body": " "}, "Please write a text."),
        ({"slug": "taken"}, "This address is already used."),
        ({"event_id": "12345"}, "About the event"),
    ],
)
def test_news_that_cannot_be_kept_comes_back(
    changes: dict[str, str], sentence: str, desk: FlaskClient, db: Any
) -> None:
    make_news("taken")
    answer = send(desk, "/organize/news/new", **{**NEWS, **changes})
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert 'value="We begin"' in answer.get_data(as_text=True)
    assert set(news(db)) == {"taken"}


def test_a_preview_of_news_keeps_nothing(desk: FlaskClient, db: Any) -> None:
    answer = send(desk, "/organize/news/new", **NEWS, action="preview")
    assert "On <em>Monday</em>." in answer.get_data(as_text=True)
    assert news(db) == {}


# ---- inquiries


def make_inquiry(db: Any, clock: Any, **changes: Any) -> Inquiry:
    values = {
        "name": "Winifred Tarn",
        "email": "w@example.org",
        "message": "May I watch?",
        **changes,
    }
    with transaction():
        inquiry = Inquiry(kind=InquiryKind.GENERAL, received_at=clock.now, **values)
        db.session.add(inquiry)
    return inquiry


def test_the_unanswered_come_first(desk: FlaskClient, db: Any, clock: Any) -> None:
    make_inquiry(db, clock, name="Done", answered_at=clock.now)
    clock.move(days=-1)
    make_inquiry(db, clock, name="Waiting")
    html = desk.get("/organize/inquiries").get_data(as_text=True)
    assert html.index("Waiting</a>") < html.index("Done</a>")
    assert "1 waits for an answer" in html


def test_an_inquiry_is_marked_as_answered_with_a_note(
    desk: FlaskClient, db: Any, clock: Any
) -> None:
    inquiry = make_inquiry(db, clock)
    path = f"/organize/inquiries/{inquiry.id}"
    assert "May I watch?" in desk.get(path).get_data(as_text=True)
    assert send(desk, path, note="Rang her.", answered="1").status_code == 303
    db.session.rollback()
    db.session.refresh(inquiry)
    assert (inquiry.note, inquiry.answered_at) == ("Rang her.", clock.now)
    assert inquiry.answered_by.startswith("Registrar")
    send(desk, path, note="Not yet.", answered="0")
    db.session.rollback()
    db.session.refresh(inquiry)
    assert (inquiry.note, inquiry.answered_at, inquiry.answered_by) == ("Not yet.", None, "")
    assert actions(db) == ["inquiry.noted", "inquiry.noted"]
