"""What a code does, in words: for the line of a price and for the organizers' list."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.discounts.models import Code
from regsys.web.html import money


def off_words(code: Code) -> str:
    """Return what a code takes off a place."""
    if code.amount is not None:
        return _("%(amount)s off each place", amount=money(code.amount, code.currency))
    share = f"{(code.percent or 0) / 100:g}"
    return _("%(share)s%% off each place", share=share)


def code_words(code: Code, currency: str) -> str:
    """Return the reason on the line of a price."""
    if code.email_key:
        return _(
            "Credit %(code)s: what was kept of an earlier place. If this one is given up, what comes back of it "
            "counts again as the credit.",
            code=code.code,
        )
    if code.min_group > 1:
        return _(
            "Code %(code)s: %(off)s, for %(n)s people or more from one workplace.",
            code=code.code,
            off=off_words(code),
            n=code.min_group,
        )
    return _("Code %(code)s: %(off)s.", code=code.code, off=off_words(code))


def state_words(code: Code, now: datetime) -> tuple[str, str, str]:
    """Return word, shape and tone of how a code stands."""
    if code.ended_at:
        return _("Ended"), "over", ""
    if code.ends_at and now >= code.ends_at:
        return _("Over"), "over", ""
    if code.starts_at and now < code.starts_at:
        return _("Not yet"), "held", ""
    return _("Valid"), "full", "good"
