"""Fills in the forms of the app in this process as a browser would: everything that stands in them is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask.testing import FlaskClient

from tests.support.visitor import Page


@dataclass
class Typist:
    """Somebody at the keyboard, who does not sign out; redirects are returned and not followed."""

    client: FlaskClient

    def get(self, path: str) -> Page:
        """Open a page."""
        response = self.client.get(path)
        return Page(path, response.status_code, dict(response.headers), response.data)

    def send(
        self,
        page: Page | str,
        values: Mapping[str, str] | None = None,
        button: str | None = None,
        *,
        names: Sequence[str] = (),
        action: str = "",
        more: Sequence[tuple[str, str]] = (),
    ) -> Page:
        """Send the form of a page that has these names; `more` is what no browser would send."""
        if isinstance(page, str):
            page = self.get(page)
        page.forms[:] = [f for f in page.forms if "signout" not in f.action]
        form = page.form(*names, action=action)
        path = form.action or page.url
        data: dict[str, list[str]] = {}
        for name, value in [*form.pairs(values or {}, button), *more]:
            data.setdefault(name, []).append(value)
        response = self.client.post(path, data=data)
        return Page(path, response.status_code, dict(response.headers), response.data)

    def follow(self, page: Page) -> Page:
        """Open the page to which an answer leads."""
        assert page.status == 303, (page.status, page.title)
        return self.get(page.headers["Location"])
