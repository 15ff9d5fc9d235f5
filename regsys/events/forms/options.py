"""What can be chosen with a place: rooms, meals and other things."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FieldList, FormField, SelectField, StringField

from regsys.capacity.rules import PoolCount
from regsys.events.forms.parts import options
from regsys.events.kinds import OptionKind
from regsys.events.models import Event, Option
from regsys.events.services import OptionPlan
from regsys.kernel import money
from regsys.web.fields import LISTED, AmountField, Row, VersionedForm, id_of, refuse, row_id, whole
from regsys.web.forms import AtMost

MOST_ROWS = 40
MOST_MONEY = 99_999_999


class OptionRow(Row):
    """One option; an empty row is none."""

    row = row_id()
    name = StringField(_l("What is it?"), (AtMost(120),))
    choice = StringField(_l("One of"), (AtMost(120),), render_kw={"list": "choices"})
    kind = SelectField(
        _l("Kind"),
        choices=lambda: options(OptionKind),
        default=OptionKind.ROOM.value,
        **LISTED,
    )
    price = AmountField(
        _l("Price"), (AtMost(20),), render_kw={"inputmode": "decimal", "autocomplete": "off"}
    )
    size = whole(_l("How many"))
    per_order = BooleanField(_l("Once in an order"))
    asks_wish = BooleanField(_l("Ask with whom to share"))
    on_sale = BooleanField(_l("On sale"), default=True)
    remove = BooleanField(_l("Remove"))

    def counts(self) -> bool:
        """Tell whether something was typed, and nothing says that it should go."""
        return not self.remove.data and bool(self.name.data or self.price.data or self.choice.data)

    def plan(self, currency: str) -> OptionPlan:
        """Return what `set_options` takes; complain at what is missing or no amount."""
        if not self.name.data:
            refuse(self.name, _("Please fill this in."))
        if not self.price.data:
            refuse(self.price, _("Please write a price; 0 for free."))
        price = self.price.minor_units(currency) or 0
        if price > MOST_MONEY:
            refuse(self.price, _("That is more than can be charged at once."))
        return OptionPlan(
            id=id_of(self.row),
            name=self.name.data or "",
            choice=self.choice.data or "",
            kind=next((k for k in OptionKind if k.value == self.kind.data), OptionKind.OTHER),
            price=min(price, MOST_MONEY),
            size=self.size.data,
            per_order=self.per_order.data,
            asks_wish=self.asks_wish.data,
            on_sale=self.on_sale.data,
        )


class OptionsForm(VersionedForm):
    """Everything that can be chosen at an event."""

    rows = FieldList(FormField(OptionRow), max_entries=MOST_ROWS)

    @classmethod
    def of(
        cls, event: Event, stored: Sequence[Option], counts: Mapping[int, PoolCount]
    ) -> "OptionsForm":
        """Return the form of an event; on a POST what was typed comes first."""
        return cls(version=event.version, rows=[_row(o, event, counts[o.id]) for o in stored])

    def add_row(self) -> None:
        """Add an empty option."""
        if len(self.rows) < MOST_ROWS:
            self.rows.append_entry()

    def validate_for(self, currency: str) -> bool:
        """Check everything, in the event's currency."""
        fine = self.validate()
        self.plans = [r.form.plan(currency) for r in self.rows if r.form.counts()]
        return fine and not any(f.errors for row in self.rows for f in row.form)


def _row(option: Option, event: Event, count: PoolCount) -> dict[str, Any]:
    return {
        "row": option.id,
        "name": option.name,
        "choice": option.choice,
        "kind": option.kind.value,
        "price": money.plain(option.price, event.currency),
        "size": count.size,
        "per_order": option.per_order,
        "asks_wish": option.asks_wish,
        "on_sale": option.on_sale,
    }
