"""Every route is guarded and has a sample address."""

from flask import Flask

from regsys.app import csrf
from regsys.web.guard import public, requires
from tests.house.laws import routes
from tests.samples import SAMPLES


def test_every_route_says_who_may_enter(app: Flask) -> None:
    assert routes.list_unguarded(app) == []


def test_every_page_has_a_sample_address(app: Flask) -> None:
    assert routes.list_without_sample(app, SAMPLES) == []


def test_only_webhooks_are_exempt_from_csrf_protection(app: Flask) -> None:
    exempt = {b if isinstance(b, str) else b.name for b in csrf._exempt_blueprints}
    assert routes.list_wide_open_posts(app, exempt) == []
    assert csrf._exempt_views == set()


def small_app() -> Flask:
    app = Flask("small")
    app.add_url_rule("/open", "open", public(lambda: "yes"))
    app.add_url_rule("/closed", "closed", requires("registrar")(lambda: "yes"))
    return app


def test_a_planted_unguarded_route_is_caught() -> None:
    app = small_app()
    assert routes.list_unguarded(app) == []
    app.add_url_rule("/forgotten", "forgotten", lambda: "yes", methods=["POST"])
    assert routes.list_unguarded(app) == ["/forgotten (forgotten) is not guarded"]


def test_a_planted_page_without_sample_is_caught_and_so_is_a_stale_sample() -> None:
    app = small_app()
    assert routes.list_without_sample(app, {"open", "closed"}) == []
    assert routes.list_without_sample(app, {"open", "gone"}) == [
        "/closed (closed) has no sample address",
        "the sample gone has no GET rule",
    ]


def test_a_planted_exemption_is_caught() -> None:
    assert routes.list_wide_open_posts(small_app(), {"payments_webhook"}) == []
    assert routes.list_wide_open_posts(small_app(), {"payments"}) == [
        "payments is exempt from CSRF protection"
    ]
