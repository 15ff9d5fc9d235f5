"""Every page in a real browser: nothing for axe to say, no sideways scroll, no request elsewhere."""

import re
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.house.visiting import Stop, list_stops
from tests.support.browser import (
    PHONE,
    WIDE,
    ZOOMED,
    in_both_schemes,
    list_axe_beside_colours,
    list_axe_of_layout,
    list_axe_violations,
    list_fields_to_fill_in,
    list_new_contrasts,
    list_run_on_sentences,
    list_sideways_scroll,
    new_context,
    watching,
)
from tests.support.needs import ROOT
from tests.support.scenes import SCENES, add_troubles
from tests.support.servers import serving
from tests.world import World


def test_no_colour_depends_on_the_width_of_the_window() -> None:
    """So that what was tried at one width need not be tried at another."""
    queries = r"@media[^{]*width[^{]*\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}"
    files = {f: f.read_text() for f in sorted((ROOT / "static/css").rglob("*.css"))}
    found = [(f.name, body) for f, text in files.items() for body in re.findall(queries, text)]
    assert len(found) > 10
    colours = r"(color|background|opacity|filter|fill|stroke)[a-z-]*:|:\s*(#|rgb|hsl|color-mix)"
    assert [(name, body) for name, body in found if re.search(colours, body)] == []


@pytest.mark.once
@pytest.mark.parametrize("who", ["visitor", "leader", "committee", "organizer"])
def test_every_page_is_fit_to_be_seen(who: str, browser: Browser, world: World) -> None:
    stops = [s for s in list_stops(world) if who == whose(s) and shows_html(s)]
    assert stops
    say(walk(browser, world, "owner" if who == "organizer" else who, stops))


@pytest.mark.once
@pytest.mark.long
@pytest.mark.parametrize("role", ["registrar", "treasurer", "leader", "owner"])
def test_every_page_is_fit_to_be_seen_by_every_role(
    role: str, browser: Browser, world: World
) -> None:
    stops = [s for s in list_stops(world) if shows_html(s) and (role in s.roles or not s.roles)]
    assert any(s.roles for s in stops)
    say(walk(browser, world, role, stops, thorough=True))


def say(problems: list[str]) -> None:
    """Fail with everything that is wrong: a list in an assertion is cut short."""
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def walk(
    browser: Browser, world: World, who: str, stops: list[Stop], *, thorough: bool = False
) -> list[str]:
    """Look at the pages one after another in one tab; list what is wrong with them."""
    add_troubles(world.app)
    scenes = [scene for scene in SCENES if who == scene.who and (scene.looked_at or thorough)]
    problems, turns = [], count()
    with serving(world.app) as url:
        context = new_context(browser, size=PHONE)
        enter(context, url, world, who)
        page = context.new_page()
        page.goto(url + world.private_link)
        for stop in stops:
            with watching(page, origins=(url,)) as watch:
                page.goto(url + stop.address, wait_until="load")
                unnamed = list_fields_to_fill_in(page) if who == "visitor" else []
                found = look(page, next(turns), thorough) + unnamed + watch.problems
                problems += [f"{stop}: {p}" for p in found]
        for scene in scenes:
            scene.show(page, url, world)
            problems += [f"{scene.name}: {p}" for p in look(page, next(turns), thorough)]
        context.close()
    return problems


def look(page: Page, turn: int, thorough: bool) -> list[str]:
    """List what is wrong with the page that is open: on a phone, on a wide screen and zoomed, light and dark.

    Unless it is thorough, everything is asked at one of the two sizes, in turn, and at the other what depends on it.
    """
    problems = list_run_on_sentences(page)
    for size in (PHONE, WIDE, ZOOMED)[:: -1 if turn % 2 else 1]:
        if page.viewport_size != {"width": size[0], "height": size[1]}:
            page.set_viewport_size({"width": size[0], "height": size[1]})
        problems += list_sideways_scroll(page)
        if thorough and size != ZOOMED:
            problems += in_both_schemes(page, list_axe_violations)
        elif size != ZOOMED:
            problems += list_new_contrasts(page)
            everything = size == (PHONE, WIDE)[turn // 2 % 2]
            problems += (list_axe_beside_colours if everything else list_axe_of_layout)(page)
    return problems


def whose(stop: Stop) -> str:
    if not stop.roles:
        return "visitor"
    # Pages that not even an owner may open.
    return stop.roles[0] if stop.roles in (("leader",), ("committee",)) else "organizer"


# Files, and letters as they are shown in a frame of their own.
NO_PAGES = (
    "_ics", "_csv", "_xlsx", "_pdf", "_html", ".calendar", ".attachment", ".logo", ".robots", ".sitemap",
    ".healthz", ".readyz",
)  # fmt: skip


def shows_html(stop: Stop) -> bool:
    """Tell whether this is a page, by the name of its endpoint."""
    return not stop.rule.endpoint.endswith(NO_PAGES)


def enter(context: BrowserContext, url: str, world: World, who: str) -> None:
    """Give the browser the cookie of a visitor with a cart, or of somebody who is signed in."""
    client = world.visitor() if who == "visitor" else world.sign_in(world.user_with(who))
    cookie = client.get_cookie("regsys")
    assert cookie
    context.add_cookies([{"name": "regsys", "value": cookie.value, "url": url}])
