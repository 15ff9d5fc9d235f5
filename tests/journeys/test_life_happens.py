"""Journeys 5 and 7: somebody changes an answer, cancels, hands a place over; pays a deposit, and the rest later.

One society on a real mail server; months pass by the shifted clock.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import RunningDemo
from tests.journeys.steps import Shift, letters, link_in, pay
from tests.journeys.test_treasurer import buy
from tests.support.browser import PHONE, Watch, new_context
from tests.support.servers import Server, wait_until
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def ground(
    mail: SmtpServer, tmp_path_factory: pytest.TempPathFactory, running_demo: RunningDemo
) -> Iterator[tuple[Server, Shift]]:
    """The demo, as `make run` starts it, at ten in the morning where its events are."""
    folder = tmp_path_factory.mktemp("life")
    shift = Shift(folder / "data", zone="America/Los_Angeles", hour=10)
    with running_demo(folder, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(mail.port)) as server:
        yield server, shift


@pytest.fixture
def site(ground: tuple[Server, Shift]) -> Server:
    return ground[0]


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
    # The next one takes it.
    buy(page, site, "Osric")
    assert _free(page, site) == free - 1


def _fill_person(page: Page, first: str) -> None:
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill("Nettlefold")
    page.get_by_label("E-mail").fill(f"{first.lower()}@example.org")


def test_a_place_goes_to_a_colleague(page: Page, site: Server, mail: SmtpServer) -> None:
    page.goto(f"{site.url}/events/see-a-balint-group/register")
    page.locator("select").first.select_option("1")
    page.get_by_role("button", name="Hold these for me").click()
    _fill_person(page, "Ottilie")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Your profession").fill("Midwife MARKED")
    page.get_by_label("I will keep everything about patients").check()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Confirm your place").click()
    page.get_by_role("link", name="Your own page").click()
    own = page.url
    page.get_by_role("link", name="Hand it to a colleague").click()
    page.get_by_role("button", name="Make the link").click()
    page.locator("a[href*='/h/']").click()
    assert "MARKED" not in page.content()
    _fill_person(page, "Ruprecht")
    page.get_by_label("Your profession").fill("Nurse")
    page.get_by_role("button").last.click()
    expect(page.get_by_text("The place is yours")).to_be_visible()
    page.goto(own)
    expect(page.get_by_role("heading", level=1)).to_have_text("You have no place here now")
    told = letters(mail, "ottilie@example.org", 2)
    assert any(b"METHOD:CANCEL" in m.attachments()["calendar.ics"] for m in told)
    theirs = link_in(letters(mail, "ruprecht@example.org")[0], site, "/r/")
    page.goto(theirs)
    expect(page.get_by_role("heading", level=1)).to_have_text("You have a place, Ruprecht")
    assert "MARKED" not in page.content()


def test_a_deposit_now_and_the_rest_by_somebody_else_before_the_date(
    page: Page, ground: tuple[Server, Shift], mail: SmtpServer
) -> None:
    site, shift = ground
    page.goto(f"{site.url}/events/balint-weekend-on-the-canal")
    expect(page.get_by_text("Your place is sure for a deposit of $150.00")).to_be_visible()
    page.goto(f"{site.url}/events/balint-weekend-on-the-canal/register")
    page.locator("select").first.select_option("1")
    page.get_by_role("button", name="Hold these for me").click()
    _fill_person(page, "Perpetua")
    page.get_by_label("No, I only arrange it").check()
    page.get_by_role("button", name="Save and go on").click()
    _fill_person(page, "Quill")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_text("A deposit, to pay now")).to_be_visible()
    page.get_by_role("button", name="Pay the deposit of $150.00").click()
    pay(page, "$150.00")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Confirmed, and something is still to pay"
    )
    assert len(letters(mail, "perpetua@example.org")) == 1

    shift.move(days=185)
    told = letters(mail, "perpetua@example.org", 2)[-1]
    assert "$190.00 is due soon" in told.subject.replace("\u00a0", " ")
    page.goto(link_in(told, site, "/o/"))
    order = page.url
    page.get_by_role("button", name="Make a link for somebody else").click()
    page.locator("a[href*='/b/']").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pay for Quill")
    assert "Nettlefold" not in page.content()
    page.get_by_role("button", name="Pay $190.00").click()
    page.get_by_label("E-mail").fill("office@example.org")
    page.get_by_role("button", name="Pay $190.00").click()
    page.wait_for_url(re.compile("/b/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is paid")
    page.goto(order)
    expect(page.get_by_text("Confirmed and paid")).to_be_visible()
