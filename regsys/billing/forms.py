"""What payers type about an invoice or a receipt."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired

from regsys.billing.paper import Addressee
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
