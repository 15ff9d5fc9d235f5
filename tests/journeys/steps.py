"""Steps that several journeys take."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.support.servers import Server, wait_until
from tests.support.smtp import Received, SmtpServer

PASSWORD = "ten chairs in a ring"
REGISTRAR = "tilda.marchbanks@example.org"


def answer_the_form(page: Page) -> None:
    """Answer what the intensives of the demo ask, and the questions that leaders read."""
    page.get_by_label("Letters after your name").fill("MD")
    page.get_by_label("Your profession").fill("Family physician")
    page.get_by_label("Where you work").fill("Copperline Clinic")
    career = page.get_by_role("group", name="Where you are in your career")
    career.get_by_label("Practicing").check()
    experience = page.get_by_role("group", name="Your Balint experience so far")
    experience.get_by_label("Group member").check()
    page.get_by_label("What do you hope to take home?").fill("To sit still, & listen <well>")
    page.get_by_label("Food: anything the kitchen must know").fill("PRIVATE no walnuts")
    page.get_by_label("I will keep everything about patients").check()
    page.get_by_label("I will be there for every session").check()


def pay(page: Page, amount: str) -> None:
    """Pay on the stand-in's page."""
    expect(page.get_by_text("No card is charged and no money moves")).to_be_visible()
    page.get_by_role("button", name=f"Pay {amount}").click()
    page.wait_for_url(re.compile("/o/"))


def sign_in_as_registrar(page: Page, site: Server) -> None:
    page.goto(site.url + "/signin")
    page.get_by_text("Use a password").click()
    page.get_by_label("E-mail").last.fill(REGISTRAR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile("/organize"))


def letters(mail: SmtpServer, address: str, count: int = 1) -> list[Received]:
    """Wait for so many letters to an address, and return them."""
    wait_until(
        lambda: len(mail.to(address)) >= count, seconds=30, what=f"letter {count} to {address}"
    )
    return mail.to(address)


def letter_about(mail: SmtpServer, address: str, words: str) -> Received:
    """Wait for a letter to an address with these words in its subject, and return it."""
    found: list[Received] = []

    def has_come() -> bool:
        found[:] = [letter for letter in mail.to(address) if words in letter.subject]
        return bool(found)

    wait_until(has_come, seconds=30, what=f"a letter about {words} to {address}")
    return found[-1]


def link_in(letter: Received, site: Server, path: str) -> str:
    """Return the address in a letter that begins with this path."""
    found = re.search(rf"{re.escape(site.url + path)}\S+", letter.text())
    assert found, letter.text()
    return found.group()


class Shift:
    """The shifted clock of a site: it stands in its data folder, and all of its processes read it."""

    def __init__(self, data: Path, *, zone: str, hour: int) -> None:
        """Begin tomorrow at this hour of the zone."""
        self.path = data / "clock_offset"
        now = datetime.now(UTC)
        day = now.astimezone(ZoneInfo(zone)) + timedelta(days=1)
        self.seconds = (day.replace(hour=hour, minute=0, second=0) - now).total_seconds()
        data.mkdir(parents=True, exist_ok=True)
        self.move()

    def move(self, **delta: float) -> None:
        """Let so much time pass."""
        self.seconds += timedelta(**delta).total_seconds()
        self.path.write_text(str(self.seconds))
