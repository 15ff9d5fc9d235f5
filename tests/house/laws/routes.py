"""Every route says who may enter, and every page has a sample address in the suite."""

from collections.abc import Collection, Iterator

from flask import Flask
from werkzeug.routing import Rule

from regsys.web.guard import MARK

# Flask's own, and what a load balancer asks before anyone can be signed in.
FREE = ("static",)


def list_unguarded(app: Flask) -> list[str]:
    """List routes whose view carries no mark of `@public` or `@requires(...)`."""
    return [
        f"{rule.rule} ({rule.endpoint}) is not guarded"
        for rule in _rules(app)
        if getattr(app.view_functions[rule.endpoint], MARK, None) is None
    ]


def list_without_sample(app: Flask, samples: Collection[str]) -> list[str]:
    """List GET rules without a sample address, and samples of endpoints that are gone."""
    pages = {rule.endpoint: rule.rule for rule in _rules(app) if "GET" in (rule.methods or ())}
    return [
        f"{pages[e]} ({e}) has no sample address" for e in sorted(pages) if e not in samples
    ] + [f"the sample {e} has no GET rule" for e in sorted(samples) if e not in pages]


def list_wide_open_posts(app: Flask, exempt: Collection[str]) -> list[str]:
    """List blueprints without CSRF protection that are no webhooks."""
    return [
        f"{name} is exempt from CSRF protection" for name in exempt if not name.endswith("_webhook")
    ]


def _rules(app: Flask) -> Iterator[Rule]:
    return (rule for rule in app.url_map.iter_rules() if rule.endpoint not in FREE)
