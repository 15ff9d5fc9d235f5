"""The hosted payment page: /c/pay/<session>.

The address is the secret, and there is no cookie that a foreign page could ride on: the form needs no token.
"""

import re
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
from regsys.sandbox import checkout, till
from regsys.sandbox.box import Box, now, this_box
from regsys.sandbox.cards import (
    DECLINED,
    GOOD,
    POOR,
    REFUSED_BY_BANK,
    TO_TRY,
    Card,
    find_card,
    pretty,
)
from regsys.sandbox.checkout import Outcome
from regsys.sandbox.events import Deliver
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Doc

page = Blueprint("page", __name__)

FIELDS = ("email", "number", "exp", "cvc", "holder", "zip", "deliver")
_BY_BUTTON = {"decline": DECLINED, "funds": POOR}
# Buttons that send the card as it was typed.
_TYPED = ("pay", "close", "confirm")
PLAYS = (*_TYPED, *_BY_BUTTON, "refuse", "abandon")

Wrong = dict[str, str]


@page.get("/c/pay/<id>")
def show(id: str) -> AnyResponse:
    """Show the bill and the card form, or that there is nothing to pay any more."""
    session = _session(id)
    if session["status"] != "open":
        return _page("sandbox/over.html", session, 410)
    filled = {
        "email": session["customer_email"] or "",
        "number": pretty(GOOD),
        "exp": "12 / 34",
        "cvc": "123",
        "holder": _("Test Payer"),
        "zip": "99163",
        "deliver": Deliver.NORMALLY.value,
    }
    return _bill(session, filled)


@page.post("/c/pay/<id>")
def press(id: str) -> AnyResponse:
    """Do what the pressed button says."""
    session, play = _session(id), request.form.get("play", "pay")
    filled = {name: request.form.get(name, "").strip() for name in FIELDS}
    if play not in PLAYS:
        abort(400)
    if play == "abandon":
        return redirect(session["cancel_url"] or url_for("page.show", id=id), 303)
    if session["status"] != "open":
        return _over(session)
    wrong = _wrong(filled) if play in _TYPED else {}
    if wrong:
        return _bill(session, filled, wrong, 422)
    card = (
        REFUSED_BY_BANK if play == "refuse" else find_card(_BY_BUTTON.get(play, filled["number"]))
    )
    if card.asks_back and play in {"pay", "close"}:
        return _page("sandbox/bank.html", session, filled=filled)
    outcome = till.pay(this_box(), id, card, _payer(filled), _deliver(filled))
    return _after(outcome, card, filled, play)


def _after(outcome: Outcome, card: Card, filled: dict[str, str], play: str) -> AnyResponse:
    if outcome.closed:
        return _over(outcome.session)
    if outcome.error:
        where = {"incorrect_cvc": "cvc", "expired_card": "exp"}.get(card.code or "", "number")
        return _bill(outcome.session, filled, {where: _(card.message)}, 402)
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
    if doc is None or not doc["paid"]:
        abort(404)
    amount, at = minor(doc["amount"], doc["currency"]), moment(doc["created"])
    return render_template("sandbox/receipt.html", charge=doc, amount=amount, at=at, box=this_box())


def _session(id: str) -> Doc:
    with this_box().store.unit():
        checkout.expire_due(this_box().store, now())
    with this_box().store.unit():
        session = this_box().store.find(id, "checkout.session")
    return session or abort(404)


def _payer(filled: dict[str, str]) -> Payer:
    return Payer(filled["email"] or None, filled["holder"] or None, filled["zip"] or None)


def _deliver(filled: dict[str, str]) -> Deliver:
    known = {how.value for how in Deliver}
    return Deliver(filled["deliver"]) if filled["deliver"] in known else Deliver.NORMALLY


def _wrong(filled: dict[str, str]) -> Wrong:
    """Return what Stripe's form would not send: sentences by field."""
    found: Wrong = {}
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", filled["email"]):
        found["email"] = _("Your email is incomplete.")
    if not re.fullmatch(r"[\d\s-]{12,25}", filled["number"], re.ASCII):
        found["number"] = _("Your card number is incomplete.")
    until = re.fullmatch(r"(\d{1,2})\s*/?\s*(?:20)?(\d{2})", filled["exp"], re.ASCII)
    if until is None or not 1 <= int(until[1]) <= 12:
        found["exp"] = _("Your card's expiration date is incomplete.")
    elif (2000 + int(until[2]), int(until[1])) < _this_month():
        found["exp"] = _("Your card's expiration date is in the past.")
    if not re.fullmatch(r"\d{3,4}", filled["cvc"], re.ASCII):
        found["cvc"] = _("Your card's security code is incomplete.")
    return found


def _this_month() -> tuple[int, int]:
    today = moment(now())
    return today.year, today.month


def moment(seconds: int) -> datetime:
    """Return Stripe's number as a moment."""
    return datetime.fromtimestamp(seconds, UTC)


def _bill(
    session: Doc, filled: dict[str, str], wrong: Wrong | None = None, status: int = 200
) -> Response:
    return _page(
        "sandbox/pay.html", session, status, filled=filled, wrong=wrong or {}, cards=_cards_to_try()
    )


def _cards_to_try() -> list[tuple[str, str]]:
    return [(pretty(number), _(does)) for number, does in TO_TRY]


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
