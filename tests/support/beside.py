"""Mock and product side by side: `python -m tests.support.beside MOCK [FOLDER]`, docs/screens without a folder.

Each page of PAIRS, at 1280 and 390 px, light and dark: the mock on the left. In docs only the wide light and the narrow
dark ones are kept. Where the mock is absent nothing is written, and a line says so.
"""

import base64
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from regsys.kernel import clock
from tests.conftest import TODAY
from tests.journeys.steps import answer_the_form
from tests.looks.test_looks import enter
from tests.support.browser import LOOKS, PHONE, WIDE, launch, new_context
from tests.support.pictures import INTENSIVE, a_roster
from tests.support.scenes import Show, at, looked_at
from tests.support.servers import serving
from tests.support.shots import make_demo
from tests.world import World

DOCS = Path("docs/screens")
KEPT = ((WIDE, "light"), (PHONE, "dark"))
TALLEST = 3
GAP = 24
QUALITY = 55


@dataclass(frozen=True)
class Pair:
    """A page of the mock, and where the product shows the same; a visitor without a cart is nobody."""

    name: str
    mock: str
    who: str
    show: Show


def about_you(page: Page, url: str, world: World) -> None:
    """Answer everything but one question for a place at the intensive."""
    page.goto(f"{url}/events/{INTENSIVE}/register")
    page.get_by_role("button", name="Hold this for me").or_(
        page.get_by_role("button", name="Hold these for me")
    ).click()
    page.get_by_label("First name").fill("Lysander")
    page.get_by_label("Last name").fill("Saltmarsh")
    page.get_by_label("E-mail").fill("lysander.saltmarsh@example.org")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("heading", name="About you").wait_for()
    answer_the_form(page)
    page.get_by_label("Letters after your name").fill("")
    page.get_by_role("button", name="Save and go on to the review").click()
    page.locator(".wrong-list").wait_for()


PAIRS = (
    Pair("home", "home.html", "visitor", at("/")),
    Pair("event", "event.html", "visitor", at(f"/events/{INTENSIVE}")),
    Pair("organizer", "organizer-home.html", "registrar", at("/organize")),
    Pair("attendees", "attendees.html", "registrar", looked_at),
    Pair("roster", "leader-roster.html", "leader", a_roster),
    # The last: it takes a place.
    Pair("register", "register.html", "", about_you),
)


def look(context: BrowserContext, page: Page, size: tuple[int, int], scheme: str) -> str:
    """Return what an open page looks like, as the address of a PNG; no more than some screens of it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.evaluate("scrollTo(0, 0); document.fonts.ready.then(() => true)")
    tall = page.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": size[0], "height": min(tall, size[1] * TALLEST)}
    png = page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
    return "data:image/png;base64," + base64.b64encode(png).decode()


def join(page: Page, left: str, right: str, width: int, path: Path) -> None:
    """Write two pictures beside each other into one."""
    columns = f"{width}px {width}px"
    page.set_content(
        f'<body style="margin:0;display:inline-grid;grid-template-columns:{columns};gap:{GAP}px;background:#888">'
        f'<img src="{left}" width="{width}"><img src="{right}" width="{width}"></body>',
        wait_until="load",
    )
    tall = page.evaluate("document.body.scrollHeight")
    clip = {"x": 0, "y": 0, "width": 2 * width + GAP, "height": tall, "scale": 1}
    wish = {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True}
    told = page.context.new_cdp_session(page).send("Page.captureScreenshot", wish)
    path.write_bytes(base64.b64decode(told["data"]))


def take(browser: Browser, url: str, world: World, pair: Pair, mock: Path, target: Path) -> None:
    """Write the pictures of one pair."""
    context = new_context(browser, size=WIDE)
    if pair.who:
        enter(context, url, world, pair.who)
    theirs, ours, desk = context.new_page(), context.new_page(), context.new_page()
    theirs.goto((mock / pair.mock).as_uri(), wait_until="load")
    pair.show(ours, url, world)
    for size, scheme in KEPT if target == DOCS else LOOKS:
        path = target / f"beside-{pair.name}-{size[0]}-{scheme}.webp"
        width = size[0] // 2 if size == WIDE else size[0] * 4 // 5
        join(desk, *(look(context, p, size, scheme) for p in (theirs, ours)), width, path)
    context.close()


def main(mock: Path, target: Path) -> None:
    """Write the pictures, and say how large they are together."""
    if not (mock / PAIRS[0].mock).exists():
        print(f"skipped: not found: {mock}/")
        return
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, clock.freeze(TODAY), launch() as browser:
        world = World(make_demo(Path(folder)))
        with serving(world.app) as url:
            for pair in PAIRS:
                take(browser, url, world, pair, mock.resolve(), target)
    sizes = [p.stat().st_size for p in target.glob("beside-*.webp")]
    print(f"{len(sizes)} pictures, {sum(sizes) / 1e6:.2f} MB, in {target}/")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else DOCS)
