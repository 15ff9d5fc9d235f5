"""A browser without pictures: cookies, redirects, forms, and patience with a server that is busy or away.

Imports nothing of the product, so that a crowd of them costs little.
"""

import http.client
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 10
Pairs = list[tuple[str, str]]


class Gone(Exception):
    """The server did not answer for longer than this visitor is patient."""


@dataclass
class Control:
    """One input, select or textarea."""

    name: str
    kind: str
    value: str = ""
    checked: bool = False
    required: bool = False
    options: Pairs = field(default_factory=list)


@dataclass
class Form:
    """A form as it stands on a page; `buttons` are (name, value, label)."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Tell whether a control's name is this, or ends in it after a separator."""
        return any(ends_in(c.name, name) for c in self.controls)

    def pairs(self, values: Mapping[str, str], button: str | None = None) -> Pairs:
        """Return what is sent: `values` by name or by how a name ends; what is required gets a first choice."""
        sent: Pairs = []
        done: set[str] = set()
        for c in self.controls:
            if c.kind in ("radio", "checkbox"):
                sent += self._ticked(c, values, done)
            else:
                sent.append((c.name, _typed(c, values)))
        for name, value, label in self.buttons:
            if name and button in (label, value, name):
                sent.append((name, value))
        return sent

    def _ticked(self, c: Control, values: Mapping[str, str], done: set[str]) -> Pairs:
        wanted = _wanted(c.name, values)
        if wanted is not None:
            return [(c.name, c.value)] if c.value in wanted.split("|") else []
        if c.name in done:
            return []
        group = [o for o in self.controls if o.name == c.name and o.kind == c.kind]
        ticked = [o for o in group if o.checked]
        if not ticked and any(o.required for o in group):
            ticked = group[:1]
        done.add(c.name)
        return [(o.name, o.value) for o in ticked]


def ends_in(name: str, end: str) -> bool:
    """Tell whether a control's name is this, or ends in it after a separator."""
    return name == end or name.endswith((f"-{end}", f"_{end}"))


def _wanted(name: str, values: Mapping[str, str]) -> str | None:
    if name in values:
        return values[name]
    return next((v for end, v in values.items() if name.endswith(f"-{end}")), None)


def _typed(c: Control, values: Mapping[str, str]) -> str:
    wanted = _wanted(c.name, values)
    if wanted is not None:
        return wanted
    if c.kind == "select" and c.required and not c.value:
        return next((value for value, _ in c.options if value), "")
    if c.required and not c.value:
        return {"email": "somebody@example.org", "number": "1", "date": "1980-02-03"}.get(
            c.kind, "Something"
        )
    return c.value


class _Forms(HTMLParser):
    """Reads the forms of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Form] = []
        self._select: Control | None = None
        self._text: list[str] | None = None
        self._option: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(a.get("action", ""), a.get("method", "get").lower()))
        if not self.found:
            return
        form = self.found[-1]
        if tag == "input":
            self._input(form, a)
        elif tag == "select":
            self._select = Control(a.get("name", ""), "select", required="required" in a)
            form.controls.append(self._select)
        elif tag == "option" and self._select:
            self._add_option(self._select, a)
        elif tag == "textarea":
            form.controls.append(Control(a.get("name", ""), "textarea", required="required" in a))
            self._text = []
        elif tag == "button" and a.get("type", "submit") == "submit":
            form.buttons.append((a.get("name", ""), a.get("value", ""), ""))
            self._text = []

    @staticmethod
    def _input(form: Form, a: dict[str, str]) -> None:
        kind = a.get("type", "text")
        if kind in ("submit", "image"):
            form.buttons.append((a.get("name", ""), a.get("value", ""), a.get("value", "")))
        elif a.get("name") and "disabled" not in a:
            value = a.get("value", "on" if kind in ("radio", "checkbox") else "")
            form.controls.append(Control(a["name"], kind, value, "checked" in a, "required" in a))

    @staticmethod
    def _add_option(select: Control, a: dict[str, str]) -> None:
        if not select.options or "selected" in a:
            select.value = a.get("value", "")
        select.options.append((a.get("value", ""), ""))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        if tag not in ("textarea", "button") or self._text is None or not self.found:
            return
        form, text = self.found[-1], "".join(self._text)
        if tag == "textarea":
            form.controls[-1].value = text.removeprefix("\r").removeprefix("\n")
        elif form.buttons:
            name, value, _ = form.buttons[-1]
            form.buttons[-1] = (name, value, " ".join(text.split()))
        self._text = None


@dataclass
class Page:
    """An answer."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @cached_property
    def forms(self) -> list[Form]:
        found: list[Form] = []
        for part in re.findall(r"<form\b.*?</form>", self.text, re.S):
            parser = _Forms()
            parser.feed(part)
            found += parser.found
        return found

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def title(self) -> str:
        """Return the page's heading, for messages about it."""
        found = re.search(r"<h1\b[^>]*>(.*?)</h1>", self.text, re.S)
        return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""

    def form(self, *names: str, action: str = "") -> Form:
        """Return the first POST form that has these controls and whose address contains `action`."""
        for form in self.forms:
            here = form.method == "post" and action in (form.action or self.path)
            if here and all(form.has(name) for name in names):
                return form
        seen = [(f.method, f.action, [c.name for c in f.controls]) for f in self.forms]
        raise AssertionError(f"no form {names} {action} at {self.path} ({self.status}): {seen}")

    def links(self) -> Iterator[str]:
        """Yield the addresses of the links."""
        for found in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', self.text):
            yield urljoin(self.url, found.replace("&amp;", "&"))

    def link(self, part: str) -> str:
        """Return the first link whose address contains the part."""
        found = next((url for url in self.links() if part in url), None)
        assert found, f"no link to {part} at {self.path} ({self.status} {self.title!r})"
        return found


