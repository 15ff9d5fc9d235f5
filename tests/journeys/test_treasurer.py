"""Journey 13: money that went back in Stripe's dashboard, a dispute, and the books that agree to the cent."""

import csv
import io
import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.sandbox.control import SandboxControl
from tests.support.browser import list_axe_violations
from tests.support.servers import Server

PASSWORD = "ten chairs in a ring"
TREASURER = "edmund.pennywhistle@example.org"

pytestmark = pytest.mark.once


def buy(page: Page, site: Server, first: str) -> None:
    """Take a place on the Introductory Intensive, and pay $540.00."""
    go_to_pay(page, site, first)
    page.get_by_role("button", name="Pay $540.00").click()
    page.wait_for_url(re.compile("/o/"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"You have a place, {first}")


def go_to_pay(page: Page, site: Server, first: str) -> None:
    """Take a place on the Introductory Intensive, and open the payment page."""
    page.goto(f"{site.url}/events/introductory-intensive/register")
    page.get_by_role("button", name="Hold these for me").click()
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill("Nettlefold")
    page.get_by_label("E-mail").fill(f"{first.lower()}@example.org")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Letters after your name").fill("MD")
    page.get_by_label("Your profession").fill("Family physician")
    page.get_by_label("Where you work").fill(f"{first}'s practice")
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
    page.get_by_role("button", name="Pay $540.00").click()
    expect(page.get_by_text("No card is charged and no money moves")).to_be_visible()


def pay_twice(page: Page, site: Server, first: str) -> None:
    """Pay at two pages of one order: Stripe said for a moment that the first had ended."""
    key = json.loads((site.data / "demo.json").read_text())["REGSYS_STRIPE_SECRET_KEY"]
    stripe = SandboxControl(site.sandbox_url, key)
    go_to_pay(page, site, first)
    first_page = page.url
    session = urlsplit(first_page).path.rsplit("/", 1)[-1]
    stripe.edit(session, status="expired")
    page.get_by_role("link", name="Back to", exact=False).click()
    order = page.url.partition("?")[0]
    page.goto(f"{order}/paid?session_id={session}")
    page.get_by_role("button", name="Pay $540.00").click()
    expect(page.get_by_text("No card is charged and no money moves")).to_be_visible()
    assert page.url != first_page
    stripe.edit(session, status="open")
    stripe.hold()
    stripe.pay(session)  # somebody else of the household, in a tab of their own
    page.get_by_role("button", name="Pay $540.00").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"You have a place, {first}")
    stripe.hold(False)


def _open_payment(page: Page, site: Server, index: int) -> None:
    """Open a payment on the sandbox's own page, as one would in Stripe's dashboard."""
    page.goto(site.sandbox_url)
    page.locator("a[href*='/payments/']").nth(index).click()


def test_the_treasurer_finds_what_is_odd_and_the_books_agree(page: Page, site: Server) -> None:
    buy(page, site, "Una")
    buy(page, site, "Osric")
    _open_payment(page, site, 0)
    page.get_by_label("Amount").fill("100.00")
    page.get_by_role("button", name="Refund this amount").click()
    expect(page.get_by_text("$440.00 can be given back")).to_be_visible()
    _open_payment(page, site, 1)
    page.get_by_role("button", name="“I never paid this”").click()

    page.goto(site.sandbox_url)
    page.get_by_role("button", name="Pay out everything now").click()
    pay_twice(page, site, "Wilf")
    _look_until(page, "Given back on")
    page.goto(f"{site.url}/outbox")
    page.get_by_role("link", name="You get $540.00 back").first.click()
    expect(page.locator("main")).to_contain_text("this order was paid twice")

    page.goto(f"{site.url}/signin")
    page.get_by_text("Use a password").click()
    page.get_by_label("E-mail").last.fill(TREASURER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Money", exact=True).click()
    page.get_by_role("link", name="Treasurer").click()
    _look_until(page, "Dispute of $540.00")
    expect(page.get_by_text("A refund of $85.00 failed")).to_be_visible()
    page.get_by_role("button", name="Compare with Stripe now").click()
    # Those of the demo, and four of $540.00, of which one went back by itself.
    _look_until(page, "89 charges were held against our payments")
    expect(page.get_by_text("$50,779.40 came")).to_be_visible()
    expect(page.get_by_text("Everything agrees to the cent")).to_be_visible()
    payouts = page.get_by_role("table", name="The last payouts")
    expect(payouts.get_by_role("row")).to_have_count(2)
    expect(payouts.get_by_text("To the cent")).to_be_visible()
    assert list_axe_violations(page) == []

    with page.expect_download() as download:
        page.get_by_role("link", name="Payments and refunds as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert sum("540.00" in row.values() for row in rows) >= 2
    assert any("100.00" in str(v) for row in rows for v in row.values())


def _look_until(page: Page, words: str) -> None:
    """Look again, as a person does, until the words are there: notices and jobs take some seconds."""
    for _ in range(30):
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(1000)
        page.goto(page.url)
    raise AssertionError(f"{words!r} never came; the page says: {page.inner_text('main')}")
