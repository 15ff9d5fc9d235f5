"""The society's own pages, as everybody sees them."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

from regsys.events.kinds import EventKind, Visibility
from regsys.events.states import EventState
from regsys.kernel.settings import Settings
from tests import cast
from tests.content.desk import make_book, make_card, make_news, make_page
from tests.support.counting import counted


def text_of(html: str) -> str:
    """Return the words of a page."""
    bare = re.sub(r"<(svg|head)\b.*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("\xa0", " ").split())


def words(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return text_of(answer.get_data(as_text=True))


# ---- home


def test_home_opens_on_an_empty_site(client: FlaskClient, db: Any) -> None:
    page = words(client, "/")
    assert "Evergreen Balint Circle" in page
    assert "The next dates are being settled" in page


def test_home_says_who_we_are_in_the_words_of_its_page(client: FlaskClient, db: Any) -> None:
    make_page(
        "home",
        summary="Clinicians in a ring",
        body="Ten chairs.\n\nWe are *many*.\n\n- [In](/groups)",
    )
    html = client.get("/").get_data(as_text=True)
    hero, rest = html.split('id="first"')
    assert "Clinicians in a ring</h1>" in hero
    assert "<p>Ten chairs.</p>" in hero
    assert "We are <em>many</em>." in rest
    assert '<a href="/groups" rel="noopener">In</a>' in rest


def test_home_shows_the_next_three_and_the_groups(client: FlaskClient, db: Any, clock: Any) -> None:
    day = timedelta(days=1)
    for n in (5, 2, 4, 3, 1):
        cast.make_event(
            title=f"Number {n}", starts_at=clock.now + n * day, ends_at=clock.now + 9 * day
        )
    cast.make_event(title="Begun", starts_at=clock.now - day, ends_at=clock.now + day)
    cast.make_event(title="Off", starts_at=clock.now + day / 2, state=EventState.CANCELLED)
    group = {"kind": EventKind.OPEN_ENROLLMENT_GROUP}
    cast.make_event(title="A group", **group)
    cast.make_event(title="A closed group", state=EventState.CLOSED, **group)
    page = words(client, "/")
    assert re.findall(r"Number (\d)", page) == ["1", "2", "3"]
    assert "from Thu" not in page
    for absent in ("Begun", "Off ", "A closed group"):
        assert absent not in page
    assert page.index("Groups you can join") < page.index("A group")


def test_home_shows_three_news_and_its_media_card(client: FlaskClient, db: Any) -> None:
    for n in range(1, 6):
        make_news(f"news-{n}", f"2026-11-{n:02}")
    make_card("Six leaders", "home", minutes=9, captions=True)
    make_card("Elsewhere", "books")
    html = client.get("/").get_data(as_text=True)
    assert re.findall(r"News (\d)</a>", html) == ["5", "4", "3"]
    assert "Video · 9 minutes · with captions · opens on another site" in text_of(html)
    assert "Elsewhere" not in html
    assert "<iframe" not in html


# ---- pages


def test_a_page_shows_its_text_its_children_and_its_cards(client: FlaskClient, db: Any) -> None:
    parent = make_page(
        "activities", title="What we do", summary="Five ways", body="## One\n\nText.", menu=1
    )
    make_page("weekend", parent_id=parent.id, summary="Two nights")
    make_page("secret", parent_id=parent.id, published=False)
    make_card("A film", "activities")
    html = client.get("/pages/activities").get_data(as_text=True)
    assert "<h2>One</h2>" in html
    page = text_of(html)
    assert "Read more Weekend Two nights" in page
    assert "A film" in page
    assert "Secret" not in page
    child = client.get("/pages/weekend").get_data(as_text=True)
    assert 'href="/pages/activities"' in child.split('class="crumbs"')[1].split("</nav>")[0]


def test_books_stand_at_the_foot_of_their_page(client: FlaskClient, db: Any) -> None:
    make_page("books")
    make_page("other")
    places = [
        {"at": "Lamplight Books", "url": "https://lamplight.example.org"},
        {"at": "Libraries"},
    ]
    make_book("A Chair", subtitle="What happens", formats="paperback, e-book", available=places)
    page = words(client, "/pages/books")
    assert "A Chair What happens by Lettice Oakenshire (paperback, e-book)" in page
    assert "To be had at Lamplight Books ; Libraries" in page
    assert "A Chair" not in words(client, "/pages/other")


def test_what_is_not_shown_is_not_there(client: FlaskClient, db: Any) -> None:
    make_page("hidden", published=False)
    for path in ("/pages/hidden", "/pages/nowhere", "/pages/%00", "/news/nothing"):
        assert client.get(path).status_code == 404, path


def test_the_home_page_has_one_address(client: FlaskClient, db: Any) -> None:
    answer = client.get("/pages/home")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/")


def test_the_menu_follows_its_order_and_marks_where_one_is(client: FlaskClient, db: Any) -> None:
    make_page("second", menu=2)
    make_page("first", menu=1)
    make_page("loose")
    make_page("gone", menu=3, published=False)
    make_page("home", menu=0)
    html = client.get("/pages/second").get_data(as_text=True)
    menu = html.split('aria-label="Main"')[1].split("</nav>")[0]
    found = re.findall(r'href="([^"]+)"', menu)
    assert found == ["/events", "/groups", "/pages/first", "/pages/second", "/contact", "/signin"]
    assert '<a href="/pages/second" aria-current="page">' in menu


# ---- news


def test_news_comes_newest_first_from_its_day_on(client: FlaskClient, db: Any, clock: Any) -> None:
    make_news("old", "2026-11-01")
    make_news("today", "2026-11-24")
    make_news("tomorrow", "2026-11-25")
    make_news("withdrawn", published=False)
    page = words(client, "/news")
    assert page.index("Tue 24 Nov 2026 Today") < page.index("Sun 1 Nov 2026 Old")
    assert "Tomorrow" not in page
    assert "Withdrawn" not in page
    assert client.get("/news/tomorrow").status_code == 404
    assert client.get("/news/withdrawn").status_code == 404
    clock.move(hours=15)  # midnight in Seattle
    assert client.get("/news/tomorrow").status_code == 200


def test_an_item_links_to_its_event_if_everyone_may_see_it(client: FlaskClient, db: Any) -> None:
    shown = cast.make_event(title="The event")
    private = cast.make_event(title="Not for all", visibility=Visibility.UNLISTED)
    make_news("one", event_id=shown.id)
    make_news("two", event_id=private.id)
    assert f'href="/events/{shown.slug}"' in client.get("/news/one").get_data(as_text=True)
    assert "Not for all" not in client.get("/news/two").get_data(as_text=True)


@pytest.mark.in_turn
@pytest.mark.parametrize("page", ["0", "-1", "x", "٣", "999999", "9" * 5000])
def test_a_page_number_that_is_none_does_no_harm(page: str, client: FlaskClient, db: Any) -> None:
    make_news("only")
    assert client.get("/news", query_string={"page": page}).status_code == 200


def test_long_news_comes_in_pages(client: FlaskClient, db: Any) -> None:
    for n in range(1, 13):
        make_news(f"item-{n}", f"2026-11-{n:02}")
    first, second = words(client, "/news"), words(client, "/news?page=2")
    assert (first.count("Item "), second.count("Item ")) == (10, 2)
    assert "1 to 10 of 12" in first


@pytest.mark.parametrize("path", ["/", "/news", "/pages/parent", "/sitemap.xml"])
def test_pages_need_as_many_queries_for_one_row_as_for_thirty(
    path: str, app: Flask, client: FlaskClient, db: Any
) -> None:
    parent = make_page("parent", menu=1)
    counts, made = [], 0
    client.get(path)  # from now on a kept copy is asked for first, and found to be old
    for rows in (1, 3, 30):
        for n in range(made, rows):
            make_news(f"news-{n}")
            make_page(f"page-{n}", menu=n + 2, parent_id=parent.id)
            make_card(f"card-{n}", "home", "parent")
            made += 1
        with counted(app) as sent:
            assert client.get(path).status_code == 200
        counts.append(len([s for s in sent if s.startswith("SELECT")]))
    assert counts[0] == counts[1] == counts[2]
    assert counts[0] <= 10


# ---- for machines


def test_robots_are_told_what_is_of_no_use_to_them(client: FlaskClient, db: Any) -> None:
    lines = client.get("/robots.txt").get_data(as_text=True).splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /o/", "Disallow: /r/", "Disallow: /organize"} <= set(lines)
    assert lines[-1] == "Sitemap: http://127.0.0.1:5000/sitemap.xml"


def test_the_sitemap_lists_what_everyone_may_find(client: FlaskClient, db: Any) -> None:
    make_page("home")
    make_page("who-we-are")
    make_page("hidden", published=False)
    shown = cast.make_event()
    hidden = cast.make_event(visibility=Visibility.MEMBERS)
    root = ElementTree.fromstring(client.get("/sitemap.xml").data)
    found = [e.text for e in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    base = "http://127.0.0.1:5000"
    paths = (
        "/",
        "/events",
        "/groups",
        "/news",
        "/contact",
        "/pages/who-we-are",
        f"/events/{shown.slug}",
    )
    assert found == [base + p for p in paths]
    assert hidden.slug not in str(found)


def test_without_a_logo_of_its_own_the_ring_is_the_mark(client: FlaskClient, db: Any) -> None:
    answer = client.get("/logo")
    assert answer.content_type.startswith("image/svg+xml")
    answer.close()
    assert "brand__logo" not in client.get("/").get_data(as_text=True)


def test_the_societys_own_logo_is_served(make_app: Any, settings: Settings, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    client = make_app(settings.replace(ORGANISATION_LOGO=str(logo))).test_client()
    answer = client.get("/logo")
    assert answer.content_type.startswith("image/svg+xml")
    assert answer.data == logo.read_bytes()
    answer.close()
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert '<img class="brand__logo" src="/logo"' in client.get("/contact/thanks").get_data(
        as_text=True
    )
