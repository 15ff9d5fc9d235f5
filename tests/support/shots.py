"""A picture of every page: `python -m tests.support.shots [FOLDER] [WORD …]`; words choose among the endpoints."""

import shutil
import sys
import tempfile
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser

from regsys.app import create_app
from regsys.demo import services
from regsys.kernel import clock, migrate
from regsys.kernel.db import db, transaction
from regsys.kernel.settings import Settings
from tests.conftest import TODAY
from tests.house.test_looks import enter, shows_html, whose
from tests.house.visiting import Stop, list_stops
from tests.support.browser import PHONE, WIDE, launch, new_context, shoot
from tests.support.servers import serving
from tests.world import World


def make_demo(folder: Path) -> Flask:
    """Build the app on a fresh demo."""
    settings = Settings.for_tests(folder)
    migrate.upgrade(settings)
    app = create_app(settings)
    with app.app_context():
        with transaction():
            services.load(now=TODAY)
        db.session.remove()
    return app


def picture(browser: Browser, url: str, world: World, stops: list[Stop], target: Path) -> None:
    """Take the four pictures of every page."""
    for size in (PHONE, WIDE):
        for dark in (False, True):
            look = f"{size[0]}-{'dark' if dark else 'light'}"
            for who in ("visitor", "leader", "organizer"):
                context = new_context(browser, size=size, dark=dark)
                enter(context, url, world, who)
                page = context.new_page()
                for stop in (s for s in stops if whose(s) == who):
                    page.goto(url + stop.address, wait_until="load")
                    shoot(page, target / f"{stop.rule.endpoint}-{look}.png")
                context.close()


def main(target: Path, words: list[str]) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as folder, clock.freeze(TODAY), launch() as browser:
        world = World(make_demo(Path(folder)))
        stops = [
            s
            for s in list_stops(world)
            if shows_html(s) and (not words or any(w in s.rule.endpoint for w in words))
        ]
        with serving(world.app) as url:
            picture(browser, url, world, stops, target)
    print(f"{len(stops)} pages, in {target}/")


if __name__ == "__main__":
    chosen = Path(sys.argv[1] if len(sys.argv) > 1 else "screens")
    shutil.rmtree(chosen, ignore_errors=True)
    main(chosen, sys.argv[2:])
