"""The twelve pictures of README and docs: `python -m tests.support.pictures [FOLDER]`, docs/screens without a name."""

import base64
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page
from sqlalchemy import select

from regsys.events.models import Event
from regsys.kernel import clock
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState
from tests.conftest import TODAY
from tests.looks.test_looks import enter
from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, running_sandbox
from tests.support.browser import PHONE, WIDE, launch, new_context
from tests.support.letters import list_letters
from tests.support.scenes import EVENTS, Show, at, looked_at, sent_empty
from tests.support.servers import serving
from tests.support.shots import NOWHERE, make_demo
from tests.world import World

QUALITY = 85
SHARP = 1.5
INTENSIVE = EVENTS["intensive"]


@dataclass(frozen=True)
class Picture:
    """What is shown, to whom, on which screen."""

    name: str
    who: str
    show: Show
    size: tuple[int, int] = WIDE
    dark: bool = False


def a_place(page: Page, url: str, world: World) -> None:
    """Open the payer's page of somebody who has a place."""
    query = select(Order).join(Registration).join(Event).where(Event.slug == INTENSIVE)
    found = world.first(query.where(Registration.state == RegistrationState.CONFIRMED))
    page.goto(f"{url}/o/{found.token}", wait_until="load")


def a_roster(page: Page, url: str, world: World) -> None:
    """Open the roster of the intensive, which the leader who is signed in leads, too."""
    event = world.first(select(Event).where(Event.slug == INTENSIVE))
    page.goto(f"{url}/lead/{event.id}", wait_until="load")


def a_letter(page: Page, url: str, world: World) -> None:
    """Show the letter that confirms a place."""
    letters = {name: html for name, html, _ in list_letters(world)}
    page.goto(f"{url}/robots.txt")
    page.set_content(letters["registration-confirmation"], wait_until="load")


PICTURES = (
    Picture("home", "visitor", at("/")),
    Picture("event", "visitor", at(f"/events/{INTENSIVE}")),
    Picture("event-phone", "visitor", at(f"/events/{INTENSIVE}"), PHONE, dark=True),
    Picture("events", "visitor", at("/events")),
    Picture("answers", "visitor", sent_empty("/cart/answers/1", "Save and go on"), PHONE),
    Picture("place", "visitor", a_place),
    Picture("letter", "visitor", a_letter, PHONE, dark=True),
    Picture("organizer", "owner", at("/organize")),
    Picture("attendees", "owner", looked_at),
    Picture("treasurer", "owner", at("/organize/treasurer"), dark=True),
    Picture("roster", "leader", a_roster, PHONE),
)


def take(browser: Browser, url: str, world: World, picture: Picture, target: Path) -> None:
    """Take one picture of what is seen without scrolling."""
    context = new_context(browser, size=picture.size, dark=picture.dark, device_scale_factor=SHARP)
    enter(context, url, world, picture.who)
    page = context.new_page()
    picture.show(page, url, world)
    page.evaluate("scrollTo(0, 0)")
    save(page, target / f"{picture.name}.webp")
    context.close()


def take_payment(browser: Browser, sandbox: Sandbox, target: Path) -> None:
    """Take the stand-in's page to pay."""
    context = new_context(browser, size=WIDE)
    page = context.new_page()
    page.goto(str(sandbox.client().v1.checkout.sessions.create(order()).url))
    save(page, target / "pay.webp")
    context.close()


def save(page: Page, path: Path) -> None:
    """Write what the window shows."""
    page.evaluate("document.fonts.ready.then(() => true)")
    size = page.viewport_size
    assert size
    clip = {"x": 0, "y": 0, **size, "scale": SHARP}
    wish = {"format": "webp", "quality": QUALITY, "clip": clip}
    told = page.context.new_cdp_session(page).send("Page.captureScreenshot", wish)
    path.write_bytes(base64.b64decode(told["data"]))


def main(target: Path) -> None:
    """Write the pictures, and say how large they are together."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, clock.freeze(TODAY), launch() as browser:
        world = World(make_demo(Path(folder)))
        with serving(world.app) as url:
            for picture in PICTURES:
                take(browser, url, world, picture, target)
        with running_sandbox(Path(folder) / "sandbox", NOWHERE) as sandbox:
            take_payment(browser, sandbox, target)
    sizes = [p.stat().st_size for p in target.glob("*.webp")]
    print(f"{len(sizes)} pictures, {sum(sizes) / 1e6:.2f} MB, in {target}/")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screens"))
