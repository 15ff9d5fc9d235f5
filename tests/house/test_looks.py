"""Every page in a real browser: nothing for axe to say, no sideways scroll, no request elsewhere."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.house.visiting import Stop, list_stops
from tests.support.browser import (
    PHONE,
    WIDE,
    list_axe_violations,
    list_sideways_scroll,
    new_context,
    watching,
)
from tests.support.servers import serving
from tests.world import World

LOOKS = [
    pytest.param(PHONE, False, id="phone-light"),
    pytest.param(WIDE, True, id="wide-dark"),
    pytest.param(PHONE, True, id="phone-dark", marks=pytest.mark.long),
    pytest.param(WIDE, False, id="wide-light", marks=pytest.mark.long),
]


@pytest.mark.once
@pytest.mark.parametrize(("size", "dark"), LOOKS)
@pytest.mark.parametrize("who", ["visitor", "leader", "organizer"])
def test_every_page_is_fit_to_be_seen(
    who: str, size: tuple[int, int], dark: bool, browser: Browser, world: World
) -> None:
    stops = [s for s in list_stops(world) if who == whose(s) and shows_html(s)]
    problems = []
    with serving(world.app) as url:
        context = new_context(browser, size=size, dark=dark)
        enter(context, url, world, who)
        page = context.new_page()
        for stop in stops:
            problems += [f"{stop}: {p}" for p in look(page, url, stop)]
        context.close()
    assert problems == []
    assert stops


def whose(stop: Stop) -> str:
    if not stop.roles:
        return "visitor"
    return "leader" if stop.roles == ("leader",) else "organizer"


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
    role = "leader" if who == "leader" else "owner"
    client = world.visitor() if who == "visitor" else world.sign_in(world.user_with(role))
    cookie = client.get_cookie("regsys")
    assert cookie
    context.add_cookies([{"name": "regsys", "value": cookie.value, "url": url}])


def look(page: Page, url: str, stop: Stop) -> list[str]:
    """Open the page and list what is wrong with it."""
    with watching(page, origins=(url,)) as watch:
        page.goto(url + stop.address, wait_until="load")
        return [*list_axe_violations(page), *list_sideways_scroll(page), *watch.problems]
