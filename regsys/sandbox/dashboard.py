"""What the account's owner does in Stripe's dashboard, and what banks do: one page for each payment."""

from collections.abc import Callable
from dataclasses import dataclass

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
from regsys.sandbox import clockwork, delayed, disputes, faults, payouts, refunds
from regsys.sandbox.box import now, this_box
from regsys.sandbox.errors import StripeError
from regsys.sandbox.events import BY_ITSELF
from regsys.sandbox.page import means, minor, moment, policy
from regsys.sandbox.store import Doc, Store

dashboard = Blueprint("dashboard", __name__)

# Buttons that open a dispute: its status and reason.
_DISPUTES = {
    "fraud": ("needs_response", "fraudulent"),
    "missing": ("needs_response", "product_not_received"),
    "inquiry": ("warning_needs_response", "fraudulent"),
}
# Buttons that move a dispute on.
_MOVES = {
    "answer": disputes.update_dispute,
    "escalate": disputes.update_dispute,
    "won": disputes.close_dispute,
    "lost": disputes.close_dispute,
    "drop": disputes.close_dispute,
}


@dataclass(frozen=True)
class Press:
    """One press of a button of the page."""

    store: Store
    charge: Doc
    play: str
    of: str
    amount: str
    now: int


@dashboard.get("/payments/<id>")
def show(id: str) -> Response:
    """Show a payment with everything that came of it."""
    return _page(_charge(id))


@dashboard.post("/payments/<id>")
def press(id: str) -> AnyResponse:
    """Do what the pressed button says."""
    form, box, at = request.form, this_box(), now()
    play = form.get("play", "")
    work = _WORKS.get(play) or abort(400)
    charge = _charge(id)
    try:
        with box.store.unit():
            work(Press(box.store, charge, play, form.get("of", ""), form.get("amount", ""), at))
    except StripeError as e:
        return _page(charge, str(e), 422)
    box.courier.wake()
    return redirect(url_for("dashboard.show", id=id), 303)


@dashboard.post("/payouts")
def pay_out() -> AnyResponse:
    """Send what is available to the bank, or with `early` everything."""
    box = this_box()
    with box.store.unit():
        payouts.pay_out(box.store, now(), early=request.form.get("play") == "early")
    return redirect(url_for("home.show") + "#payouts", 303)


@dashboard.post("/busy")
def be_busy() -> AnyResponse:
    """Let Stripe be too busy for the next questions of the site."""
    store = this_box().store
    with store.unit():
        faults.plan_busy(store)
    return redirect(url_for("home.show"), 303)


def _refund(press: Press) -> None:
    asked: Doc = {"charge": press.charge["id"], "reason": "requested_by_customer"}
    if press.play == "part":
        asked["amount"] = _typed(press.amount, press.charge["currency"])
    refunds.create_refund(press.store, asked, press.now, BY_ITSELF)


def _typed(text: str, currency: str) -> int:
    """Return Stripe's integer for what a person typed."""
    try:
        amount = money.to_stripe(money.parse(text, currency), currency)
    except ValueError:
        amount = 0
    if amount < 1:
        raise StripeError(_("Type an amount above zero, such as 20.00."))
    return amount


def _advance(press: Press) -> None:
    refunds.advance(press.store, _own(press, "refund"), press.now)


def _fail(press: Press) -> None:
    refunds.fail(press.store, _own(press, "refund"), press.now)


def _finish(press: Press) -> None:
    session = press.store.inner(press.charge["id"]).get("session") or abort(400)
    delayed.finish(press.store, session, press.now, success=press.play == "comes")


def _open(press: Press) -> None:
    status, reason = _DISPUTES[press.play]
    charge = refunds.find_charge(press.store, press.charge["id"])
    disputes.open_dispute(press.store, charge, status=status, reason=reason, now=press.now)


def _move(press: Press) -> None:
    dispute = disputes.get_dispute(press.store, _own(press, "dispute"))
    asks = dispute["status"].startswith("warning_")
    ends = {"answer": "under_review", "escalate": "needs_response", "drop": "warning_closed"}
    status = ends.get(press.play, press.play)
    if press.play == "answer" and asks:
        status = "warning_under_review"
    _MOVES[press.play](press.store, dispute["id"], status, press.now)


def _own(press: Press, kind: str) -> str:
    """Return the id of a refund or dispute of this very payment."""
    doc = press.store.find(press.of, kind)
    if doc is None or doc["charge"] != press.charge["id"]:
        abort(404)
    return press.of


_WORKS: dict[str, Callable[[Press], None]] = {
    "full": _refund,
    "part": _refund,
    "advance": _advance,
    "fail": _fail,
    "comes": _finish,
    "stays_away": _finish,
    **dict.fromkeys(_DISPUTES, _open),
    **dict.fromkeys(_MOVES, _move),
}


def _charge(id: str) -> Doc:
    store = this_box().store
    with store.unit():
        clockwork.catch_up(store, now())
        return store.find(id, "charge") or abort(404)


def _page(charge: Doc, wrong: str | None = None, status: int = 200) -> Response:
    box = this_box()
    with box.store.unit():
        found = _found(box.store, charge)
    left = charge["amount"] - charge["amount_refunded"] if charge["paid"] else 0
    made = render_template(
        "sandbox/payment.html", box=box, charge=charge, wrong=wrong, means=means(charge),
        left=minor(left, charge["currency"]), plain=money.plain, moment=moment, minor=minor,
        typed=request.form.get("amount"), **found,
    )  # fmt: skip
    response = make_response(made, status)
    response.headers["Content-Security-Policy"] = policy()
    return response


def _found(store: Store, charge: Doc) -> dict[str, object]:
    """Return what came of a payment: refunds, disputes, their lines of the statement, and the order."""
    id = charge["id"]
    back = store.select("kind = 'refund' AND json_extract(doc, '$.charge') = ?", id)
    taken = disputes.list_of(store, id)
    ids = [id, *(doc["id"] for doc in (*back, *taken))]
    marks = ", ".join("?" * len(ids))
    lines = store.select(
        f"kind = 'balance_transaction' AND json_extract(doc, '$.source') IN ({marks})",
        *ids, order="ASC",
    )  # fmt: skip
    return {
        "refunds": back,
        "disputes": taken,
        "lines": lines,
        "order": order_of(store, charge),
        "waiting": {r["id"] for r in back if store.inner(r["id"]).get("becomes")},
        "over": disputes.OVER,
    }


def order_of(store: Store, charge: Doc) -> str:
    """Return the order that a payment is for, as the site named it."""
    sessions = store.select(
        "kind = 'checkout.session' AND json_extract(doc, '$.payment_intent') = ?",
        charge["payment_intent"],
    )
    return str(sessions[0]["client_reference_id"] or "–") if sessions else "–"
