"""What matters of an entry of the history beside the deed."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.audit.models import AuditEntry
from regsys.web.html import money

# Of these, amounts are for every organizer; help with the fee is nobody's business here.
SHOWN = ("order.", "payment.", "refund.", "registration.credit_")
EXPORTS = (
    "registrations.exported",
    "payments.exported",
    "papers.exported",
    "credits.exported",
    "roster.exported",
)


def deed_detail(entry: AuditEntry) -> str:
    """Return what matters of an entry beside the deed: which list left as what, or to how many a roster went."""
    after = entry.after or {}
    if entry.action in EXPORTS:
        form, words = str(after.get("format", "")), after.get("words")
        kind = _("Badges") if form == "badges" else form.upper()
        rows = ngettext(
            "%(kind)s, %(num)d row", "%(kind)s, %(num)d rows", after.get("rows", 0), kind=kind
        )
        return f"{rows}, {_('found by “%(words)s”', words=words)}" if words else rows
    if entry.action == "sheet.exported":
        what = _("Waiting list") if after.get("what") == "waiting-list" else _("Applications")
        return f"{what}, {str(after.get('format', '')).upper()}"
    if entry.action in ("roster.mailed", "roster.opened"):
        return ngettext("%(num)d person", "%(num)d people", after.get("people", 0))
    return _money_detail(entry.action, after) or str(after.get("code", ""))


def _money_detail(action: str, after: Mapping[str, Any]) -> str:
    """Return what an entry says of a price: each amount with its reason, as it was then."""
    currency = after.get("currency", "USD")
    if action == "order.places_held":
        prices = after.get("prices", ())
        return "; ".join(f"{why.rstrip('.')}: {money(amount, currency)}" for why, amount in prices)
    if action == "order.code_used":
        off = money(after.get("off", 0), currency)
        return _("%(code)s, %(amount)s off", code=after.get("code", ""), amount=off)
    if action == "order.options_chosen":
        names = ", ".join(after.get("options", ()))
        return f"{names}, {money(after['cost'], currency)}" if after.get("cost") else names
    if action in ("registration.proof_refused", "registration.proof_accepted"):
        more = after.get("more", 0)
        return f"{'+' if more > 0 else ''}{money(more, currency)}" if more else ""
    if action == "registration.move_begun":
        more = after.get("difference", 0)
        sign = "+" if more > 0 else ""
        return (
            f"{after.get('to', '')}, {sign}{money(more, currency)}" if "difference" in after else ""
        )
    amount = after.get("total", after.get("amount"))
    if action.startswith(SHOWN) and isinstance(amount, int) and "currency" in after:
        return ", ".join(p for p in (after.get("code", ""), money(amount, currency)) if p)
    return ""
