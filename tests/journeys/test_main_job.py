"""The main job as a newcomer tries it: `regsys run`, a real browser, real mail, files read back by other programs.

Journeys 1, 2 and 14 of the product: a family doctor takes a place; a practice sends three people on one payment;
the registrar exports the list; a leader finds them on the roster.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import keyboard
from tests.journeys.steps import answer_the_form, letters, pay, sign_in_as_registrar
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

LEADER = "sunniva.dunmore@example.org"
INTRO = "/events/introductory-intensive"

# One society, visited in order: `--dist loadfile` keeps a file on one worker.
pytestmark = pytest.mark.once


@pytest.fixture(params=["script", "no script"])
def page(request: pytest.FixtureRequest, browser: Browser, site: Server) -> Iterator[Page]:
    """A visitor: with JavaScript on a wide screen, without it on a phone. Nothing may come from elsewhere."""
    script = request.param == "script"
    context = new_context(browser, size=WIDE if script else PHONE, javascript=script)
    page = context.new_page()
    watch = Watch(page, origins=(site.url, site.sandbox_url))
    yield page
    context.close()
    # A refused form is answered with 422 or 409, and the browser says so in its console.
    refused = ("status of 422", "status of 409")
    assert [p for p in watch.problems if not any(one in p for one in refused)] == []


def _who(page: Page) -> str:
    """Return a tag that keeps the people of the two passes apart."""
    return "wide" if (page.viewport_size or {})["width"] == WIDE[0] else "phone"


def _name(page: Page, first: str, last: str, email: str) -> None:
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("E-mail").fill(email)


def _register(page: Page) -> None:
    """Go to the form; until the styles are there, a phone still has two links to it."""
    page.wait_for_load_state()
    page.get_by_role("link", name="Register", exact=True).filter(visible=True).first.click()


def test_one_doctor_takes_one_place(page: Page, site: Server, mail: SmtpServer) -> None:
    tag = _who(page)
    address = f"una.{tag}@example.org"
    page.goto(site.url)
    page.get_by_role(
        "link", name="Introductory Intensive: three days of leading practice"
    ).first.click()
    _register(page)
    page.get_by_role("button", name="Hold these for me").click()
    _name(page, "Una", f"Nettlefold {tag}", address)
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert list_sideways_scroll(page) == []
    answer_the_form(page)
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_text("Copperline Clinic")).to_be_visible()
    assert "walnuts" not in page.content()
    page.get_by_role("button", name="Pay $540.00").click()
    pay(page, "$540.00")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have a place, Una")

    letter = letters(mail, address)[0]
    assert "Introductory Intensive" in letter.subject
    assert f"{site.url}/r/" in letter.text()
    assert b"METHOD:REQUEST" in letter.attachments()["calendar.ics"]
    own = re.search(rf"{re.escape(site.url)}/r/\S+", letter.text())
    assert own
    page.goto(own.group())
    expect(page.get_by_text("To sit still, & listen <well>")).to_be_visible()
    assert "walnuts" not in page.content()
    if tag == "wide":
        assert list_axe_violations(page) == []


def test_a_paid_registration_goes_by_keyboard_alone_and_reads_well(
    browser: Browser, site: Server
) -> None:
    context = new_context(browser, size=PHONE)
    page = context.new_page()
    page.goto(site.url + INTRO)
    keyboard.take_a_place(page)
    context.close()


def test_a_practice_sends_three_people_on_one_payment(
    page: Page, site: Server, mail: SmtpServer
) -> None:
    tag = _who(page)
    people = [("Orla", "Fenn"), ("Piet", "Marsh"), ("Quincy", "Reed")]
    addresses = [f"{first.lower()}.{tag}@example.org" for first, _last in people]
    page.goto(site.url + INTRO)
    _register(page)
    page.get_by_label("Clinicians in practice").select_option("2")
    page.get_by_label("Residents, fellows and students").select_option("1")
    page.get_by_role("button", name="Hold these for me").click()
    _name(page, "Office", f"Manager {tag}", f"office.{tag}@example.org")
    page.get_by_label("No, I only arrange it").check()
    page.get_by_role("button", name="Save and go on").click()
    for (first, last), address in zip(people, addresses, strict=True):
        _name(page, first, f"{last} {tag}", address)
        page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Where is Quincy in training").fill("Riverbend programme, Dr. Fenn")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("I have a code").fill("team3")
    page.get_by_role("button", name="Use the code").click()
    page.get_by_label("Where you all work").fill("Copperline Clinic")
    page.get_by_role("button", name="Use the code").click()
    expect(page.get_by_text("Code TEAM3: 8% off each place")).to_have_count(3)
    if tag == "wide":
        assert list_axe_violations(page) == []
    page.get_by_role("button", name="Pay $1,352.40").click()
    pay(page, "$1,352.40")
    expect(page.get_by_role("heading", level=1)).to_contain_text("confirmed")

    for (first, _last), address in zip(people, addresses, strict=True):
        assert len(letters(mail, address)) == 1
        assert first in mail.to(address)[0].text()
    order = letters(mail, f"office.{tag}@example.org")
    assert len(order) == 1
    assert "$1,352.40" in order[0].text()
    # Each person answers their own questions by their own link.
    link = re.search(rf"{re.escape(site.url)}/r/\S+", mail.to(addresses[0])[0].text())
    assert link
    page.goto(link.group())
    answer_the_form(page)
    page.get_by_role("button", name=re.compile("Save")).first.click()
    expect(page.get_by_text("To sit still, & listen <well>")).to_be_visible()


def test_the_registrar_exports_them(page: Page, site: Server, tmp_path: Path) -> None:
    tag = _who(page)
    sign_in_as_registrar(page, site)
    page.get_by_role("link", name=re.compile("Introductory Intensive")).first.click()
    page.get_by_label("Find").fill(tag)
    page.get_by_role("button", name="Show").click()
    with page.expect_download() as got:
        page.get_by_role("link", name="CSV", exact=True).click()
    text = Path(got.value.path()).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(r["First name"] for r in rows) == ["Orla", "Piet", "Quincy", "Una"]
    una = next(r for r in rows if r["First name"] == "Una")
    assert (una["State"], una["Paid"], una["Due"]) == ("confirmed", "540.00", "0.00")
    assert una["Dietary"] == "PRIVATE no walnuts"
    assert "Keep apart" not in una
    # Three places for 1,470, and 8 % off each by the practice's code: 1,352.40.
    assert sum(round(float(r["Paid"]) * 100) for r in rows) == 540_00 + 1352_40
    with page.expect_download() as got:
        page.get_by_role("link", name="XLSX").click()
    saved = tmp_path / "list.xlsx"
    got.value.save_as(saved)
    sheet = openpyxl.load_workbook(saved).active
    head = [cell.value for cell in sheet[1]]
    names = [row[head.index("First name")].value for row in sheet.iter_rows(min_row=2)]
    assert sorted(names) == ["Orla", "Piet", "Quincy", "Una"]
    page.goto(site.url + "/organize/audit")
    expect(page.get_by_text("export", exact=False).first).to_be_visible()


def test_the_leader_finds_them_on_the_roster(page: Page, site: Server, mail: SmtpServer) -> None:
    tag = _who(page)
    before = len(mail.to(LEADER))
    page.goto(site.url + "/signin")
    page.get_by_label("E-mail").first.fill(LEADER)
    page.get_by_role("button", name=re.compile("link", re.I)).first.click()
    letter = letters(mail, LEADER, before + 1)[-1]
    link = re.search(rf"{re.escape(site.url)}/signin/\S+", letter.text())
    assert link
    page.goto(link.group())
    page.get_by_role("button", name=re.compile("Sign in", re.I)).click()
    page.wait_for_url(re.compile("/lead"))
    page.get_by_role("link", name=re.compile("Introductory Intensive")).first.click()
    for name in ("Una Nettlefold", "Orla Fenn", "Piet Marsh", "Quincy Reed"):
        expect(page.get_by_text(f"{name} {tag}").first).to_be_visible()
    expect(page.get_by_text("To sit still, & listen <well>").first).to_be_visible()
    for private in ("walnuts", "$", f"una.{tag}@"):
        assert private not in page.locator("main").inner_text()
    page.get_by_role("button", name="Mail it to me").click()
    expect(page.get_by_text("is on its way")).to_be_visible()
    if tag == "phone":
        return  # a second roster within the same minute is the same letter
    assert list_axe_violations(page) == []
    roster = letters(mail, LEADER, before + 2)[-1]
    assert f"Una Nettlefold {tag}" in roster.text()
    assert "Family physician" in roster.text()
    assert "walnuts" not in roster.text() + roster.html()
