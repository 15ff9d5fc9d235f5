"""What a person asked of their system is kept: its own colours, and stillness."""

import pytest
from playwright.sync_api import Browser

from tests.support.servers import serving
from tests.world import World

pytestmark = pytest.mark.once


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
