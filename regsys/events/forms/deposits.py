"""The fields about a deposit: how much at first, when the rest is due, and what happens then."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.form import Form

from regsys.kernel import money
from regsys.policies.rules import Ahead, Down, Terms, Unpaid
from regsys.web.fields import LISTED, AmountField, refuse, whole
from regsys.web.forms import AtMost


class DepositFields(Form):
    """A deposit that makes a place sure; empty: everything is paid at once."""

    down = AmountField(
        _l("To pay at first"),
        (AtMost(20),),
        description=_l("The place is sure then. Left empty, all of it is paid at once."),
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    down_percent = whole(_l("or a percentage"), 1, 99)
    rest_days = whole(_l("The rest is due how many days before it begins?"), 0, 1500)
    unpaid = SelectField(
        _l("If the rest is not paid"),
        choices=lambda: [
            (Unpaid.RELEASE.value, _("The place is let go")),
            (Unpaid.CHASE.value, _("The place is kept; people are asked again")),
        ],
        **LISTED,
    )
    grace = whole(_l("after so many days more"), 0, 60)

    def read_down(self, currency: str) -> Down | None:
        """Return the rule, None for none; complain at what does not fit."""
        amount = self.down.minor_units(currency) or 0
        if amount % money.unit(currency):
            refuse(self.down, _("The last decimal has to be 0 in this currency."))
            return None
        percent = self.down_percent.data or 0
        if amount and percent:
            refuse(self.down_percent, _("Write an amount or a percentage, not both."))
            return None
        if not amount and not percent:
            return None
        days = 30 if self.rest_days.data is None else self.rest_days.data
        grace = 7 if self.grace.data is None else self.grace.data
        return Down(min(amount, 10**11), percent, Ahead(days=days), Unpaid(self.unpaid.data), grace)


def deposit_data(terms: Terms, currency: str) -> dict[str, object]:
    """Return what the fields show."""
    rule = terms.down
    if rule is None:
        return {"unpaid": Unpaid.RELEASE.value}
    return {
        "down": money.plain(rule.amount, currency) if rule.amount else "",
        "down_percent": rule.percent or None,
        "rest_days": rule.rest.days,
        "unpaid": rule.then.value,
        "grace": rule.grace,
    }
