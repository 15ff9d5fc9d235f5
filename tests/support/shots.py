"""A picture of every page: `python -m tests.support.shots [FOLDER] [WORD …]`; words choose among the names.

Every address with its sample, every scene (refusals, empty states, forms with something wrong), the stand-in's payment
pages and every letter: at 390 and 1280 px, light and dark. A name of its own for each: PAGE-WIDTH-SCHEME.png.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, template_rendered
from jinja2 import Template
from playwright.sync_api import Browser, Page

from regsys.app import create_app
from regsys.demo import services
from regsys.kernel import clock, migrate
from regsys.kernel.db import db, transaction
from regsys.kernel.paths import root
from regsys.kernel.settings import Settings
from tests.conftest import TODAY
from tests.house.visiting import list_stops
from tests.looks.test_looks import enter, shows_html, whose
from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, running_sandbox
from tests.support.browser import LOOKS, PHONE, launch, new_context, shoot
from tests.support.letters import list_letters, list_unseen
from tests.support.scenes import SCENES, add_troubles
from tests.support.servers import serving
from tests.world import World

NOWHERE = "http://127.0.0.1:9/webhooks/stripe"
DECLINED = "4000 0000 0000 0002"


def make_demo(folder: Path) -> Flask:
    """Build the app on a fresh demo."""
    settings = Settings.for_tests(folder)
    migrate.upgrade(settings)
    app = create_app(settings)
    with app.app_context():
        with transaction():
            services.load(now=TODAY)
        db.session.remove()
    add_troubles(app)
    return app


# A frame, not a page; the last two are drawn outside of a request, and have scenes.
FRAMES = {
    "web/bare.html", "web/base.html", "web/calm.html", "web/public.html", "web/work.html",
    "web/away.html", "web/broken.html",
}  # fmt: skip


def list_pages() -> set[str]:
    """List the templates that are a page of the app, each with a name of its own."""
    found = {p.relative_to(root() / "templates") for p in (root() / "templates").glob("*/*.html")}
    return {
        str(p)
        for p in found
        if not p.name.startswith(("_", "mail_")) and p.parent.name != "sandbox"
    } - FRAMES


@dataclass(frozen=True)
class Photographer:
    """Takes four pictures of what a tab shows."""

    browser: Browser
    target: Path
    words: list[str]

    def wants(self, name: str) -> bool:
        """Tell whether this page was asked for."""
        return not self.words or any(word in name for word in self.words)

    def take(self, page: Page, name: str) -> None:
        """Take the open page: narrow and wide, light and dark."""
        for size, scheme in LOOKS:
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            shoot(page, self.target / f"{name}-{size[0]}-{scheme}.png")

    def visit(self, url: str, world: World, who: str) -> None:
        """Take every page and scene of a visitor, a leader or an organizer."""
        stops = [
            s
            for s in list_stops(world)
            if whose(s) == who and shows_html(s) and self.wants(s.rule.endpoint)
        ]
        name = "owner" if who == "organizer" else who
        scenes = [s for s in SCENES if s.who == name and self.wants(s.name)]
        context = new_context(self.browser, size=PHONE)
        enter(context, url, world, name)
        page = context.new_page()
        for stop in stops:
            page.goto(url + stop.address, wait_until="load")
            self.take(page, stop.rule.endpoint)
        for scene in scenes:
            scene.show(page, url, world)
            self.take(page, scene.name)
        context.close()

    def open_letters(self, world: World) -> None:
        """Take every letter, and write its text beside it."""
        context = new_context(self.browser, size=PHONE, javascript=False)
        page = context.new_page()
        for name, html, text in list_letters(world):
            if self.wants(f"letter-{name}"):
                page.set_content(html, wait_until="load")
                self.take(page, f"letter-{name}")
                (self.target / f"letter-{name}.txt").write_text(text)
        context.close()

    def pay(self, sandbox: Sandbox) -> None:
        """Take the stand-in for Stripe: its home, its page to pay, a card that is declined, and what it says after."""
        context = new_context(self.browser, size=PHONE)
        page = context.new_page()
        session = sandbox.client().v1.checkout.sessions.create(order())
        steps: dict[str, Callable[[], object]] = {
            "sandbox-pay": lambda: page.goto(str(session.url)),
            "sandbox-declined": lambda: self._decline(page),
            "sandbox-home": lambda: page.goto(sandbox.url),
        }
        for name, step in steps.items():
            if self.wants(name):
                step()
                self.take(page, name)
        context.close()

    @staticmethod
    def _decline(page: Page) -> None:
        page.get_by_label("Card number").fill(DECLINED)
        page.get_by_role("button", name="Pay $920.00", exact=True).click()
        page.locator(".wrong-list").wait_for()


def main(target: Path, words: list[str]) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as folder, clock.freeze(TODAY), launch() as browser:
        world, drawn = World(make_demo(Path(folder))), set[str]()

        def note(sender: Flask, template: Template, **more: object) -> None:
            drawn.add(template.name or "")

        template_rendered.connect(note, world.app)
        takes = Photographer(browser, target, words)
        with serving(world.app) as url:
            for who in ("visitor", "leader", "committee", "organizer"):
                takes.visit(url, world, who)
        takes.open_letters(world)
        with running_sandbox(Path(folder) / "sandbox", NOWHERE) as sandbox:
            takes.pay(sandbox)
    print(f"{len(list(target.glob('*.png')))} pictures, in {target}/")
    if not words and (missing := sorted(list_pages() - drawn)):
        print(f"no picture of these pages: {', '.join(missing)}")
    if unseen := list_unseen():
        print(f"no picture of these letters: {', '.join(unseen)}")


if __name__ == "__main__":
    chosen = Path(sys.argv[1] if len(sys.argv) > 1 else "screens")
    shutil.rmtree(chosen, ignore_errors=True)
    main(chosen, sys.argv[2:])
