"""Somebody who sends what no browser sends, and a judge of the answers."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from regsys.kernel.text import clean
from tests.hostile import corpus
from tests.hostile.ground import KEPT_BY_REFUSALS, Ground
from tests.support.visitor import Control, Form, Page

Value = str | bytes
Pairs = list[tuple[str, Value]]
FORM = "application/x-www-form-urlencoded"

# What is fine of half a form is kept here on purpose, so that it is there on another device.
HALF_FORMS = {"/cart/answers/": {"answer", "registration"}}

# Here Stripe does not answer, and this is what is said then (docs/payments.md).
AWAY = ("/pay", "/place-and-pay", "/paid", "/settle", "/refund")
# Controls in which somebody types; a choice that does not exist cannot be shown again.
CHOSEN = ("select", "radio", "checkbox", "hidden", "password", "file")
NOT_TYPED = {
    "trap": "no person sees it",
    "username": "shown to the browser's store of passwords, and never read",
}


def page_of(path: str, answer: TestResponse) -> Page:
    """Return an answer as a page whose forms can be read."""
    return Page(path, answer.status_code, dict(answer.headers), answer.data)


def spoken(value: Value) -> str:
    """Return what must be seen of a value: controls and the width of spaces apart."""
    return " ".join(clean(corpus.as_text(value)).split())


class LastError(logging.Handler):
    """Remembers why the last page failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.text = f"{type(error).__name__}: {error}"[:300] if error else record.getMessage()


@dataclass
class Intruder:
    """One browser; after each attack cookies and database are what they were before."""

    client: FlaskClient
    ground: Ground
    problems: list[str] = field(default_factory=list)
    sent: int = 0
    accepted: int = 0
    _error: LastError = field(default_factory=LastError)
    _seen: dict[str, Page] = field(default_factory=dict)

    def __post_init__(self) -> None:
        logging.getLogger("regsys").addHandler(self._error)
        form = self.get("/contact").form("csrf_token")
        # From here on the cookie holds what this token belongs to.
        self.token = next(c.value for c in form.controls if c.name == "csrf_token")
        cookie = self.client.get_cookie("regsys")
        self._cookie = cookie.value if cookie else ""

    def begin(self) -> None:
        """Forget what an earlier test has found and left."""
        self.problems.clear()
        self.sent = self.accepted = 0
        self._put_back(set())

    def look(self, path: str) -> Page:
        """Return a page as it stands on untouched ground: asked for once."""
        if path not in self._seen:
            self._seen[path] = self.get(path)
        return self._seen[path]

    def get(self, path: str) -> Page:
        """Open a page as it is for everybody; what opening it writes down is taken back."""
        page = page_of(path, self.client.get(path))
        self.ground.restore(self.ground.changed())
        return page

    def attack(self, path: str, pairs: Pairs, *, what: str, typed: Sequence[Control] = ()) -> Page:
        """Send a form and judge the answer; `typed` are the controls whose text must be kept if it comes back."""
        body = urlencode(pairs)
        return self.shoot(
            "POST", path, data=body, content_type=FORM, what=what, sent=pairs, typed=typed
        )

    def shoot(
        self,
        method: str,
        path: str,
        *,
        what: str,
        sent: Pairs | None = None,
        typed: Sequence[Control] = (),
        **request: object,
    ) -> Page:
        """Send any request, judge the answer, and put everything back."""
        self._error.text = ""
        answer = self.client.open(path, method=method, **request)  # type: ignore[arg-type]
        page = page_of(path, answer)
        self.sent += 1
        changed = self.ground.changed()
        found = [*self._faults(page, answer), *self._half_done(page, changed)]
        if page.status in (409, 422) and method != "HEAD":
            found += [*dangling(page), *self._lost(page, sent or [], typed)]
        if page.status in (302, 303, 307, 308):
            self.accepted += 1
            found += self._landing(page)
        self.problems += [f"{method} {path[:90]} [{what}] {page.status}: {f}" for f in found]
        self._put_back(changed)
        return page

    def _put_back(self, changed: set[str]) -> None:
        self.ground.restore(changed if changed else self.ground.changed())
        if self._cookie:
            self.client.set_cookie("regsys", self._cookie)
        else:
            self.client.delete_cookie("regsys")

    def _faults(self, page: Page, answer: TestResponse) -> Iterable[str]:
        if page.status >= 500 and not (page.status == 502 and page.path.endswith(AWAY)):
            yield f"failed: {self._error.text or page.title}"
        for name, value in answer.headers:
            if set("\r\n") & set(f"{name}{value}") or name.lower() in ("bcc", "x-planted"):
                yield f"a header of its own: {name}"
        if page.headers.get("Content-Type", "").startswith("text/html"):
            yield from (f"active: {bad}" for bad in corpus.ACTIVE if bad in page.text)

    def _half_done(self, page: Page, changed: set[str]) -> Iterable[str]:
        kept = [tables for path, tables in HALF_FORMS.items() if page.path.startswith(path)]
        written = sorted(changed.difference(KEPT_BY_REFUSALS, *kept))
        # Where Stripe is away the attempt is on record before the call: intent, commit, call.
        if page.status >= 400 and page.status != 502 and written:
            yield f"refused, and yet it wrote {written}"

    def _landing(self, page: Page) -> Iterable[str]:
        target = page.headers["Location"]
        if urlsplit(target).netloc not in ("", "localhost") or target.startswith(("//", "/\\")):
            yield f"leads away: {target[:80]}"
        elif page.status != 307:
            landing = self.client.get(target)
            yield from (
                f"at {target[:60]} {f}" for f in self._faults(page_of(target, landing), landing)
            )

    def _lost(self, page: Page, sent: Pairs, typed: Sequence[Control]) -> Iterable[str]:
        names = {c.name for c in typed if c.kind not in CHOSEN} - set(NOT_TYPED)
        wanted = {name: [spoken(v) for n, v in sent if n == name] for name in sorted(names)}
        wanted = {name: values for name, values in wanted.items() if values}
        if not wanted:
            return
        shown: dict[str, list[str]] = {}
        for control in (c for form in page.forms for c in form.controls):
            shown.setdefault(control.name, []).append(spoken(control.value))
        for name, values in wanted.items():
            if name not in shown:
                yield f"the form is gone, and what was typed in {name} with it"
            elif values[0] not in shown[name]:
                yield f"{name} was {values[0][:40]!r} and came back as {shown[name][0][:40]!r}"


def dangling(page: Page) -> list[str]:
    """List what points to a sentence or a control that is not there, and a refusal without a sentence."""
    text = page.text
    ids = set(re.findall(r'\bid="([^"]*)"', text))
    described = [i for d in re.findall(r'aria-describedby="([^"]*)"', text) for i in d.split()]
    linked = re.findall(r'<a href="#([^"]+)"', text)
    found = [f"nothing has the id {i}" for i in {*described, *map(unescape, linked)} - ids]
    bare = [m for m in re.findall(r'<[^>]*aria-invalid="true"[^>]*>', text) if "-wrong" not in m]
    said = 'class="wrong' in text or 'role="alert"' in text or 'class="sentence"' in text
    return (
        found + [f"no sentence at {m[:80]}" for m in bare] + ([] if said else ["nothing is said"])
    )


def fill(form: Form, values: Mapping[str, Value], button: str | None = None) -> Pairs:
    """Return what a browser sends, with these fields replaced."""
    pairs: Pairs = [(n, v) for n, v in form.pairs({}, button) if n not in values]
    return [*pairs, *values.items()]
