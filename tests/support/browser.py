"""A real Chromium, driven by Playwright."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support import needs

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = (1280, 900)
PHONE = (390, 844)
LOOKS = ((PHONE, "light"), (PHONE, "dark"), (WIDE, "dark"), (WIDE, "light"))
# A window of 1280 × 1024 px at 400 %.
ZOOMED = (320, 256)
ACTION_MS = 15_000


@contextmanager
def launch() -> Iterator[Browser]:
    """Start Chromium; skip loudly where there is none."""
    program = needs.require(needs.CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


def new_context(
    browser: Browser,
    *,
    size: tuple[int, int] = WIDE,
    javascript: bool = True,
    dark: bool = False,
    **options: Any,
) -> BrowserContext:
    """Open a fresh visitor: own cookies, no cache."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=javascript,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="America/Los_Angeles",
        **options,
    )
    context.set_default_timeout(ACTION_MS)
    return context


def list_axe_violations(page: Page, *, wcag: str = "wcag22aa") -> list[str]:
    """Run axe-core on the page and return a line for each violation."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", wcag, "best-practice"]
    return _run_axe(page, None, {"runOnly": {"type": "tag", "values": tags}})


def list_axe_beside_colours(page: Page) -> list[str]:
    """Run everything but the contrast of colours, which is most of the time."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    rules = {"color-contrast": {"enabled": False}}
    return _run_axe(page, None, {"runOnly": {"type": "tag", "values": tags}, "rules": rules})


def list_axe_of_layout(page: Page) -> list[str]:
    """Run the rules that measure: what else axe asks is the same in a window of another size."""
    rules = ["target-size", "scrollable-region-focusable"]
    return _run_axe(page, None, {"runOnly": {"type": "rule", "values": rules}})


def in_both_schemes(page: Page, ask: Callable[[Page], list[str]]) -> list[str]:
    """Ask in light colours and in dark ones."""
    found = [f"light: {p}" for p in ask(page)]
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {p}" for p in ask(page)]
    page.emulate_media(color_scheme="light")
    return found


# Marks what stands in a place (tags, classes and states up to the body) where nothing was looked at yet in this tab.
# No style stands in an element and none but the scheme changes colours, so what stands in the same place has the same.
_MARK_NEW = """() => {
  const seen = new Set(JSON.parse(sessionStorage.getItem("seen") ?? "[]"));
  const states = ["aria-current", "aria-invalid", "aria-sort", "aria-disabled", "open", "type", "href"];
  const name = e => e.tagName + "." + e.getAttribute("class") + states.filter(s => e.hasAttribute(s));
  const places = new Map([[document.body, ""]]);
  const place = e => {
    if (!places.has(e)) places.set(e, place(e.parentElement) + ">" + name(e));
    return places.get(e);
  };
  let found = 0;
  for (const e of document.querySelectorAll("[data-new]")) e.removeAttribute("data-new");
  for (const e of document.body.querySelectorAll("*")) {
    const tells = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!(tells || e.matches("input, select, textarea")) || !e.checkVisibility()) continue;
    const at = place(e);
    if (seen.has(at)) continue;
    seen.add(at);
    e.setAttribute("data-new", "");
    found++;
  }
  if (found) sessionStorage.setItem("seen", JSON.stringify([...seen]));
  return found;
}"""


def list_new_contrasts(page: Page) -> list[str]:
    """Try the contrast, light and dark, of all text that stands in a place where none was tried before in this tab."""
    if not page.evaluate(_MARK_NEW):
        return []
    contrast = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    return in_both_schemes(page, lambda page: _run_axe(page, ["[data-new]"], contrast))


def _run_axe(page: Page, where: list[str] | None, options: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    # Without resultTypes axe describes every element that passed, too: half of the time.
    found = page.evaluate(
        "([where, options]) => axe.run(where ?? document, options).then(r => r.violations)",
        [where, {"resultTypes": ["violations"], **options}],
    )
    return [
        f"{v['id']}: {v['help']} — {'; '.join(n['html'][:160] for n in v['nodes'][:3])}"
        for v in found
    ]


# A full stop with no space after it, where two sentences of a template met.
_RUN_ON = r"""() => [...document.querySelectorAll("main :is(p, li, dd, td, th)")]
  .flatMap(e => e.innerText.match(/\S+ \S*(?:[a-z0-9)”]\.[A-Z]|[a-z)”]\.\d)\S*/g) ?? [])"""


def list_run_on_sentences(page: Page) -> list[str]:
    """Return the places where one sentence begins right at the end of another."""
    return [f"no space between sentences: {found}" for found in page.evaluate(_RUN_ON)]


# A browser fills in what it knows of a person; an event's own questions it cannot know.
_UNNAMED = """() => [...document.querySelectorAll("main input:not([type=hidden],[type=checkbox],[type=radio])")]
  .filter(e => !e.autocomplete && !e.name.startsWith("q_")).map(e => e.name)"""


def list_fields_to_fill_in(page: Page) -> list[str]:
    """Return the fields about a person that do not say so to the browser."""
    return [f"no autocomplete: {name}" for name in page.evaluate(_UNNAMED)]


def list_sideways_scroll(page: Page) -> list[str]:
    """Return a line if the page is wider than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"{page.url} is {wide} px wider than the window"] if wide > 0 else []


class Watch:
    """Collects what a person would never see: console errors, failed requests, other origins."""

    def __init__(self, page: Page, *, origins: tuple[str, ...]) -> None:
        self.problems: list[str] = []
        self._origins = origins
        self.listeners: dict[Any, Any] = {
            "console": lambda m: self._note(m.type == "error", f"console: {m.text}"),
            "pageerror": lambda e: self._note(True, f"script: {e}"),
            "request": lambda r: self._note(self._is_foreign(r.url), f"foreign: {r.url}"),
        }
        for name, listener in self.listeners.items():
            page.on(name, listener)

    def _note(self, wrong: bool, line: str) -> None:
        if wrong:
            self.problems.append(line)

    def _is_foreign(self, url: str) -> bool:
        return not url.startswith((*self._origins, "data:", "about:", "blob:"))


@contextmanager
def watching(page: Page, *, origins: tuple[str, ...]) -> Iterator[Watch]:
    """Watch a page for a while; the next one may use it again."""
    watch = Watch(page, origins=origins)
    yield watch
    for name, listener in watch.listeners.items():
        page.remove_listener(name, listener)


def shoot(page: Page, path: Path, *, whole: bool = True) -> Path:
    """Write a PNG of the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=whole)
    return path
