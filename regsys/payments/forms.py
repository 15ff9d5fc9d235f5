"""What an organizer types who gives money back or calls an event off."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, RadioField, StringField, ValidationError
from wtforms.validators import InputRequired

from regsys.kernel import money
from regsys.payments.queries import Seen
from regsys.policies.rules import How
from regsys.web.fields import DayField
from regsys.web.forms import AtMost, BaseForm


class GiveBackForm(BaseForm):
    """How much goes back, and why; `seen` is how the order's money stood in the preview."""

    amount = StringField(
        _l("How much goes back"),
        [InputRequired(_l("Write an amount."))],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    reason = StringField(_l("Why"), [InputRequired(_l("Say why, in a few words.")), AtMost(200)])
    seen = HiddenField()

    def read_amount(self, currency: str, *, most: int, least: int) -> int | None:
        """Return the amount in minor units; None, with a sentence on the field, if it is none or too much."""
        try:
            amount = money.parse(self.amount.data or "", currency)
        except ValueError:
            self.amount.errors = [_l("Write an amount, such as 920.00.")]
            return None
        if least <= amount <= most:
            return amount
        self.amount.errors = [
            _l("At most %(most)s can be given back.", most=money.show(most, currency))
            if amount > most
            else _l("Write an amount above nothing.")
        ]
        return None

    def read_seen(self) -> Seen:
        """Return how the order's money stood in the preview."""
        return Seen.read(self.seen.data or "")


class OtherWayForm(GiveBackForm):
    """How money went back without Stripe, and on which day."""

    method = RadioField(
        _l("How it went back"),
        [InputRequired(_l("Choose how it went back."))],
        choices=lambda: [
            ("cheque", _("By cheque")),
            ("bank_transfer", _("By bank transfer")),
            ("cash", _("In cash")),
        ],
    )
    day = DayField(_l("On which day"), [InputRequired(_l("Write a day, such as 2027-02-28."))])
    first = date.min
    today = date.max

    def validate_day(self, field: Field) -> None:
        """Refuse a day before the money came, and one that is to come."""
        if field.data and field.data > self.today:
            raise ValidationError(_l("This day is to come. Write it down when the money has gone."))
        if field.data and field.data < self.first:
            raise ValidationError(_l("The money had not come yet on that day."))


class EndingForm(BaseForm):
    """How an organizer who ends somebody's place settles what was paid for it, and why."""

    how = RadioField(_l("What becomes of the money"), [InputRequired(_l("Choose what goes back."))])
    amount = StringField(_l("The amount, if it is your own"))
    reason = StringField(_l("Why"), [InputRequired(_l("Say why, in a few words.")), AtMost(200)])

    def read_own(self, currency: str, *, most: int) -> int | None:
        """Return the amount of their own in minor units, 0 where they chose another way; None if it is none."""
        if self.how.data != How.OWN:
            return 0
        try:
            amount = money.parse(self.amount.data or "", currency)
        except ValueError:
            self.amount.errors = [_l("Write an amount, such as 920.00.")]
            return None
        if 0 <= amount <= most:
            return amount
        self.amount.errors = [
            _l("At most %(most)s can be given back.", most=money.show(most, currency))
            if amount > most
            else _l("Write an amount that is not below nothing.")
        ]
        return None


class CallOffForm(BaseForm):
    """Why an event does not take place."""

    reason = StringField(
        _l("Why does it not take place?"),
        [InputRequired(_l("Say why; everybody reads it.")), AtMost(300)],
    )


class MoveForm(BaseForm):
    """How an organizer moves somebody to another event."""

    difference = RadioField(
        _l("If the new place costs more"),
        choices=lambda: [
            ("link", _("The payer gets a link to pay; the place is held for a week")),
            ("none", _("Nobody is asked for the difference; move them at once")),
        ],
        default="link",
    )
    reason = StringField(_l("Why"), [InputRequired(_l("Say why, in a few words.")), AtMost(200)])
