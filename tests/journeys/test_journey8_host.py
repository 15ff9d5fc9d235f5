"""Journey 8: an inquiry becomes seats; the coordinator names, is asked, gets one invoice, pays, and swaps a name."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.steps import letter_about, letters, link_in, pay, sign_in_as_registrar
from tests.support.browser import (
    PHONE,
    WIDE,
    Watch,
    list_axe_violations,
    list_sideways_scroll,
    new_context,
)
from tests.support.servers import Server
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.once
COORDINATOR = "augustin.brackenridge@example.org"


@pytest.fixture
def pages(browser: Browser, site: Server) -> Iterator[tuple[Page, Page]]:
    """A wide screen with scripts, and a phone without."""
    contexts = [new_context(browser, size=WIDE), new_context(browser, size=PHONE, javascript=False)]
    opened = [context.new_page() for context in contexts]
    watches = [Watch(page, origins=(site.url, site.sandbox_url)) for page in opened]
    yield opened[0], opened[1]
    for context in contexts:
        context.close()
    assert [p for watch in watches for p in watch.problems] == []


def _fill(page: Page, first: str) -> None:
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill("Nettlefold")
    page.get_by_label("E-mail").fill(f"{first.lower()}@example.org")


def _agree(desk: Page, site: Server) -> str:
    """Make a draft of an inquiry, agree on a price, publish it, and invite; return the private link."""
    sign_in_as_registrar(desk, site)
    desk.goto(f"{site.url}/organize/inquiries")
    desk.get_by_role("link", name="Augustin Brackenridge").click()
    desk.get_by_role("button", name="Make a draft event").click()
    expect(desk.get_by_text("0 of 9 have a name")).to_be_visible()
    desk.get_by_label("Agreed price for all seats").fill("1200.00")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("status")).to_contain_text("Saved")
    panel = desk.url
    desk.goto(panel.replace("/host", "/tickets"))
    desk.get_by_label("May an employer pay by invoice?").select_option("confirmed")
    desk.get_by_role("button", name="Save", exact=True).first.click()
    expect(desk.get_by_role("status")).to_contain_text("Saved")
    desk.goto(panel.replace("/host", "/preview"))
    desk.get_by_role("button", name="Publish it").click()
    expect(desk.get_by_role("heading", name="It is published")).to_be_visible()
    desk.goto(panel)
    desk.get_by_role("button", name="Send the coordinator their link").click()
    expect(desk.get_by_text(f"on its way to {COORDINATOR}")).to_be_visible()
    return desk.locator("aside .address").inner_text()


def _answer(phone: Page, site: Server, mail: SmtpServer, first: str) -> None:
    """Open the own link in one's letter, and answer what is asked there."""
    phone.goto(link_in(letters(mail, f"{first.lower()}@example.org")[0], site, "/r/"))
    phone.get_by_label("Letters after your name").fill("PRIVATEletters")
    phone.get_by_label("Your profession").fill("PRIVATEprofession")
    phone.get_by_label("Where you work").fill("PRIVATEwork")
    phone.get_by_role("button", name="Save my answers").click()
    expect(phone.get_by_text("Your answers are saved")).to_be_visible()


def test_a_host_gives_out_seats_pays_once_and_swaps(
    pages: tuple[Page, Page], site: Server, mail: SmtpServer
) -> None:
    desk, phone = pages
    private = _agree(desk, site)
    desk.context.clear_cookies()

    # The coordinator, by the link in the letter; and somebody at her house, by the private one.
    desk.goto(link_in(letters(mail, COORDINATOR)[0], site, "/signin/"))
    desk.get_by_role("button", name="Sign in").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text(
        "Seats of Brackenridge Rural Residency"
    )
    _fill(desk, "Una")
    desk.get_by_role("button", name="Put the name on a seat").click()
    una = desk.get_by_role("row", name=re.compile("Una Nettlefold"))
    expect(una).to_contain_text("Invited")
    phone.goto(private)
    phone.get_by_role("link", name="Ask for a seat").click()
    _fill(phone, "Piet")
    phone.get_by_role("button", name="Ask for a seat").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Your wish is passed on")
    _answer(phone, site, mail, "Una")

    desk.reload()
    expect(una).to_contain_text("Confirmed")
    assert "PRIVATE" not in desk.content()
    assert list_axe_violations(desk) == []
    desk.get_by_role("button", name="Give a seat").click()
    expect(desk.get_by_role("row", name=re.compile("Piet"))).to_contain_text("Invited")
    assert "A seat with your name" in letters(mail, "piet@example.org")[0].subject

    # One payer, one order: an invoice for the house, and somebody there has a card after all.
    desk.get_by_role("link", name="Ask for an invoice instead").click()
    desk.get_by_label("Employer, as it should stand").fill("Brackenridge Rural Residency")
    desk.get_by_label("Address").fill("1 Mill Road\nBrackenridge")
    desk.get_by_role("button", name="Send the invoice").click()
    expect(desk.get_by_text(f"The invoice is on its way to {COORDINATOR}.")).to_be_visible()
    assert letter_about(mail, COORDINATOR, "INV-").text()
    desk.goto(f"{site.url}/host")
    expect(desk.get_by_role("link", name=re.compile("Invoice INV-"))).to_be_visible()
    desk.get_by_role("link", name="Look at it and pay $1,200.00").click()
    assert "PRIVATE" not in desk.content()
    desk.get_by_role("button", name="Pay $1,200.00").click()
    pay(desk, "$1,200.00")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Everything is confirmed")
    desk.goto(f"{site.url}/host")
    expect(desk.get_by_role("link", name="Open the order")).to_be_visible()

    # Una cannot come; Orla can.
    una.get_by_role("link", name="Swap").click()
    _fill(desk, "Orla")
    desk.get_by_role("button", name="Swap the name").click()
    expect(desk.get_by_role("row", name=re.compile("Orla"))).to_contain_text("Invited")
    expect(una).to_have_count(0)
    assert "went to Orla" in letters(mail, "una@example.org", 2)[1].subject
    assert "You have a place" in letters(mail, "orla@example.org")[0].subject
    phone.goto(link_in(letters(mail, "orla@example.org")[0], site, "/r/"))
    assert "PRIVATE" not in phone.content()
    assert list_sideways_scroll(phone) == []
