"""A whole registration with nothing but a keyboard, and what a screen reader is told on each screen of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PHONE, new_context
from tests.support.servers import serving
from tests.world import World

pytestmark = pytest.mark.once

FAR = 60
# What stands on each screen, in the order in which it is read.
PLACES = """
- paragraph: "See a Balint Group: an evening demonstration"
- heading "How many places?" [level=1]
- paragraph: "Step 1 of 4. Next: who comes, then about you, then a last look."
- region "Places":
  - 'combobox "Inner circle (takes part): nothing to pay"'
- paragraph:
  - button "Hold these for me"
"""
WRONG = """
- heading "Who are you?" [level=1]
- paragraph: "Step 2 of 4. Before: your place. Next: about you, then review."
- alert "3 answers need another look":
  - heading "3 answers need another look" [level=2]
  - paragraph: Everything else you wrote is kept.
  - list:
    - listitem:
      - link "Write your first name."
    - listitem:
      - link "Write your last name."
    - listitem:
      - link "Write the e-mail address."
- status:
  - text: Your place is held for another 30 minutes, until
  - time: 9:30 AM PST
- button "Give me 15 more minutes"
- region "Your name":
  - textbox "First name" [invalid]
  - textbox "Last name" [invalid]
- region "How we reach you":
  - textbox "E-mail" [invalid]
  - textbox "Phone (only for questions about this order)"
- region "Is a place for you?":
  - group "Are you coming yourself?":
    - radio "Yes" [checked]
    - radio "No, I only arrange it for somebody else"
"""
ABOUT = """
- heading "About you" [level=1]
- paragraph: "Step 3 of 4. Before: who comes. Next: review."
- region "Your name and your work":
  - textbox "Letters after your name (optional)"
  - combobox "Your profession"
- region "What we ask here":
  - paragraph: Please write nothing about a patient in this form. There is no question here that needs it.
  - group "Would you bring a case if asked? (optional)":
    - radio "Yes"
    - radio "No"
- region "Your word":
  - checkbox "I will keep everything about patients, clients and group members inside the group"
- paragraph:
  - button "Save and go on to the review"
"""
REVIEW = """
- heading "One last look" [level=1]
- paragraph: Step 4 of 4. There is nothing to pay.
- region "Who is coming":
  - link "Change who is coming"
  - term: Name
  - definition: Ida Fern
- region "About you":
  - link "Change what you told about yourself"
  - term: Profession
  - definition: Nurse
- region "What it costs":
  - list:
    - listitem: To pay now $0.00
- paragraph:
  - button "Confirm your place"
"""


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    """A visitor on the page of a free evening."""
    with serving(world.app) as url:
        context = new_context(browser, size=PHONE)
        page = context.new_page()
        page.goto(f"{url}/events/see-a-balint-group")
        yield page
        context.close()


def go_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called this; whatever has it on the way can be seen to have it."""
    for _ in range(FAR):
        page.keyboard.press("Tab")
        here = page.evaluate("""() => {
            const e = document.activeElement, style = getComputedStyle(e), label = e.labels?.[0];
            return [(label ?? e).innerText.trim(), style.outlineStyle, e.closest("[aria-hidden=true]") !== null];
        }""")
        assert here[1] != "none", f"no focus to be seen on {here[0]}"
        assert not here[2], f"the focus is on what is hidden: {here[0]}"
        if here[0].startswith(name):
            return
    raise AssertionError(f"no {name} within {FAR} steps of the keyboard on {page.url}")


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Go to something and press it."""
    go_to(page, name)
    page.keyboard.press(key)


def write(page: Page, name: str, words: str) -> None:
    """Go to a field and type."""
    go_to(page, name)
    page.keyboard.type(words)


def read(page: Page, heading: str, told: str) -> None:
    """Wait for a screen, and compare what a screen reader finds on it."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("main")).to_match_aria_snapshot(told)


def test_a_registration_goes_by_keyboard_alone_and_reads_well(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    press(page, "Register")
    read(page, "How many places?", PLACES)
    press(page, "Hold these for me")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who are you?")
    press(page, "Save and go on")
    read(page, "Who are you?", WRONG)
    # What is wrong has the focus, and leads to the field.
    assert page.evaluate("document.activeElement.className") == "wrong-list"
    press(page, "Write your first name.")
    page.keyboard.type("Ida")
    write(page, "Last name", "Fern")
    write(page, "E-mail", "ida.fern@example.org")
    press(page, "Save and go on")
    read(page, "About you", ABOUT)
    write(page, "Your profession", "Nurse")
    press(page, "I will keep everything about patients", "Space")
    press(page, "Save and go on to the review")
    read(page, "One last look", REVIEW)
    press(page, "Confirm your place")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have a place, Ida")


def test_what_a_colour_tells_is_seen_where_the_system_forces_its_own(
    browser: Browser, world: World
) -> None:
    with serving(world.app) as url:
        context = browser.new_context(forced_colors="active", color_scheme="light")
        page = context.new_page()
        page.goto(f"{url}/events/introductory-intensive")
        told = page.evaluate("""() => {
            const colour = (at, what) => getComputedStyle(document.querySelector(at))[what];
            return {
              taken: colour(".ring--event .is-taken", "fill"), free: colour(".ring--event .is-free", "fill"),
              edge: colour(".ring--event .is-free", "stroke"), leader: colour(".ring--event .is-leader", "fill"),
              words: colour(".ring__count", "fill"), paper: colour("body", "backgroundColor"),
              button: colour(".buy .button", "borderTopColor"),
              here: colour(".nav [aria-current]", "textDecorationLine"),
            };
        }""")
        context.close()
    assert told["free"] == "none"
    assert told["paper"] not in (
        told["taken"],
        told["edge"],
        told["leader"],
        told["words"],
        told["button"],
    )
    assert told["taken"] != told["leader"]
    assert told["here"] == "underline"


def test_nothing_moves_for_whoever_asked_for_stillness(browser: Browser, world: World) -> None:
    with serving(world.app) as url:
        context = browser.new_context(reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{url}/events/introductory-intensive/register")
        moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter(e =>
            [null, "::before", "::after"].some(part => {
              const s = getComputedStyle(e, part);
              return s.animationName !== "none" || s.transitionDuration.split(", ").some(d => d !== "0s");
            })).map(e => e.outerHTML.slice(0, 80))""")
        context.close()
    assert moving == []
