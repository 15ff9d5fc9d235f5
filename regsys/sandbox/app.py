"""The factory of the stand-in Stripe."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, Response, request
from flask_babel import Babel
from werkzeug.exceptions import HTTPException

from regsys.kernel import paths
from regsys.sandbox import past
from regsys.sandbox.api import api
from regsys.sandbox.box import Box
from regsys.sandbox.calls import Answer, respond
from regsys.sandbox.control import control
from regsys.sandbox.dashboard import dashboard
from regsys.sandbox.delivery import Courier
from regsys.sandbox.errors import StripeError
from regsys.sandbox.home import home
from regsys.sandbox.ids import new_id
from regsys.sandbox.page import page
from regsys.sandbox.store import Store
from regsys.web import html

KEY_STARTS = ("sk_test_sandbox_", "rk_test_sandbox_")


class NotASandbox(Exception):
    """The keys are not a stand-in's, or could be guessed."""


def create_sandbox(
    data_dir: Path,
    *,
    api_key: str,
    webhook_secret: str,
    webhook_url: str,
    base_url: str,
    organisation: str = "Balint Circle",
    zone: str = "America/Los_Angeles",
) -> Flask:
    """Build the stand-in; `app.extensions["sandbox"].start()` begins its background work."""
    if not api_key.startswith(KEY_STARTS) or len(api_key) < 24:
        raise NotASandbox("the key must begin with sk_test_sandbox_ and be random")
    if len(webhook_secret) < 16:
        raise NotASandbox("the webhook secret must be random, with 16 characters or more")
    root = paths.root()
    app = Flask(
        __name__,
        template_folder=str(root / "templates"),
        static_folder=str(root / "static"),
        static_url_path="/static",
    )
    Babel(app)
    html.register(app)
    store = Store(data_dir / "sandbox.sqlite")
    past.carry_in(store, data_dir, base_url.rstrip("/"))
    courier = Courier(store, webhook_url, webhook_secret)
    box = Box(store, courier, api_key, base_url.rstrip("/"), organisation, ZoneInfo(zone))
    app.extensions["sandbox"] = box
    for blueprint in (api, page, dashboard, home, control):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _on_http_error)
    return app


def _on_http_error(error: HTTPException) -> Response | HTTPException:
    """Answer an unknown address of the API as Stripe does."""
    if not request.path.startswith("/v1"):
        return error
    said = StripeError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)
    return respond(Answer(404, json.dumps(said.body(), indent=2)), new_id("req"))
