"""The hosted payment page: /c/pay/<session>.

The address is the secret, and there is no cookie that a foreign page could ride on: the form needs no token.
"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from regsys.kernel import money
from regsys.sandbox import accounts, cards, clockwork, faults, form, till
from regsys.sandbox.box import Box, now, this_box
from regsys.sandbox.cards import Card, pretty
from regsys.sandbox.checkout import Outcome
from regsys.sandbox.form import Filled, Wrong
from regsys.sandbox.store import Doc

page = Blueprint("page", __name__)


@page.get("/c/pay/<id>")
def show(id: str) -> AnyResponse:
    """Show the bill and the card form, or that there is nothing to pay any more."""
    session = _session(id)
    if session["status"] != "open":
        return _page("sandbox/over.html", session, 410)
    return _bill(session, form.first_filled(session))


@page.post("/c/pay/<id>")
def press(id: str) -> AnyResponse:
    """Do what the pressed button says."""
    session, play = _session(id), request.form.get("play", "pay")
    filled = {name: request.form.get(name, "").strip() for name in form.FIELDS}
    if play not in form.PLAYS:
        abort(400)
    if play == "abandon":
        return redirect(session["cancel_url"] or url_for("page.show", id=id), 303)
    if session["status"] != "open":
        return _over(session)
    wrong = form.find_wrong(play, filled, session, _this_month())
    if wrong:
        return _bill(session, filled, wrong, 422)
    return _play(session, play, filled)


def _play(session: Doc, play: str, filled: Filled) -> AnyResponse:
    """Pay with what the button stands for."""
    if play == "refuse":
        return _after(till.fail_proof(this_box(), session["id"]), filled, play)
    means = form.means_of(play, filled, session) or abort(400)
    if isinstance(means, Card) and means.asks_back and play != "confirm":
        till.ask_back(this_box(), session["id"])
        asked = filled | {"number": pretty(means.number)}
        return _page("sandbox/bank.html", session, filled=asked)
    if play == "busy":
        with this_box().store.unit():
            faults.plan_busy(this_box().store)
    who, how = form.payer_of(filled), form.deliver_of(filled)
    return _after(till.pay(this_box(), session["id"], means, who, how), filled, play)


def _after(outcome: Outcome, filled: Filled, play: str) -> AnyResponse:
    if outcome.closed:
        return _over(outcome.session)
    if outcome.error:
        code = outcome.error["code"]
        where = {"incorrect_cvc": "cvc", "expired_card": "exp"}.get(code, "number")
        return _bill(outcome.session, filled, {where: _(outcome.error["message"])}, 402)
    if play == "close":
        return _page("sandbox/left.html", outcome.session)
    return _back(outcome.session)


def _over(session: Doc) -> AnyResponse:
    """Send a payer who pressed twice on; show everyone else that it is over."""
    return (
        _back(session)
        if session["status"] == "complete"
        else _page("sandbox/over.html", session, 410)
    )


def _back(session: Doc) -> AnyResponse:
    url = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return redirect(url, 303)


@page.get("/receipts/<charge>")
def receipt(charge: str) -> str:
    """Show the receipt that Stripe would show."""
    with this_box().store.unit():
        doc = this_box().store.find(charge, "charge")
    if doc is None or doc["status"] == "failed":
        abort(404)
    return render_template(
        "sandbox/receipt.html",
        charge=doc,
        amount=minor(doc["amount"], doc["currency"]),
        at=moment(doc["created"]),
        means=means(doc),
        box=this_box(),
    )


def means(charge: Doc) -> str:
    """Return in words what a charge was paid with."""
    kind = charge["payment_method_details"]["type"]
    details = charge["payment_method_details"][kind]
    name = details["brand"] if kind == "card" else _("bank account")
    return f"{name} ···· {details['last4']}"


def _session(id: str) -> Doc:
    with this_box().store.unit():
        clockwork.catch_up(this_box().store, now())
    with this_box().store.unit():
        session = this_box().store.find(id, "checkout.session")
    return session or abort(404)


def _this_month() -> tuple[int, int]:
    today = moment(now())
    return today.year, today.month


def moment(seconds: int) -> datetime:
    """Return Stripe's number as a moment."""
    return datetime.fromtimestamp(seconds, UTC)


def _bill(session: Doc, filled: Filled, wrong: Wrong | None = None, status: int = 200) -> Response:
    later = form.later_method(session)
    return _page(
        "sandbox/pay.html",
        session,
        status,
        filled=filled,
        wrong=wrong or {},
        cards=_in_words(cards.TO_TRY) if "card" in session["payment_method_types"] else [],
        accounts=_in_words(accounts.TO_TRY[later]) if later else [],
        later=later,
    )


def _in_words(to_try: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [
        (number if number.startswith("000") else pretty(number), _(does)) for number, does in to_try
    ]


def _page(template: str, session: Doc, status: int = 200, **more: object) -> Response:
    box = this_box()
    made = render_template(
        template,
        session=session,
        total=minor(session["amount_total"], session["currency"]),
        lines=_lines(box, session),
        box=box,
        until=moment(session["expires_at"]),
        **more,
    )
    response = make_response(made, status)
    response.headers["Content-Security-Policy"] = policy(
        session["success_url"], session["cancel_url"]
    )
    return response


def _lines(box: Box, session: Doc) -> list[tuple[str, int, str | None]]:
    with box.store.unit():
        inner = box.store.inner(session["id"])
    return [
        (_times(item), minor(item["amount_total"], item["currency"]), note)
        for item, note in zip(inner["items"], inner["notes"], strict=True)
    ]


def _times(item: Doc) -> str:
    name = str(item["description"])
    return name if item["quantity"] == 1 else f"{name} × {item['quantity']}"


def minor(amount: int, currency: str) -> int:
    """Return the product's minor units for Stripe's integer."""
    try:
        return money.from_stripe(amount, currency)
    except ValueError:
        return amount  # a test has edited the session into something impossible


def policy(*targets: str | None) -> str:
    """Return the page's CSP; a form answered by a 303 to another origin is blocked unless that is named."""
    parts = [urlsplit(target) for target in targets if target]
    origins = " ".join(sorted({f"{p.scheme}://{p.netloc}" for p in parts}))
    return (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; "
        f"form-action 'self' {origins}; base-uri 'none'; frame-ancestors 'none'"
    )
