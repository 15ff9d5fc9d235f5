"""The script in a real browser: it only adds, and what it adds is quiet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from regsys.kernel.paths import root

SITE = "http://regsys.test/"
HOLD = (
    '<div data-hold="400" data-five="Five more minutes." data-one="One more minute." data-over="Over.">'
    '<p role="status">Your place is held for another 6 minutes.</p></div>'
)
WHEN = (
    '<span data-local data-start="2027-04-22T12:30-07:00" data-end="2027-04-25T12:00-07:00"'
    ' data-words="Where you are: {}"></span>'
)
SEND = '<form method="post" action="/sent"><button name="do" value="pay">Pay</button></form>'
WRONG = '<section class="wrong-list" tabindex="-1" autofocus>Wrong</section>'

Show = Callable[..., Any]


@pytest.fixture
def show(browser: Browser) -> Show:
    """Return a context manager that opens a page with this body and the real script, without a server."""

    @contextmanager
    def opened(
        body: str, *, ticking: bool = False, zone: str = "America/Los_Angeles", script: bool = True
    ) -> Iterator[tuple[Page, list[str]]]:
        sent: list[str] = []
        context = browser.new_context(timezone_id=zone, java_script_enabled=script)
        page = context.new_page()
        scripts = root() / "static" / "js"
        head = '<!doctype html><html lang="en"><title>x</title><script type="module" src="/main.js"></script>'
        html = f'{head}<body data-wait="One moment.">{body}'
        page.route("**/*.js", lambda r: r.fulfill(path=scripts / r.request.url.split("/")[-1]))
        page.route(SITE, lambda r: r.fulfill(body=html, content_type="text/html"))
        # 204: the browser stays on the page, as it does with a download.
        page.route(
            "**/sent", lambda r: (sent.append(r.request.post_data or ""), r.fulfill(status=204))
        )
        if ticking:
            page.clock.install()
        page.goto(SITE)
        yield page, sent
        context.close()

    return opened


def test_a_double_click_sends_once_with_the_button_and_may_be_repeated_later(show: Show):
    with show(SEND, ticking=True) as (page, sent):
        page.get_by_role("button").dblclick()
        page.clock.run_for(100)
        expect(page.get_by_role("button")).to_have_attribute("aria-disabled", "true")
        assert sent == ["do=pay"]
        expect(page.get_by_role("status")).to_have_count(0)
        page.clock.run_for(1_000)
        expect(page.get_by_role("status")).to_have_text("One moment.")
        page.clock.run_for(9_000)
        expect(page.get_by_role("button")).not_to_have_attribute("aria-disabled", "true")
        expect(page.get_by_role("status")).to_have_count(0)
        page.get_by_role("button").click()
        page.clock.run_for(100)
        assert sent == ["do=pay", "do=pay"]


def test_the_hold_is_announced_at_five_minutes_at_one_and_at_the_end(show: Show):
    with show(HOLD, ticking=True) as (page, _):
        line = page.get_by_role("status")
        expect(line).to_have_text("Your place is held for another 6 minutes.")
        for seconds, words in (
            (101, "Five more minutes."),
            (240, "One more minute."),
            (60, "Over."),
        ):
            page.clock.run_for(seconds * 1000)
            expect(line).to_have_text(words)


def test_the_visitors_own_time_is_told_only_where_it_differs(show: Show):
    with show(WHEN) as (page, _):
        expect(page.locator("[data-local]")).to_have_text("")
    with show(WHEN, zone="Europe/Berlin") as (page, _):
        expect(page.locator("[data-local]")).to_have_text(
            "Where you are: Thu 9:30 PM – Sun 9:00 PM GMT+2"
        )


def test_what_is_wrong_takes_the_focus_with_and_without_script(show: Show):
    for script in (True, False):
        with show(WRONG + SEND, script=script) as (page, _):
            expect(page.locator(".wrong-list")).to_be_focused()


LIST = """<script type="module" src="/desk.js"></script><main><input type="search">
<div data-view><table data-rows><tbody><tr><th><a href="?look=1" data-look>Ada</a></th></tr>
<tr><th><a href="?look=2" data-look>Bo</a></th></tr></tbody></table></div></main>
<dialog id="keys"><input type="checkbox"><form method="dialog"><button>Close</button></form></dialog>"""
LOOK = '<aside id="look"><h2 id="glance-h">Number {}</h2><a href="?" data-close>Close</a></aside>'


def test_keys_walk_a_list_and_look_at_people_without_leaving_it(show: Show):
    with show(LIST) as (page, _):
        keys, said = page.keyboard, page.locator("#glance-h")
        page.route(
            SITE + "?look=*",
            lambda r: r.fulfill(body=LOOK.format(r.request.url[-1]), content_type="text/html"),
        )
        for size in ((1280, 900), (390, 844)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            keys.press("j")
            expect(page.get_by_text("Ada")).to_be_focused()
            keys.press("j")
            keys.press("k")
            keys.press("Enter")
            expect(said).to_have_text("Number 1")
            # Beside the list the next person follows; over the list, on a phone, nobody does.
            keys.press("j")
            expect(said).to_have_text("Number 2" if size[0] > 1000 else "Number 1")
            keys.press("Escape")
            expect(said).to_have_count(0)
            assert page.evaluate("document.activeElement.textContent") in ("Ada", "Bo")
            page.evaluate("document.activeElement.blur()")
        keys.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()


def test_keys_can_be_switched_off_for_good(show: Show):
    with show(LIST) as (page, _):
        page.keyboard.press("?")
        page.locator("#keys input").uncheck()
        page.keyboard.press("Escape")
        page.reload()
        page.keyboard.press("j")
        expect(page.get_by_text("Ada")).not_to_be_focused()
