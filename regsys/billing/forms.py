"""What people type about invoices, receipts and money that came by hand."""

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.fields import EmailField
from wtforms.validators import DataRequired, Email

from regsys.billing.paper import Addressee
from regsys.kernel import money
from regsys.kernel.text import whole_number
from regsys.web.fields import DayField
from regsys.web.forms import AtMost, BaseForm


class AddressForm(BaseForm):
    """To whom a paper is made out."""

    name = StringField(
        _l("Name or company"),
        [DataRequired(_l("Write whom it is made out to.")), AtMost(120)],
        render_kw={"autocomplete": "organization"},
    )
    address = TextAreaField(
        _l("Address"),
        [DataRequired(_l("Write the address as it should stand on the paper.")), AtMost(400)],
        render_kw={"rows": 4, "autocomplete": "street-address"},
    )

    def addressee(self, po_number: str = "") -> Addressee:
        """Return what was typed."""
        return Addressee(self.name.data or "", self.address.data or "", po_number)


class InvoiceForm(AddressForm):
    """To whom an invoice goes, and their own number for it."""

    po_number = StringField(
        _l("Purchase order number"),
        [AtMost(60)],
        description=_l("If they gave you one."),
        render_kw={"autocomplete": "off"},
    )
    email = EmailField(
        _l("E-mail of accounts payable"),
        [
            DataRequired(_l("Write the e-mail address.")),
            AtMost(254),
            Email(_l("This is not a whole e-mail address, like name@example.org.")),
        ],
        render_kw={"autocomplete": "off"},
    )


class ReasonForm(BaseForm):
    """Why an invoice is taken back or written off."""

    reason = StringField(_l("Why"), [DataRequired(_l("Say why, in a few words.")), AtMost(200)])


class ReceivedForm(BaseForm):
    """Money that came by cheque, transfer or in cash; `seen` is the newest payment that the preview knew of."""

    amount = StringField(
        _l("How much came"),
        [DataRequired(_l("Write an amount."))],
        render_kw={"inputmode": "decimal", "autocomplete": "off"},
    )
    method = RadioField(
        _l("How it came"),
        [DataRequired(_l("Choose how it came."))],
        choices=lambda: [
            ("cheque", _("By cheque")),
            ("bank_transfer", _("By bank transfer")),
            ("cash", _("In cash")),
        ],
    )
    day = DayField(_l("On which day"), [DataRequired(_l("Write a day, such as 2027-02-28."))])
    reference = StringField(
        _l("Reference"),
        [
            DataRequired(_l("Write the number of the cheque, or what the statement says.")),
            AtMost(200),
        ],
    )
    seen = HiddenField()
    today = date.max

    def validate_day(self, field: Field) -> None:
        """Refuse a day that is to come."""
        if field.data and field.data > self.today:
            raise ValidationError(_l("This day is to come. Write it down when the money is here."))

    def read_amount(self, currency: str) -> int | None:
        """Return the amount in minor units; None, with a sentence on the field, if it is none."""
        try:
            amount = money.parse(self.amount.data or "", currency)
        except ValueError:
            amount = 0
        if 0 < amount < 10**11:
            return amount
        self.amount.errors = [_l("Write an amount, such as 920.00.")]
        return None

    def read_seen(self) -> int:
        """Return the newest payment that the preview knew of."""
        return whole_number(self.seen.data or "") or 0
