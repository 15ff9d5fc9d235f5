"""Journey 4: an event is full, people wait, one is passed over, one does not answer, one takes the place and pays.

Days pass by the shifted clock; every letter is read as it came over SMTP.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import RunningDemo
from tests.journeys.steps import (
    Shift,
    answer_the_form,
    letters,
    link_in,
    pay,
    sign_in_as_registrar,
)
from tests.support.browser import PHONE, WIDE, Watch, list_axe_violations, new_context
from tests.support.servers import Server
from tests.support.smtp import SmtpServer

EVENT = "/events/introductory-intensive"
TITLE = "Introductory Intensive: three days of leading practice"

pytestmark = pytest.mark.once


@pytest.fixture
def site(
    mail: SmtpServer, tmp_path_factory: pytest.TempPathFactory, running_demo: RunningDemo
) -> Iterator[tuple[Server, Shift]]:
    """The demo on a real mail server; it is ten in the morning where the event is."""
    folder = tmp_path_factory.mktemp("waiting")
    shift = Shift(folder / "data", zone="America/Los_Angeles", hour=10)
    with running_demo(folder, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(mail.port)) as server:
        yield server, shift


@pytest.fixture
def pages(browser: Browser, site: tuple[Server, Shift]) -> Iterator[tuple[Page, Page]]:
    """The organizer at a desk, and a visitor with a phone and no scripts."""
    desk, phone = (
        new_context(browser, size=WIDE),
        new_context(browser, size=PHONE, javascript=False),
    )
    both = desk.new_page(), phone.new_page()
    server = site[0]
    watches = [Watch(page, origins=(server.url, server.sandbox_url)) for page in both]
    yield both
    desk.close()
    phone.close()
    # What is refused is answered with 409, and the browser says so in its console.
    problems = [p for w in watches for p in w.problems if "status of 409" not in p]
    assert problems == []


def _set_places(page: Page, site: Server, more: int | None) -> None:
    """Make the event full (None), or give it so many more places."""
    page.goto(f"{site.url}/organize/events")
    page.get_by_role("link", name=TITLE).first.click()
    page.get_by_role("link", name="Edit the event").click()
    page.get_by_role("link", name="Places and prices").click()
    total = page.get_by_label("How many places are there in all?")
    if more is None:
        total.fill("0")
        _save(page)
        said = page.get_by_role("alert").inner_text()
        taken = re.search(r"(\d+) places are taken", said)
        assert taken, said
        total.fill(taken.group(1))
    else:
        total.fill(str(int(total.input_value()) + more))
    _save(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def _save(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).first.click()


def _join(page: Page, site: Server, first: str) -> None:
    page.goto(site.url + EVENT)
    page.get_by_role("link", name="Join the waiting list").first.click()
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill("Nettlefold")
    page.get_by_label("E-mail").fill(f"{first.lower()}@example.org")
    page.get_by_label("Your profession").fill("Family physician")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Join the waiting list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        f"You are on the waiting list, {first}"
    )


def test_a_place_goes_down_the_line_until_somebody_takes_it(
    pages: tuple[Page, Page], site: tuple[Server, Shift], mail: SmtpServer
) -> None:
    (desk, phone), (server, shift) = pages, site
    sign_in_as_registrar(desk, server)
    _set_places(desk, server, None)
    for first in ("Ada", "Ben", "Cleo"):
        _join(phone, server, first)
    expect(phone.get_by_text("You are number 3 of 3 in line.")).to_be_visible()
    joined = letters(mail, "cleo@example.org")[0]
    assert "You are on the waiting list" in joined.subject
    assert link_in(joined, server, "/w/") == phone.url

    # The organizer passes the first over and keeps her position, with a note.
    desk.goto(f"{server.url}/organize")
    expect(desk.get_by_text("3 parties wait for Introductory Intensive")).to_be_visible()
    desk.get_by_role("link", name=TITLE).first.click()
    desk.get_by_role("link", name="Waiting list").click()
    assert list_axe_violations(desk) == []
    ada = desk.get_by_role("row", name=re.compile("Ada Nettlefold"))
    ada.get_by_text("Change").click()
    ada.get_by_role("link", name="Pass over for now").click()
    desk.get_by_label("Why, for you and the other organizers").fill("A colleague is in")
    desk.get_by_role("button", name="Pass over for now").click()
    expect(desk.get_by_text("Passed over for now: A colleague is in").last).to_be_visible()

    # A place more: the second is asked, and does not answer; then the third is.
    _set_places(desk, server, 1)
    shift.move(seconds=25)
    offered = letters(mail, "ben@example.org", 2)[1]
    assert "A place is free for you" in offered.subject
    phone.goto(server.url + EVENT)
    expect(phone.get_by_role("link", name="Register", exact=True)).to_have_count(0)
    shift.move(hours=73)
    assert "went to the next person" in letters(mail, "ben@example.org", 3)[2].subject
    offer = link_in(letters(mail, "cleo@example.org", 2)[1], server, "/w/offer/")
    phone.goto(link_in(offered, server, "/w/offer/"))
    expect(phone.get_by_role("heading", level=1)).to_have_text("This offer is over")

    # She reads the offer twice, which decides nothing, takes it and pays.
    for _n in range(2):
        phone.goto(offer)
        expect(phone.get_by_role("button", name="Yes, I take it")).to_be_visible()
    phone.get_by_role("button", name="Yes, I take it").click()
    phone.goto(f"{server.url}/cart/next")
    answer_the_form(phone)
    phone.get_by_role("button", name="Save and go on").click()
    amount = (
        phone.get_by_role("button", name=re.compile(r"^Pay \$")).inner_text().removeprefix("Pay ")
    )
    phone.get_by_role("button", name=f"Pay {amount}").click()
    pay(phone, amount)
    expect(phone.get_by_role("heading", level=1)).to_have_text("You have a place, Cleo")
    confirmed = letters(mail, "cleo@example.org", 3)[2]
    assert b"METHOD:REQUEST" in confirmed.attachments()["calendar.ics"]
    phone.goto(offer)
    expect(phone.get_by_role("heading", level=1)).to_have_text("You took this offer")

    sign_in_as_registrar(desk, server)  # three days later
    desk.get_by_role("link", name=TITLE).first.click()
    desk.get_by_role("link", name="Waiting list").click()
    first = desk.get_by_role("table", name="Who waits").get_by_role("row").nth(1)
    expect(first).to_contain_text("Ada Nettlefold")
    past = desk.get_by_role("table", name="No longer in line")
    expect(past.get_by_role("row", name=re.compile("Ben"))).to_contain_text("Lapsed")
    expect(past.get_by_role("row", name=re.compile("Cleo"))).to_contain_text("Taken")
    assert len(mail.to("ada@example.org")) == 1
