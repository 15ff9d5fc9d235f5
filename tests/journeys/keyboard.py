"""A paid registration with nothing but a keyboard, and what a screen reader is told on each screen of it."""

from playwright.sync_api import Page, expect

FAR = 60
# What stands on each screen, in the order in which it is read.
PLACES = """
- paragraph: "Introductory Intensive: three days of leading practice"
- heading "How many places?" [level=1]
- paragraph: "Step 1 of 4. Next: who comes, then about you, then review and pay."
- region "Places":
  - 'combobox "Clinicians in practice: $540.00"'
  - 'combobox "Residents, fellows and students: $390.00"'
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
  - text: /Your place is held for another \\d+ minutes, until/
  - time: /\\d+:\\d\\d [AP]M P[SD]T/
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
  - textbox "Letters after your name"
  - combobox "Your profession"
  - textbox "Where you work, and the department"
- region "What we ask here":
  - paragraph: Please write nothing about a patient in this form. There is no question here that needs it.
  - group "Where you are in your career":
    - radio "Student"
    - radio "Practicing"
- region "Your word":
  - checkbox "I will keep everything about patients, clients and group members inside the group"
- paragraph:
  - button "Save and go on to the review"
"""
REVIEW = """
- heading "Review and pay" [level=1]
- paragraph: Step 4 of 4. Nothing is charged until you have paid on the next page.
- region "Who is coming":
  - link "Change who is coming"
  - term: Name
  - definition: Ida Fern, RN
- region "About you":
  - link "Change what you told about yourself"
  - term: Profession
  - definition: Nurse
- region "What you pay, and why":
  - list:
    - listitem: To pay now $540.00
- region "If you cannot come after all":
  - table
- paragraph:
  - button "Pay $540.00"
"""
PAYMENT = """
- region /Pay .* \\$540\\.00/:
  - list:
    - listitem: Total $540.00
- region "Pay by card":
  - textbox "E-mail"
  - textbox "Card number"
  - textbox "Good until"
  - textbox "Security code"
  - paragraph:
    - button "Pay $540.00"
"""
DONE = """
- paragraph: Confirmed and paid
- heading "You have a place, Ida" [level=1]
- link "Add to your calendar"
- region "What happens next":
  - list:
    - listitem:
      - strong: Confirmed
- region "Who is coming":
  - list:
    - listitem: /Ida Fern Confirmed/
- region "What it costs":
  - list:
    - listitem: In all $540.00
"""


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


def choose(page: Page, first: str, wanted: str) -> None:
    """Go to the first of several answers, and down to the wanted one."""
    press(page, first, "Space")
    while page.evaluate("document.activeElement.labels[0].innerText.trim()") != wanted:
        page.keyboard.press("ArrowDown")


def read(page: Page, heading: str, told: str) -> None:
    """Wait for a screen, and compare what a screen reader finds on it."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("main")).to_match_aria_snapshot(told)


def take_a_place(page: Page) -> None:
    """Go from the page of the intensive to the paid place, and make a mistake on the way."""
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
    write(page, "Letters after your name", "RN")
    write(page, "Your profession", "Nurse")
    write(page, "Where you work", "Copperline Clinic")
    choose(page, "Student", "Practicing")
    choose(page, "None", "Group member")
    press(page, "I will keep everything about patients", "Space")
    press(page, "I will be there for every session", "Space")
    press(page, "Save and go on to the review")
    read(page, "Review and pay", REVIEW)
    press(page, "Pay $540.00")
    expect(page.get_by_role("heading", level=1)).to_contain_text("$540.00")
    expect(page.locator("main")).to_match_aria_snapshot(PAYMENT)
    press(page, "Pay $540.00")
    read(page, "You have a place, Ida", DONE)
