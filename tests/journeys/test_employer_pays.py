"""Journey 6: an employer pays by invoice; the place is confirmed at once, and a cheque comes later."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.servers import Server

PASSWORD = "ten chairs in a ring"
TREASURER = "edmund.pennywhistle@example.org"

pytestmark = pytest.mark.once


def fill_in(page: Page, site: Server) -> None:
    """Take a place on the Introductory Intensive, up to the review."""
    page.goto(f"{site.url}/events/introductory-intensive/register")
    page.get_by_role("button", name="Hold these for me").click()
    page.get_by_label("First name").fill("Una")
    page.get_by_label("Last name").fill("Nettlefold")
    page.get_by_label("E-mail").fill("una@example.org")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Letters after your name").fill("MD")
    page.get_by_label("Your profession").fill("Family physician")
    page.get_by_label("Where you work").fill("Harborview")
    page.get_by_role("group", name="Where you are in your career").get_by_label(
        "Practicing"
    ).check()
    page.get_by_role("group", name="Your Balint experience so far").get_by_label(
        "Group member"
    ).check()
    page.get_by_label("What do you hope to take home?").fill("To listen")
    page.get_by_label("I will keep everything about patients").check()
    page.get_by_label("I will be there for every session").check()
    page.get_by_role("button", name="Save and go on").click()


def test_an_employer_gets_an_invoice_and_pays_it_by_cheque(page: Page, site: Server) -> None:
    fill_in(page, site)
    page.get_by_role("button", name="My employer pays").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your employer pays")
    page.get_by_label("Employer, as it should stand").fill("Harborview Family Practice")
    page.get_by_label("Address").fill("500 Alder Street\nSeattle, WA")
    page.get_by_label("Purchase order number").fill("PO-4711")
    page.get_by_label("E-mail of accounts payable").fill("ap@example.org")
    page.get_by_role("button", name="Send the invoice").click()
    page.wait_for_url(re.compile("/o/"))
    expect(page.get_by_text("The invoice is on its way to ap@example.org.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Invoice INV-"))).to_be_visible()

    page.goto(f"{site.url}/signin")
    page.get_by_text("Use a password").click()
    page.get_by_label("E-mail").last.fill(TREASURER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site.url}/organize")
    page.goto(f"{site.url}/organize/invoices")
    row = page.get_by_role("row").filter(has_text="Harborview Family Practice")
    expect(row).to_contain_text("$540.00")
    row.get_by_role("link").click()
    page.get_by_role("link", name="A cheque or transfer came").click()
    page.get_by_label("By cheque").check()
    page.get_by_label("Reference").fill("Cheque 1187")
    page.get_by_role("button", name="See what will happen").click()
    expect(page.get_by_text("The order is paid in full.")).to_be_visible()
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_text("All of it, $540.00, has come")).to_be_visible()
    page.goto(f"{site.url}/organize/papers?q=Harborview")
    expect(page.get_by_role("row").filter(has_text="Receipt, order")).to_contain_text("$540.00")
