"""Journey 3: three apply; one is accepted, reminded and pays; one is declined kindly; one lets the place go.

Then a member shows by a mailed link that they are one, asks a leader for a talk, and pays what members pay. The days
pass by the shifted clock, through real servers; letters are read where the mail server put them.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.steps import pay
from tests.support import rawsql
from tests.support.browser import (
    PHONE,
    WIDE,
    Watch,
    list_axe_violations,
    list_sideways_scroll,
    new_context,
)
from tests.support.servers import Server, wait_until
from tests.support.smtp import Received, SmtpServer

EVENT = "/events/leadership-intensive-online"
REVIEWER = "roswitha.calloway-dell@example.org"
PASSWORD = "four kettles on a shelf"
HOUR = 3600
GROUP = "tuesday-evening-group"
MEMBER, LEADER = "sunniva.dunmore@example.org", "casimir.littlewood@example.org"

pytestmark = pytest.mark.once


@pytest.fixture
def visit(browser: Browser, site: Server) -> Iterator["Visit"]:
    visit = Visit(browser, site)
    yield visit
    visit.end()


class Visit:
    """Opens browsers that share nothing, and hears what is wrong in each."""

    def __init__(self, browser: Browser, site: Server) -> None:
        self.browser, self.site = browser, site
        self.pages: list[Page] = []
        self.watches: list[Watch] = []

    def page(self, *, script: bool = True) -> Page:
        size = WIDE if script else PHONE
        page = new_context(self.browser, size=size, javascript=script).new_page()
        self.pages.append(page)
        self.watches.append(Watch(page, origins=(self.site.url, self.site.sandbox_url)))
        return page

    def end(self) -> None:
        for page in self.pages:
            page.context.close()
        # A form that is not finished is answered with 422, and the browser says so in its console.
        problems = [p for w in self.watches for p in w.problems if "status of 422" not in p]
        assert problems == []


def letter(mail: SmtpServer, address: str, words: str) -> Received:
    """Wait for the letter to an address whose subject holds these words."""

    def found() -> list[Received]:
        return [m for m in mail.to(address) if words in m.subject]

    return wait_until(found, seconds=40, what=f"“{words}” to {address}")[-1]


def link(site: Server, letter: Received, part: str) -> str:
    found = re.search(rf"{re.escape(site.url)}/{part}\S+", letter.text())
    assert found, letter.text()
    return found.group()


def fill(page: Page, first: str) -> None:
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill("Nettlefold")
    page.get_by_label("E-mail").fill(f"{first.lower()}@example.org")
    page.get_by_label("Clinicians in practice").check()
    page.get_by_label("Letters after your name").fill("MD")
    page.get_by_label("Your profession").fill("Family physician")
    page.get_by_label("Where you work").fill(f"{first}'s practice")
    career = page.get_by_role("group", name="Where you are in your career")
    career.get_by_label("Practicing").check()
    page.get_by_label("What do you hope to take home?").fill("To sit still, & listen <well>")


def finish(page: Page) -> None:
    experience = page.get_by_role("group", name="Your Balint experience so far")
    experience.get_by_label("Group member").check()
    page.get_by_label("I will keep everything about patients").check()
    page.get_by_label("I will be there for every session").check()
    page.get_by_role("button", name="Send the application").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("your application is here")


def move_clock(site: Server, hours: int) -> None:
    file = site.data / "clock_offset"
    before = float(file.read_text()) if file.exists() else 0.0
    file.write_text(str(before + hours * HOUR))


def sign_in_as_reviewer(page: Page, site: Server, mail: SmtpServer) -> None:
    page.goto(f"{site.url}/signin/password/forgot")
    page.get_by_label("E-mail").fill(REVIEWER)
    page.get_by_role("button").last.click()
    page.goto(link(site, letter(mail, REVIEWER, "password"), "signin/"))
    page.get_by_label("password").fill(PASSWORD)
    page.get_by_role("button", name="Set this password and sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Applications")


def decide(page: Page, site: Server, name: str, button: str, words: str) -> None:
    page.goto(f"{site.url}/organize/applications")
    page.get_by_role("link", name=re.compile("online", re.I)).first.click()
    page.get_by_role("link", name=f"Nettlefold, {name}").click()
    page.get_by_role("link", name=button, exact=True).click()
    page.get_by_label("A few words of your own").fill(words)
    page.get_by_role("button", name="See the letters with these words").click()
    expect(page.locator("pre")).to_contain_text(words)
    page.get_by_role("button", name=f"{button} and send the letter").click()
    expect(page.get_by_text("Decided, and the letter is on its way")).to_be_visible()


def test_three_apply(visit: Visit, site: Server, mail: SmtpServer) -> None:
    una = visit.page()
    una.goto(site.url + EVENT)
    una.get_by_role("link", name="Apply", exact=True).first.click()
    fill(una, "Una")
    una.get_by_label("What do you hope to take home?").blur()
    expect(una.get_by_text("Kept, as far as you have come.")).to_be_visible()
    assert list_axe_violations(una) == []
    una.get_by_role("button", name="Save and continue later").click()
    expect(una.get_by_text("We have mailed you the link")).to_be_visible()

    # Later, elsewhere, on a phone without scripts.
    later = visit.page(script=False)
    later.goto(link(site, letter(mail, "una@example.org", "unfinished"), "a/draft/"))
    expect(later.get_by_label("Where you work")).to_have_value("Una's practice")
    assert list_sideways_scroll(later) == []
    finish(later)
    own = link(site, letter(mail, "una@example.org", "is here"), "a/")
    later.goto(own)
    expect(later.locator(".sentence")).to_contain_text("nobody has begun to read it yet")
    expect(later.get_by_text("To sit still, & listen <well>")).to_be_visible()
    for name in ("Orla", "Piet"):
        page = visit.page(script=False)
        page.goto(f"{site.url}{EVENT}/apply")
        fill(page, name)
        finish(page)


def test_reviewers_decide_and_the_days_pass(visit: Visit, site: Server, mail: SmtpServer) -> None:
    desk, una = visit.page(), visit.page(script=False)
    own = link(site, letter(mail, "una@example.org", "is here"), "a/")
    sign_in_as_reviewer(desk, site, mail)
    desk.get_by_role("link", name=re.compile("online", re.I)).first.click()
    desk.get_by_role("link", name="Nettlefold, Una").click()
    desk.get_by_label("Your note").fill("PRIVATE seems tired")
    desk.get_by_label("4", exact=True).check()
    desk.get_by_role("button", name="Keep it").click()
    expect(desk.get_by_text("4 of 5")).to_be_visible()
    assert list_axe_violations(desk) == []
    una.goto(own)
    expect(una.locator(".sentence")).to_contain_text("reviewers are reading your application")
    decide(desk, site, "Una", "Accept", "Bring a quiet room.")
    decide(desk, site, "Piet", "Accept", "Bring a quiet room.")
    decide(desk, site, "Orla", "Decline", "Please come in fall.")
    declined = letter(mail, "orla@example.org", "About your application")
    assert "Please come in fall." in declined.text()
    assert "sorry" in declined.text()

    move_clock(site, 25)
    reminder = letter(mail, "una@example.org", "still held")
    accepted = letter(mail, "una@example.org", "You are accepted")
    assert "Bring a quiet room." in accepted.text()
    assert link(site, reminder, "o/") == link(site, accepted, "o/")
    una.goto(link(site, reminder, "o/"))
    una.get_by_role("button", name="Pay $560.00").click()
    una.get_by_role("button", name="Pay $560.00").click()
    una.wait_for_url(re.compile("/o/"))
    expect(una.get_by_role("heading", level=1)).to_have_text("You have a place, Una")
    letter(mail, "una@example.org", "You have a place")
    una.goto(own)
    expect(una.locator(".sentence")).to_have_text("You are accepted, and you have a place.")
    assert "PRIVATE" not in una.content()

    move_clock(site, 24)
    lapsed = letter(mail, "piet@example.org", "let go")
    piet = visit.page(script=False)
    piet.goto(link(site, lapsed, "a/"))
    expect(piet.locator(".sentence")).to_contain_text("was not taken in time")
    subjects = [m.subject.partition(":")[0] for m in mail.to("piet@example.org")]
    assert subjects == [
        "Your application is here",
        "You are accepted",
        "Your place is still held",
        "Your place was let go",
    ]


def show_that_one_is_a_member(page: Page, site: Server, mail: SmtpServer, then: str) -> None:
    page.goto(site.url + then)
    page.get_by_role("link", name="shown that you are one").click()
    page.get_by_label("E-mail").fill(MEMBER)
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    page.goto(link(site, letter(mail, MEMBER, "as a member"), "members/link"))
    page.get_by_role("button", name="Go on as a member").click()
    page.wait_for_url(site.url + then)


def ask_for_a_talk(page: Page) -> None:
    for label, value in {
        "First name": "Sunniva",
        "Last name": "Dunmore",
        "E-mail": MEMBER,
        "Phone": "+1 206 555 0114",
        "Your profession": "Family physician",
        "Where you work": "Lanternfield",
    }.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("Members of the society").check()
    page.get_by_role("group", name="Where you are in your career").get_by_label(
        "Practicing"
    ).check()
    experience = page.get_by_role("group", name="Your Balint experience so far")
    experience.get_by_label("Group member").check()
    page.get_by_label("I will keep everything about patients").check()
    page.get_by_label("I will be there for every session").check()
    page.get_by_role("button", name="Ask for a talk").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("your application is here")


def test_a_member_asks_for_a_talk_and_pays_what_members_pay(
    visit: Visit, site: Server, mail: SmtpServer
) -> None:
    by_talk = f"UPDATE event SET enrollment = 'application' WHERE slug = '{GROUP}'"
    rawsql.damage(f"sqlite:///{site.data / 'regsys.sqlite'}", by_talk)
    phone, desk = visit.page(script=False), visit.page()
    show_that_one_is_a_member(phone, site, mail, f"/events/{GROUP}/apply")
    ask_for_a_talk(phone)
    asked = link(site, letter(mail, LEADER, "would like to join"), "lead/")

    # The leader signs in by a mailed link, which leads on to the person; after the talk: yes.
    desk.goto(asked)
    desk.get_by_label("E-mail").first.fill(LEADER)
    desk.get_by_role("button", name="Mail me a link").click()
    desk.goto(link(site, letter(mail, LEADER, "Sign in to"), "signin/"))
    desk.get_by_role("button", name="Sign in").click()
    desk.wait_for_url(asked)
    expect(desk.get_by_role("heading", level=1)).to_have_text("Sunniva Dunmore")
    assert list_axe_violations(desk) == []
    desk.get_by_label("A few words of your own").fill("Come on Tuesday.")
    desk.get_by_role("button", name="Accept and send the letter").click()
    expect(desk.get_by_role("status")).to_contain_text("the letter is on its way")

    accepted = letter(mail, MEMBER, "You are accepted")
    assert "Come on Tuesday." in accepted.text()
    phone.goto(link(site, accepted, "o/"))
    phone.get_by_role("button", name="Pay $240.00").click()
    pay(phone, "$240.00")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("You have a place")
    desk.goto(asked)
    expect(desk.get_by_text("Confirmed", exact=True).first).to_be_visible()