class Visitor:
    """Somebody with a browser of their own; `tally` counts the answers they got, redirects and retries included.

    They wait and send again when told so by a 503, and when the server is away: at most `patience` seconds in all
    for one request.
    """

    def __init__(self, *, patience: float = 30.0, timeout: float = 30.0) -> None:
        self.patience, self.timeout = patience, timeout
        self.tally: Counter[str] = Counter()
        self.problems: list[str] = []
        self._cookies: dict[str, dict[str, str]] = {}
        self._open: dict[str, http.client.HTTPConnection] = {}

    def get(self, url: str) -> Page:
        """Go to an address."""
        return self._go("GET", url, None)

    def submit(
        self,
        page: Page,
        form: Form,
        values: Mapping[str, str] | None = None,
        button: str | None = None,
    ) -> Page:
        """Fill in a form and send it."""
        body = urlencode(form.pairs(values or {}, button))
        return self._go("POST", urljoin(page.url, form.action or page.url), body, page.url)

    def close(self) -> None:
        """Hang up."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _go(self, method: str, url: str, body: str | None, referer: str = "") -> Page:
        for _ in range(MOST_REDIRECTS):
            page = self._patiently(method, url, body, referer)
            if page.status not in REDIRECTS:
                return page
            url = urljoin(url, page.headers["location"])
            if page.status not in (307, 308):
                method, body = "GET", None
        raise AssertionError(f"too many redirects at {url}")

    def _patiently(self, method: str, url: str, body: str | None, referer: str) -> Page:
        end = time.monotonic() + self.patience
        while True:
            try:
                page = self._once(method, url, body, referer)
            except (OSError, http.client.HTTPException) as e:
                self.tally["cut"] += 1
                self._hang_up(url)
                wait, why = 0.2, f"{type(e).__name__}: {e}"
            else:
                self._count(page, method)
                if page.status != 503 or "retry-after" not in page.headers:
                    return page
                wait, why = float(page.headers["retry-after"]), "503"
            if time.monotonic() + wait > end:
                raise Gone(f"{method} {urlsplit(url).path}: {why}")
            time.sleep(wait)

    def _count(self, page: Page, method: str) -> None:
        self.tally["requests"] += 1
        self.tally[str(page.status)] += 1
        retriable = page.status == 503 and "retry-after" in page.headers
        if page.status >= 500 and not retriable:
            self.problems.append(f"{page.status} {method} {page.path}: {page.title}")

    def _once(self, method: str, url: str, body: str | None, referer: str) -> Page:
        parts = urlsplit(url)
        connection = self._open.get(parts.netloc)
        if connection is None:
            connection = http.client.HTTPConnection(parts.netloc, timeout=self.timeout)
            self._open[parts.netloc] = connection
        headers = {"Accept": "text/html", "Cookie": self._cookie(parts.netloc)}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
        if referer:
            headers["Referer"] = referer
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request(method, target, body, {k: v for k, v in headers.items() if v})
        answer = connection.getresponse()
        content = answer.read()
        self._remember(parts.netloc, answer.headers.get_all("Set-Cookie") or [])
        return Page(url, answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)

    def _hang_up(self, url: str) -> None:
        connection = self._open.pop(urlsplit(url).netloc, None)
        if connection:
            connection.close()

    def _cookie(self, host: str) -> str:
        return "; ".join(f"{k}={v}" for k, v in self._cookies.get(host, {}).items())

    def _remember(self, host: str, lines: list[str]) -> None:
        jar = self._cookies.setdefault(host, {})
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            expired = not value or "max-age=0" in line.lower() or "01 jan 1970" in line.lower()
            if expired:
                jar.pop(name, None)
            else:
                jar[name] = value
