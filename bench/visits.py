"""A first visit to an event page in a real Chromium: what it weighs, whether anything moves, and how soon one can read
and register on a slow line."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from bench.table import Row
from tests.support.browser import PHONE, WIDE, launch, new_context

HEAVIEST = 120.0
MOST_MOVEMENT = 0.01
SOONEST = 2.5
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}

# The first frame in which the link to register has its place: its frame is painted before the one after.
_WATCH = """
const look = () => {
  const link = [...document.querySelectorAll("main a, .stickybar a")].find(
    a => a.pathname.endsWith("/register") && a.checkVisibility());
  requestAnimationFrame(link ? () => (window.registerAt = performance.now()) : look);
};
look();
"""
_READ = """() => new Promise(done => {
  let moved = 0;
  new PerformanceObserver(list => list.getEntries().forEach(e => (moved += e.value)))
    .observe({ type: "layout-shift", buffered: true });
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  setTimeout(() => done({ moved, painted: Math.max(paint, window.registerAt) / 1000 }), 200);
})"""


def measure(url: str, *, rounds: int) -> list[Row]:
    """Return the weight, the movement and the times of first visits to a page."""
    with launch() as browser:
        own = _weigh(browser, url)
        quick = [_visit(browser, url, size, slow=False)["moved"] for size in (PHONE, WIDE)]
        visits = [
            [_visit(browser, url, s, slow=True) for s in (PHONE, WIDE)] for _ in range(rounds)
        ]
    slow = [visit for pair in visits for visit in pair]
    times = [visit["painted"] for visit in slow]
    span = f"{min(times):.2f} to {max(times):.2f} s in {len(times)} first visits at 400 kbit/s and 400 ms"
    return [
        Row("an event page, first visit, with headers", sum(own.values()) / 1000, "KB", HEAVIEST, "≤",
            ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in own.items())),
        Row("what moves (CLS), the worst of four", max(*quick, *(v["moved"] for v in slow)), "",
            MOST_MOVEMENT, "≤", "390 and 1280 px, on a quick and on a slow line"),
        Row("text and the link to register painted", median(times), "s", SOONEST, "≤", span),
    ]  # fmt: skip


def _weigh(browser: Browser, url: str) -> dict[str, int]:
    """Return what comes over the wire on a first visit, by kind; fail if anything comes from elsewhere."""
    weights: dict[str, int] = {}
    with _first_visit(browser, PHONE) as context:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        kinds: dict[str, str] = {}
        origins: set[str] = set()

        def answered(event: Any) -> None:
            kinds[event["requestId"]] = event["type"].lower()
            origins.add("/".join(event["response"]["url"].split("/")[:3]))

        def finished(event: Any) -> None:
            kind = kinds.get(event["requestId"], "other")
            weights[kind] = weights.get(kind, 0) + int(event["encodedDataLength"])

        devtools.on("Network.responseReceived", answered)
        devtools.on("Network.loadingFinished", finished)
        devtools.send("Network.enable")
        page.goto(url, wait_until="networkidle")
    assert origins == {"/".join(url.split("/")[:3])}, origins
    return dict(sorted(weights.items(), key=lambda kind: -kind[1]))


def _visit(browser: Browser, url: str, size: tuple[int, int], *, slow: bool) -> dict[str, float]:
    with _first_visit(browser, size) as context:
        page = context.new_page()
        if slow:
            devtools = context.new_cdp_session(page)
            devtools.send("Network.enable")
            devtools.send("Network.emulateNetworkConditions", SLOW)
        page.add_init_script(_WATCH)
        page.goto(url, wait_until="networkidle")
        return _read(page)


def _read(page: Page) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(_READ)
    return found


@contextmanager
def _first_visit(browser: Browser, size: tuple[int, int]) -> Iterator[BrowserContext]:
    context = new_context(browser, size=size)
    yield context
    context.close()
