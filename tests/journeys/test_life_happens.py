"""Journey 5: somebody changes an answer, sees what a cancellation gives back today, cancels, and the money comes."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_treasurer import buy
from tests.support.browser import PHONE, Watch, new_context
from tests.support.servers import Server, running, wait_until
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.once


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def site(mail: SmtpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo, as `make run` starts it, with a real mail server behind it."""
    folder = tmp_path_factory.mktemp("life")
    with running("run", folder, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(mail.port)) as server:
        yield server


@pytest.fixture
def page(browser: Browser, site: Server) -> Iterator[Page]:
    """A phone without JavaScript."""
    context = new_context(browser, size=PHONE, javascript=False)
    page = context.new_page()
    watch = Watch(page, origins=(site.url, site.sandbox_url))
    yield page
    context.close()
    assert watch.problems == []


def _free(page: Page, site: Server) -> int:
    """Return how many places the event's page says are left."""
    page.goto(f"{site.url}/events/introductory-intensive")
    found = re.search(r"(\d+) of \d+ places left", page.inner_text("main"))
    assert found
    return int(found.group(1))


def test_an_answer_is_changed_and_the_place_given_back(
    page: Page, site: Server, mail: SmtpServer
) -> None:
    free = _free(page, site)
    expect(page.get_by_role("heading", name="If you cannot come")).to_be_visible()
    buy(page, site, "Una")
    order = page.url
    page.get_by_role("link", name="Your own page").click()
    page.get_by_role("link", name="Change them").click()
    page.get_by_label("Where you work").fill("A ship on the lake")
    page.get_by_role("button", name="Save my answers").click()
    expect(page.get_by_text("A ship on the lake")).to_be_visible()
    assert _free(page, site) == free - 1

    page.goto(order)
    page.get_by_role("link", name="Cancel the place").click()
    expect(page.get_by_text("Today $465.00 comes back.")).to_be_visible()
    expect(page.get_by_text("everything but $75.00")).to_be_visible()
    page.get_by_label("Why, in a few words").fill("A new post")
    page.get_by_role("button", name="Cancel and get $465.00 back").click()
    expect(page.get_by_text("$465.00 is on its way back")).to_be_visible()
    expect(page.get_by_text("Given back on")).to_be_visible()
    assert _free(page, site) == free, "the place is free for the next one"

    page.goto(site.sandbox_url)
    page.locator("a[href*='/payments/']").first.click()
    expect(page.get_by_text("$75.00 can be given back")).to_be_visible()
    address = "una@example.org"
    wait_until(lambda: len(mail.to(address)) >= 2, seconds=30, what="the letter")
    letter = next(m for m in mail.to(address) if "given your place back" in m.subject)
    assert b"METHOD:CANCEL" in letter.attachments()["calendar.ics"]
    text = " ".join(letter.text().split())
    assert "$465.00 goes back to the card" in text
    assert "everything but $75.00" in text
