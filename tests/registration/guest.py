"""Somebody who registers through the pages, without scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.typist import Typist
from tests.support.visitor import Page

WHO = {"first_name": "Lysander", "last_name": "Saltmarsh", "email": "lysander@example.org"}
GUEST = {"first_name": "Undine", "last_name": "Nutkin", "email": "undine@example.org"}
ABOUT = {"profession": "Physician", "credentials": "DO", "workplace": "Wheatgrass Clinics"}


@dataclass
class Guest(Typist):
    """A browser that follows redirects on this site."""

    def go(self, page: Page) -> Page:
        """Follow redirects to the next page."""
        while page.status in (302, 303) and page.headers["Location"].startswith("/"):
            page = self.get(page.headers["Location"])
        return page

    def take(self, event: Any, *counts: int) -> Page:
        """Choose places: so many of each ticket type, in their order."""
        page = self.get(f"/events/{event.slug}/register")
        form = page.form("csrf_token", action="/register")
        names = [c.name for c in form.controls if c.name.startswith("places_")]
        chosen = dict(zip(names, map(str, counts or (1,)), strict=False))
        return self.go(self.send(page, chosen, names=names))

    def fill(self, page: Page, values: Mapping[str, str], **more: Any) -> Page:
        """Fill in the form of a step."""
        return self.go(self.send(page, values, names=["csrf_token"], action="/cart/", **more))

    def describe(self, page: Page, **changes: str) -> Page:
        """Fill in the payer's step."""
        return self.fill(page, {**WHO, **changes})

    def register(self, event: Any, **answers: str) -> Page:
        """Go for one place as far as the review."""
        return self.fill(self.describe(self.take(event)), {**ABOUT, **answers})

    def place(self, page: Page) -> Page:
        """Place the order alone; a redirect to the payment is returned as it is."""
        path, form = "/cart/place", page.form(action="/cart/place")
        answer = self.client.post(path, data=dict(form.pairs({}, None)))
        return self.go(Page(path, answer.status_code, dict(answer.headers), answer.data))

    def pay(self, page: Page) -> Page:
        """Place the order and go on to the payment; the redirect to Stripe is returned as it is."""
        return self.go(self.send(page, action="/cart/place-and-pay"))
