"""Somebody who wants a place: from the event page to the order page, over HTTP, with a browser without scripts."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.visitor import Control, Form, Gone, Page, Visitor

MOST_SCREENS = 12
ASIDE = ("/cart/extend", "/cart/remove", "/cart/again", "/signout")


@dataclass
class Outcome:
    """How it ended.

    `kind`: placed (their order page shows it), refused (told politely that there is no place), left (they went away
    from Stripe's page), lost (anything else; `said` tells what).
    """

    kind: str
    said: str = ""
    order: str = ""
    email: str = ""
    tally: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


class Buyer:
    """One person with a browser and an address of their own."""

    def __init__(self, site: str, number: int, *, email: str = "", patience: float = 30.0) -> None:
        self.site, self.number = site.rstrip("/"), number
        self.email = email or f"buyer{number}@example.org"
        self.visitor = Visitor(patience=patience)

    @property
    def answers(self) -> dict[str, str]:
        """Return what this person writes into fields, by the end of their names."""
        return {
            "first_name": "Bea",
            "last_name": f"Buyer {self.number}",
            "email": self.email,
            "phone": "+1 509 555 0111",
            "profession": "Physician",
            "credentials": "MD",
            "workplace": "Wheatgrass Rural Clinics",
            "city": "Spokane",
        }

    def buy(self, slug: str, *, places: int = 1, pay: str = "pay") -> Outcome:
        """Register for an event and, where something is to pay, press the button called `pay` on Stripe's page."""
        try:
            page = self.place(slug, places=places)
            if not isinstance(page, Page):
                return page
            return self.finish(page, pay=pay)
        except (AssertionError, Gone) as e:
            return self._end("lost", f"{type(e).__name__}: {e}")
        finally:
            self.visitor.close()

    def place(self, slug: str, *, places: int = 1) -> Page | Outcome:
        """Go from the event page to the page that follows on placing the order."""
        page = self.review(slug, places=places)
        if not isinstance(page, Page):
            return page
        return self.visitor.submit(page, page.form(action="/cart/place"))

    def review(self, slug: str, *, places: int = 1) -> Page | Outcome:
        """Go from the event page to the review, or to the refusal."""
        page = self.visitor.get(f"{self.site}/events/{slug}")
        assert page.status == 200, f"{page.status} at {page.path}"
        page = self.visitor.get(f"{self.site}/events/{slug}/register")
        if page.status == 200 and _main_form(page):
            page = self._take(page, places)
        for _ in range(MOST_SCREENS):
            if page.status == 409:
                return self._end("refused", page.title)
            if any("/cart/place" in f.action for f in page.forms):
                return page  # whatever else can be typed there, a code for example
            form = _main_form(page)
            if form is None and page.path.startswith("/events/"):
                return self._end("refused", page.title)
            assert page.status == 200, f"{page.status} {page.title!r} at {page.path}"
            assert form is not None, f"nothing to fill in at {page.path}: {page.title!r}"
            page = self.visitor.submit(page, form, self.answers)
        raise AssertionError(f"too many screens, the last one {page.path} {page.title!r}")

    def _take(self, page: Page, places: int) -> Page:
        form = _main_form(page)
        assert form is not None
        counts = [c.name for c in form.controls if c.kind in ("select", "number")]
        assert counts, f"no places to choose at {page.path}"
        return self.visitor.submit(page, form, {counts[0]: str(places)})

    def finish(self, page: Page, *, pay: str = "pay") -> Outcome:
        """Go from Stripe's page, or straight away, to the order page; "close" pays and does not come back."""
        for _ in range(MOST_SCREENS):
            if page.path.startswith("/o/") and page.status == 200:
                return self._end("placed", page.title, order=page.url)
            if page.status == 502 and page.path.endswith(("/pay", "/place-and-pay")):
                # Stripe did not answer: back to the order, and once more.
                page = self.visitor.get(page.link("/o/"))
                page = self.visitor.submit(page, page.form(action="/pay"))
            if "/c/pay/" not in page.url:
                break
            page = self.pay(page, pay)
            if pay.startswith("close") and page.status == 200:
                return self._end("left", page.title)
        raise AssertionError(f"{page.status} {page.title!r} at {page.path}")

    def pay(self, page: Page, button: str = "pay") -> Page:
        """Press a button on Stripe's page; "close, never" also chooses how Stripe tells the product."""
        button, _, deliver = button.partition(", ")
        form = next(f for f in page.forms if any(name == "play" for name, _, _ in f.buttons))
        # Some buttons and this choice stand beside the form that they belong to.
        form.controls.append(Control("deliver", "hidden", deliver or "normally"))
        form.controls.append(Control("play", "hidden", button))
        return self.visitor.submit(page, form)

    def _end(self, kind: str, said: str, *, order: str = "") -> Outcome:
        tally: Counter[str] = self.visitor.tally
        return Outcome(kind, said, order, self.email, dict(tally), self.visitor.problems)


def _main_form(page: Page) -> Form | None:
    """Return the form that leads on."""
    posts = [f for f in page.forms if f.method == "post"]
    posts = [f for f in posts if not any(urlsplit(f.action).path == a for a in ASIDE)]
    return max(posts, key=lambda f: len(f.controls), default=None)
